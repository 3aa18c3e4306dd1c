"""Every setting and every command is in the documents, and the generated pages are what the code says now."""

from __future__ import annotations

import pytest

from fileroom.ops.configuration import PREFIX
from fileroom.settings import notes
from scripts import generate_docs
from scripts.pages.commands import all_commands
from tests.house.tree import ROOT


@pytest.mark.parametrize("name", generate_docs.PAGES)
def test_the_generated_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text() == generate_docs.pages()[ROOT / name], "run `make docs`"


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    assert [name for name in notes() if f"`{PREFIX}{name.upper()}`" not in page] == []


def test_every_command_is_documented_teaches_and_takes_home_and_json() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    for name, command in all_commands():
        assert f"## {name}\n" in page
        assert "Example:" in command.help, f"{name} --help shows no example"
        options = {word for one in command.params for word in one.opts}
        assert {"--home", "--json"} <= options, name
        silent = [one.name for one in command.params if not getattr(one, "help", None)]
        assert silent == [], f"{name}: no help for {silent}"
