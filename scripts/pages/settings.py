"""docs/settings.md: every setting, from `fileroom.settings`."""

from __future__ import annotations

from dataclasses import fields

from fileroom.ops.configuration import FILE_NAME, PREFIX
from fileroom.settings import GIB, KIB, MIB, Note, Settings, notes
from scripts.pages.markdown import table


def page() -> str:
    defaults = {field.name: field.default for field in fields(Settings)}
    rows = [
        (
            f"`{PREFIX}{name.upper()}`",
            f"`{name}`" if name != "home" else "",
            _shown(name, defaults[name]),
            note.text + _bounds(name, note),
        )
        for name, note in notes().items()
    ]
    return f"""# Settings

A setting is taken from the first of these that names it: the command line (`--home`, `--web`, `--dicom`, `--ae-title`),
the environment (`{PREFIX}...`), the file `{FILE_NAME}` in the home, the default. A name that is no setting, or a value
that does not fit, stops the command and says what was expected. Sizes may be written with KiB, MiB, GiB.

```toml
# {FILE_NAME}
ae_title = "FILEROOM"
database_url = "postgresql://fileroom@127.0.0.1/fileroom"
pack_bytes_max = "2 GiB"
```

{table(("environment", f"in {FILE_NAME}", "default", "what it is for"), rows)}"""


def _shown(name: str, value: object) -> str:
    if isinstance(value, int | float):
        return _number(name, value)
    return f"`{value}`" if str(value) else "empty"


def _bounds(name: str, note: Note) -> str:
    if note.choices:
        return " One of " + ", ".join(f"`{choice}`" for choice in note.choices) + "."
    low = f" At least {_number(name, note.low)}." if note.low is not None else ""
    high = f" At most {_number(name, note.high)}." if note.high is not None else ""
    return low + high


def _number(name: str, value: float) -> str:
    """As a person writes it; numbers of bytes with their unit."""
    for unit, size in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if "_bytes" in name and value and value % size == 0:
            return f"{int(value) // size} {unit}"
    return f"{int(value):,}" if value == int(value) else str(value)
