"""The ledger as a CSV file, for those who read it in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from fileroom import errors
from fileroom.audit.event import Event
from fileroom.audit.reading import Entry

_PIECE_CHARACTERS = 65536
_HEAD = ["position", "at", *(name for name in Event._fields if name != "at_ms"), "line"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate


def write(path: Path, entries: Iterable[Entry]) -> int:
    """Write every entry, and how many there were. A text that a spreadsheet would run begins with an apostrophe.

    Raises BadRequest when the file is there, StorageFull when it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            path.chmod(0o640)
            writer = csv.writer(file)
            writer.writerow(_HEAD)
            count = 0
            for entry in entries:
                writer.writerow(_row(entry))
                count += 1
    except FileExistsError as error:
        raise errors.BadRequest(f"{path} is there already", hint="name another file") from error
    except OSError as error:
        raise errors.StorageFull(f"{path} cannot be written: {error.strerror}", hint="name another file") from error
    return count


def pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The same file, piece by piece."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEAD)
    for entry in entries:
        writer.writerow(_row(entry))
        if text.tell() >= _PIECE_CHARACTERS:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _row(entry: Entry) -> list[object]:
    event, line = entry.event, entry.line.decode("utf-8", "replace")
    if event is None:
        return [entry.position, *[""] * len(Event._fields), line]
    at = datetime.fromtimestamp(event.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    values = (value for name, value in event._asdict().items() if name != "at_ms")
    return [entry.position, at, *map(_cell, values), line]


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
