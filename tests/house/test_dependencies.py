"""What Fileroom stands on: pinned by hash, from no named place, under licences that go with Apache-2.0."""

from __future__ import annotations

import ast
import re
import sys
from email.message import Message
from importlib import metadata

import pytest

from tests.house.tree import ROOT, SOURCE, shown, tracked

PINS = ("requirements.txt", "requirements-dev.txt")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==", re.MULTILINE)


def _pinned(name: str) -> list[str]:
    return _PIN.findall((ROOT / name).read_text())


def _licence(package: str) -> str:
    about: Message = metadata.metadata(package)  # type: ignore[assignment]  # it is one
    classifiers = [text for text in about.get_all("Classifier") or [] if text.startswith("License ::")]
    stated = about.get("License-Expression") or (about.get("License") or "").strip().splitlines()[:1]
    return " | ".join([*([stated] if isinstance(stated, str) else stated), *classifiers])


@pytest.mark.parametrize("name", PINS)
def test_every_pin_has_hashes_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    assert len(_pinned(name)) > 20
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if "==" in block:
            assert "--hash=sha256:" in block, block
    assert not re.search(r"://|^-", text, re.MULTILINE)


def test_no_dependency_is_under_the_gpl() -> None:
    packages = sorted({package for name in PINS for package in _pinned(name)})
    licences = {package: _licence(package) for package in packages}
    assert {name for name, licence in licences.items() if not licence} <= set()
    lesser = re.compile(r"LGPL|Lesser General Public|Library or Lesser", re.IGNORECASE)
    gpl = re.compile(r"\bA?GPL|General Public Licen[sc]e", re.IGNORECASE)
    bad = {name: licence for name, licence in licences.items() if gpl.search(licence) and not lesser.search(licence)}
    assert bad == {}


def test_the_product_imports_only_what_a_plain_installation_has() -> None:
    """Wherever an import stands: one inside a function is missed by everything that has the tests' packages too."""
    distributions = metadata.packages_distributions()
    pinned = set(_pinned("requirements.txt"))
    modules = {
        (name.partition(".")[0], shown(path))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }
    missing = [
        f"{place}: {module}"
        for module, place in sorted(modules)
        if module not in sys.stdlib_module_names
        and module != "fileroom"
        and not pinned & {name.lower().replace("_", "-") for name in distributions.get(module, ())}
    ]
    assert missing == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def test_fileroom_itself_is_apache_2() -> None:
    assert (ROOT / "LICENSE").read_text().lstrip().startswith("Apache License")
    assert metadata.metadata("fileroom")["License-Expression"] == "Apache-2.0"


def test_no_tracked_file_knows_one_machine_or_a_registry() -> None:
    # Written in pieces, so that this file does not hold what it looks for.
    hosts = [
        "pypi" + ".org",
        "python" + "hosted",
        "deb.debian" + ".org",
        "registry.npm" + "js",
        "--extra-" + "index-url",
    ]
    places = ["/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/", "/opt/" + "pypi"]
    guilty = []
    for path in tracked():
        text = path.read_bytes().decode(errors="replace")
        guilty += [f"{shown(path)}: {word}" for word in (*hosts, *places) if word in text]
    assert guilty == []
