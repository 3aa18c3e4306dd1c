"""Modules stay small, and are named for what they are about."""

from __future__ import annotations

import warnings

from tests.house.tree import SOURCE, modules, shown

LINES_MAX = 400
LINES_MOSTLY = 200
NEVER = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "core", "misc"}


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in modules()}
    too_long = {name: length for name, length in lengths.items() if length > LINES_MAX}
    assert too_long == {}
    long = [name for name, length in lengths.items() if length > LINES_MOSTLY and name.startswith("src/")]
    if long:
        warnings.warn(f"{len(long)} modules of the product are longer than {LINES_MOSTLY} lines", stacklevel=1)


def test_most_modules_are_under_200_lines() -> None:
    lengths = [len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py")]
    short = sum(length <= LINES_MOSTLY for length in lengths)
    assert short >= 0.8 * len(lengths), f"only {short} of {len(lengths)} modules are"


def test_no_module_or_room_has_a_name_that_says_nothing() -> None:
    bad = [shown(path) for path in modules() if NEVER & {path.stem, *(part.lower() for part in path.parent.parts[-3:])}]
    assert bad == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        shown(path)
        for path in modules()
        if path.read_text().strip() and not path.read_text().lstrip("#! \n").startswith(('"""', 'r"""'))
    ]
    assert silent == []
