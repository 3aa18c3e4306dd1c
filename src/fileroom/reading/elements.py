"""Every element of a stored object as lines to read: tag, VR, name, value. A rare path, so pydicom reads."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.errors import InvalidDicomError
from pydicom.tag import BaseTag

from fileroom.archive.packs import FileRange

HEAD_BYTES_MAX = 8 << 20  # of an object that are read: what lies behind is pixels, or is said to be left out
LINES_MAX = 5000
VALUE_CHARACTERS_MAX = 300
_DEPTH_MAX = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One element."""

    depth: int  # 0 outside of any sequence
    tag: str  # (0010,0010)
    vr: str
    name: str
    value: str


def read_elements(file: FileRange, prefix_bytes: int) -> tuple[list[Line], str]:
    """The lines of a Part 10 file, at most LINES_MAX, and what could not be read ("" when all could).

    Pixels are never read. Raises DamagedPack when its bytes cannot be had.
    """
    head = file.part(0, min(file.length, HEAD_BYTES_MAX)).read()
    lines: list[Line] = []
    try:
        # no library reads hostile nesting without a bound: what is nested too deep fails here, in this request alone
        dataset = dcmread(io.BytesIO(head), stop_before_pixels=True, force=True)
        for line in _lines([*dataset.file_meta, *dataset], 0):
            if len(lines) == LINES_MAX:
                return lines, f"there are more than {LINES_MAX} elements; the rest is left out"
            lines.append(line)
    except (
        InvalidDicomError,
        RecursionError,
        MemoryError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        what = "it is nested too deep" if isinstance(error, RecursionError) else type(error).__name__
        return lines, f"from here on the elements cannot be read: {what}"
    return lines, ""


def _lines(elements: Iterable[DataElement], depth: int) -> Iterator[Line]:
    for element in elements:
        tag = BaseTag(element.tag)
        shown = f"({tag.group:04x},{tag.element:04x})"
        if element.VR == "SQ":
            items: list[Dataset] = list(element.value or ())
            yield Line(depth, shown, "SQ", element.name, f"{len(items)} {'item' if len(items) == 1 else 'items'}")
            if depth < _DEPTH_MAX:
                for number, item in enumerate(items, 1):
                    yield Line(depth + 1, "", "", f"Item {number}", "")
                    yield from _lines(item, depth + 2)
            continue
        yield Line(depth, shown, str(element.VR), element.name, _value(element))


def _value(element: DataElement) -> str:
    value = element.value
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if value is None:
        return ""
    text = "\\".join(str(one) for one in value) if element.VM > 1 else str(value)
    if len(text) > VALUE_CHARACTERS_MAX:
        return f"{text[:VALUE_CHARACTERS_MAX]}… ({len(text):,} characters)"
    return text
