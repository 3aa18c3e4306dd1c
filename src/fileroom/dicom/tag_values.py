"""One value as people read it in a list of elements: short, whatever its length (PS3.5 6.2)."""

from __future__ import annotations

from dataclasses import dataclass

from fileroom.dicom.charset import decode
from fileroom.dicom.header import Buffer
from fileroom.dicom.json_values import numbers
from fileroom.dicom.tag_names import tag_text, uid_name
from fileroom.dicom.vr import LONG_VRS, SHORT_VRS

CHARACTERS_MAX = 400  # of a value that are shown
_BYTES_MAX = 4 * CHARACTERS_MAX  # that are read to show them
_HEX_BYTES_MAX = 16
_WIDTHS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8, "AT": 4}
_BINARY = frozenset(("OB", "OW", "OF", "OD", "OL", "OV", "UN"))
_KNOWN = SHORT_VRS | LONG_VRS


@dataclass(slots=True)
class Reading:
    """What values are read from."""

    data: Buffer
    order: str  # "<" or ">"
    signed: bool = False  # Pixel Representation


def value_text(
    reading: Reading, vr: str, start: int, length: int, charset: str, pixels: bool = False
) -> tuple[str, str]:
    """The value's text or its beginning, and what was left out of it ("" when nothing was).

    Of `pixels` and long binary values nothing is read but their length.
    """
    if not length:
        return "", ""
    if pixels or vr in _BINARY or vr not in _KNOWN:
        return _binary(reading, vr, start, length, pixels)
    if vr in _WIDTHS:
        return _numbers(reading, vr, start, length)
    raw = bytes(reading.data[start : start + min(length, _BYTES_MAX)])
    text = decode(raw, vr, charset).strip(" \0")
    if len(raw) == length and len(text) <= CHARACTERS_MAX:
        name = uid_name(text) if vr == "UI" else ""
        return (f"{text} = {name}" if name else text), ""
    return text[:CHARACTERS_MAX], f"{length:,} bytes in all"


def _numbers(reading: Reading, vr: str, start: int, length: int) -> tuple[str, str]:
    width = _WIDTHS[vr]
    count = min(length // width, CHARACTERS_MAX // 8)
    read = numbers(bytes(reading.data[start : start + count * width]), vr, reading.order)
    shown = (_number(vr, one) for one in read)
    whole = length // width
    return "\\".join(shown), "" if count == whole else f"{whole:,} values in all"


def _number(vr: str, value: object) -> str:
    if vr == "AT":
        return tag_text(int(str(value), 16))
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _binary(reading: Reading, vr: str, start: int, length: int, pixels: bool) -> tuple[str, str]:
    said = f"{length:,} bytes"
    if pixels or length > _BYTES_MAX:
        return "", said
    raw = bytes(reading.data[start : start + length])
    if vr in ("UN", "??"):
        text = raw.rstrip(b" \0").decode("latin-1")
        if text.isascii() and text.isprintable():
            return text[:CHARACTERS_MAX], "" if len(text) <= CHARACTERS_MAX else said
    if length <= _HEX_BYTES_MAX:
        return raw.hex(" "), ""
    return "", said
