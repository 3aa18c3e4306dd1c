"""Real DICOM files that lie on this disk: pydicom's own test files and the pydicom-data package. No network."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import data_store  # type: ignore[import-untyped]
import pydicom.data


@cache
def folders() -> tuple[Path, ...]:
    """Where they are."""
    return (
        Path(data_store.__file__).parent / "data",
        Path(pydicom.data.__file__).parent / "test_files",
    )


@cache
def all_files() -> tuple[Path, ...]:
    """Every one of them that starts as Part 10 (128 bytes, then DICM), some broken on purpose; sorted by name."""
    paths = [path for folder in folders() for path in folder.rglob("*") if path.is_file()]
    return tuple(sorted((path for path in paths if _is_part10(path)), key=lambda path: path.name))


def named(name: str) -> Path:
    """The file of that name. Raises LookupError."""
    for path in all_files():
        if path.name == name:
            return path
    raise LookupError(f"no real object named {name}")


def _is_part10(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
