"""Values as people read them: the filters of every template. Nothing here makes markup; the templates escape."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from fileroom.web.segment import segment

_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})").fullmatch
_TIME = re.compile(r"([0-9]{2})([0-9]{2})(?:[0-9]{2}(?:\.[0-9]*)?)?").fullmatch


_DOORS = {  # of `Source.label`, which the archive keeps
    "dimse": "DICOM, from",
    "stow": "DICOMweb, from",
    "import": "import,",
    "upload": "upload,",
    "demo": "the",
    "reader": "a reader, in the",
}


def source_text(source: str) -> str:
    """Where objects came from, in words."""
    door, _, peer = source.partition(":")
    return f"{_DOORS.get(door, door)} {peer}"


def size_text(size_bytes: int) -> str:
    """A size for people: decimal units, three digits."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 999.5:
            return f"{size:.3g} {unit}" if unit != "bytes" else f"{size_bytes} bytes"
        size /= 1000
    return f"{size:,.1f} PB"


def date_text(value: str | None) -> str:
    """A DA value (PS3.5 6.2) as 2026-11-24; what is none stands as it is, nothing as nothing."""
    found = _DATE(value or "")
    return "-".join(found.groups()) if found else value or ""


def time_text(value: str | None) -> str:
    """A TM value (PS3.5 6.2) as 08:05; what is none stands as it is."""
    found = _TIME(value or "")
    return f"{found[1]}:{found[2]}" if found else value or ""


def person_text(value: str | None) -> str:
    """A PN value (PS3.5 6.2) as `Family, Given Middle (prefix, suffix)`, its other groups behind it."""
    groups = []
    for group in (value or "").split("="):
        family, given, middle, prefix, suffix, *_ = [*(part.strip() for part in group.split("^")), "", "", "", "", ""]
        name = ", ".join(part for part in (family, " ".join(part for part in (given, middle) if part)) if part)
        more = ", ".join(part for part in (prefix, suffix) if part)
        if name or more:
            groups.append(f"{name} ({more})" if more else name)
    return " · ".join(groups)


def list_text(value: str | None) -> str:
    """Several values, which DICOM joins by a backslash (PS3.5 6.4), with commas."""
    return ", ".join(part.strip() for part in (value or "").split("\\") if part.strip())


def moment_text(time_ms: int) -> str:
    """Milliseconds since 1970 UTC as this machine's local date and time, to the minute."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def moment_iso(time_ms: int) -> str:
    """Milliseconds since 1970 UTC for a machine: the `datetime` attribute of a time element."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")


def count_text(number: int) -> str:
    """A number with commas."""
    return f"{number:,}"


FILTERS: dict[str, Callable[..., str]] = {
    "size": size_text,
    "count": count_text,
    "date": date_text,
    "time": time_text,
    "person": person_text,
    "segment": segment,
    "values": list_text,
    "moment": moment_text,
    "iso": moment_iso,
    "source": source_text,
}
