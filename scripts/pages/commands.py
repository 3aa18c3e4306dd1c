"""docs/commands.md: every command, from the command line's own help."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from fileroom.ops.cli import app
from fileroom.ops.exit_codes import MEANING
from scripts.pages.markdown import table


def page() -> str:
    sections = "\n".join(_section(name, command) for name, command in all_commands())
    codes = table(("exit code", "meaning"), [(int(code), meaning) for code, meaning in MEANING.items()])
    return f"""# Commands

Every command takes `--home DIR` (or `FILEROOM_HOME`) and `--json`, which answers with one JSON document. `--help`
explains each.

{codes}
{sections}"""


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name, such as `fileroom peer add`."""
    yield from _below("fileroom", typer.main.get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child_name, child in children.items():
        yield from _below(f"{name} {child_name}", child)


def _section(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name != "argument" and one.name != "help"]
    usage = " ".join([name, *(_argument(one) for one in arguments), "[OPTIONS]"])
    text = inspect.cleandoc(command.help or "").replace("\b", "")
    rows = [(f"`{_argument(one)}`", one.help or "") for one in arguments]
    rows += [(f"`{_option(one)}`", one.help or "") for one in options]
    return f"## {name}\n\n    {usage}\n\n{_examples(text)}\n\n{table(('', ''), rows)}"


def _examples(text: str) -> str:
    """Lines that show a command line become code."""
    lines = [line if not line.startswith("Example:") else _example(line) for line in text.splitlines()]
    return "\n".join(lines)


def _example(line: str) -> str:
    return f"Example: `{line.removeprefix('Example:').strip()}`"


def _argument(one: Any) -> str:
    name = one.metavar or one.name.upper()
    name += "..." if one.nargs == -1 and not name.endswith("...") else ""
    return name if one.required else f"[{name}]"


def _option(one: Any) -> str:
    words = ", ".join(one.opts)
    return words if one.is_flag else f"{words} {one.metavar or one.name.upper()}"
