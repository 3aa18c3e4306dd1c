"""One data element as a value, and its text and numbers.

Values are little-endian bytes whatever the transfer syntax, so that nothing above needs to know it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

from fileroom.dicom.charset import TEXT_VRS, UTF_8, decode, encode
from fileroom.errors import MalformedObject

CHARSET_TAG = 0x00080005

_NUMBERS = {"US": "<H", "SS": "<h", "UL": "<I", "SL": "<i", "UV": "<Q", "SV": "<q"}

Elements: TypeAlias = "dict[int, Element]"


@dataclass(frozen=True, slots=True)
class Element:
    """One data element."""

    tag: int  # 0xGGGGEEEE
    vr: str
    value: bytes | tuple[Elements, ...]  # as sent, little endian; items when it is a sequence

    @property
    def items(self) -> tuple[Elements, ...]:
        """The items of a sequence; () of anything else."""
        return self.value if isinstance(self.value, tuple) else ()


def text_element(tag: int, vr: str, text: str, charset: str = UTF_8) -> Element:
    """An element of text."""
    return Element(tag, vr, encode(text, charset if vr in TEXT_VRS else ""))


def number_element(tag: int, vr: str, *numbers: int) -> Element:
    """An element of binary integers (US, SS, UL, SL, UV, SV). Raises MalformedObject when one does not fit."""
    try:
        return Element(tag, vr, b"".join(struct.pack(_NUMBERS[vr], number) for number in numbers))
    except struct.error:
        raise MalformedObject(f"a number does not fit {vr}") from None


def items_of(elements: Elements, tag: int) -> tuple[Elements, ...]:
    """The items of a sequence; () when it is absent, or none."""
    return elements[tag].items if tag in elements else ()


def charset_of(elements: Elements) -> str:
    """Specific Character Set of a dataset, "" when absent: what `text_of` needs."""
    return text_of(elements, CHARSET_TAG)


def text_of(elements: Elements, tag: int, charset: str = "") -> str:
    """An element's text without padding, several values joined by a backslash; "" when absent or a sequence.

    Binary integers are returned as decimal text.
    """
    element = elements.get(tag)
    if element is None or not element.value or not isinstance(element.value, bytes):
        return ""
    if element.vr in _NUMBERS:
        return "\\".join(str(number) for number in _numbers(element))
    return decode(element.value, element.vr, charset).strip(" \0")


def number_of(elements: Elements, tag: int) -> int | None:
    """An element's first binary integer, or its text when that is an integer; None when there is none."""
    element = elements.get(tag)
    if element is not None and element.vr in _NUMBERS:
        numbers = _numbers(element)
        return numbers[0] if numbers else None
    text = text_of(elements, tag).partition("\\")[0].strip()
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() and len(text) <= 20 else None


def _numbers(element: Element) -> tuple[int, ...]:
    code = _NUMBERS[element.vr]
    value = element.value
    if not isinstance(value, bytes):
        return ()
    width = struct.calcsize(code)
    return struct.unpack(f"<{len(value) // width}{code[1]}", value[: len(value) // width * width])
