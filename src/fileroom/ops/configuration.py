"""Settings from their sources, each over the one before: defaults, HOME/fileroom.toml, FILEROOM_*, the command line."""

from __future__ import annotations

import difflib
import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path

from fileroom.errors import BadSetting
from fileroom.settings import Address, Note, Settings, notes

FILE_NAME = "fileroom.toml"
PREFIX = "FILEROOM_"
NOT_SETTINGS = frozenset({"FILEROOM_SOAK"})  # what this repository's tests read

_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_SIZE = re.compile(r"(\d+)\s*([a-z]*)", re.IGNORECASE)
_NOTES = notes()
_TYPES = typing.get_type_hints(Settings)


def load(command_line: Mapping[str, object | None], environment: Mapping[str, str]) -> Settings:
    """The settings to run with; the home's path is made absolute. Values of None on the command line are not given.

    Raises BadSetting for an unknown key or a value that does not fit: its text names the key, the source and what is
    expected.
    """
    given = {key: value for key, value in command_line.items() if value is not None}
    from_environment = _from_environment(environment)
    home = _parse("home", given.get("home", from_environment.get("home", Settings().home)), "the command line")
    values: dict[str, object] = {}
    for source, found in (
        (str(home / FILE_NAME), _from_file(home / FILE_NAME)),
        ("the environment", from_environment),
        ("the command line", given),
    ):
        for key, value in found.items():
            values[key] = _parse(key, value, source)
    values["home"] = home.absolute()
    return _checked(Settings(**values))  # type: ignore[arg-type]  # each value was parsed to its field's type


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower()
            if key not in _NOTES:
                raise _unknown(name, "the environment", [PREFIX + known.upper() for known in _NOTES])
            found[key] = text
    return found


def _from_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} is not TOML: {error}") from error
    for key in found:
        if key not in _NOTES:
            raise _unknown(key, str(path), list(_NOTES))
    if "home" in found:
        raise BadSetting(f"home is set in {path}, which lies in the home", hint="use --home or FILEROOM_HOME")
    return found


def _unknown(name: str, source: str, known: list[str]) -> BadSetting:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists every setting"
    return BadSetting(f"{source} sets {name}, which is no setting", hint=hint)


def _parse(key: str, value: object, source: str) -> typing.Any:
    parser, expected = _PARSERS[_TYPES[key]]
    try:
        parsed = parser(value)
    except ValueError as error:
        raise BadSetting(f"{key}, from {source}: expected {expected}, not {value!r}") from error
    _check_bounds(key, parsed, _NOTES[key], source)
    return parsed


def _check_bounds(key: str, value: object, about: Note, source: str) -> None:
    if about.choices and value not in about.choices:
        raise BadSetting(f"{key}, from {source}: expected one of {', '.join(about.choices)}, not {value!r}")
    if isinstance(value, int | float):
        if about.low is not None and value < about.low:
            raise BadSetting(f"{key}, from {source}: expected at least {_said(about.low)}, not {_said(value)}")
        if about.high is not None and value > about.high:
            raise BadSetting(f"{key}, from {source}: expected at most {_said(about.high)}, not {_said(value)}")


def _said(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _path(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError
    return Path(value).expanduser()


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError
    if isinstance(value, int):
        return value
    found = _SIZE.fullmatch(value.strip())
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError
    return int(found[1]) * _UNITS[found[2].lower()]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _address(value: object) -> Address:
    if isinstance(value, Address):
        return value
    host, colon, port = _text(value).strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or any(letter.isspace() for letter in host) or not port.isascii() or not port.isdigit():
        raise ValueError
    if int(port) > 65535:
        raise ValueError
    return Address(host, int(port))


_PARSERS: dict[object, tuple[typing.Callable[[object], object], str]] = {
    str: (_text, "text"),
    Path: (_path, "a path"),
    int: (_whole, "a whole number (sizes may end in KiB, MiB, GiB)"),
    float: (_number, "a number"),
    Address: (_address, "HOST:PORT, such as 127.0.0.1:8080"),
}


def _checked(settings: Settings) -> Settings:
    title = settings.ae_title
    if not 1 <= len(title.strip(" ")) <= 16 or not all(" " <= letter <= "~" and letter != "\\" for letter in title):
        raise BadSetting("ae_title: expected 1 to 16 characters of printable ASCII without backslash")
    if not settings.site or not settings.site.isprintable() or len(settings.site) > 64:
        raise BadSetting("site: expected 1 to 64 printable characters")
    scheme = settings.database_url.partition(":")[0].partition("+")[0]
    if settings.database_url and scheme not in ("postgresql", "sqlite"):
        raise BadSetting("database_url: expected postgresql://user:password@host/name or sqlite:///path")
    return settings
