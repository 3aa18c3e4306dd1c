"""Values of the DICOM JSON Model: one value field's bytes to what stands in its "Value" array (PS3.18 F.2.3 to F.2.5).

Choices the standard leaves open, made here:
- IS and DS become numbers where the number says exactly the same, else they stay the string that was sent.
- SV and UV become numbers up to 2^53 - 1, which is what a JSON reader keeps exactly, else strings.
- NaN and the infinities, which JSON lacks, become null.
- An empty value between others becomes null; trailing padding is no part of a value.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal

from fileroom.dicom.charset import decode

Value = str | int | float | dict[str, str] | None
Reader = Callable[[bytes, str, str], list[Value]]

EXACT_MAX = (1 << 53) - 1

_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_PAD = " \0"


def text(raw: bytes, vr: str, charset: str) -> str:
    """The characters of a value field, padding at its end removed."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").rstrip(_PAD)
    return decode(raw, vr, charset).rstrip(_PAD)


def _texts(raw: bytes, vr: str, charset: str) -> list[Value]:
    whole = text(raw, vr, charset)
    if "\\" not in whole:
        return [whole] if whole else []
    return [part.rstrip(_PAD) or None for part in whole.split("\\")]


def _codes(raw: bytes, vr: str, charset: str) -> list[Value]:
    """VRs of the default repertoire, whatever the character set says."""
    whole = raw.decode("latin-1").strip(_PAD)
    if "\\" not in whole:
        return [whole] if whole else []
    return [part.strip(_PAD) or None for part in whole.split("\\")]


def _one_text(raw: bytes, vr: str, charset: str) -> list[Value]:
    whole = text(raw, vr, charset)
    return [whole] if whole else []


def _names(raw: bytes, vr: str, charset: str) -> list[Value]:
    whole = text(raw, vr, charset)
    return [_name(part.rstrip(_PAD)) for part in whole.split("\\")] if whole else []


def _name(whole: str) -> Value:
    if not whole:
        return None
    if "=" not in whole:
        return {"Alphabetic": whole}
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), whole.split("="), strict=False)
    return {group: name.rstrip(_PAD) for group, name in groups if name.strip(_PAD)} or None


def decimal(part: str) -> Value:
    """A DS value: a number when that says exactly the same, else the string."""
    part = part.strip(_PAD)
    if _INTEGER.fullmatch(part):
        return int(part)
    if not _DECIMAL.fullmatch(part):
        return part or None
    number = float(part)
    if len(part) <= 15 + ("." in part) and "e" not in part and "E" not in part:
        return number  # at most 15 digits beside the point: a double keeps them
    if number - number != 0 or Decimal(repr(number)) != Decimal(part):
        return part
    return number


def integer(part: str) -> Value:
    """An IS value: a number when that says exactly the same, else the string."""
    part = part.strip(_PAD)
    return int(part) if _INTEGER.fullmatch(part) else part or None


def _decimals(raw: bytes, vr: str, charset: str) -> list[Value]:
    whole = raw.decode("latin-1").strip(_PAD)
    return [decimal(part) for part in whole.split("\\")] if whole else []


def _integers(raw: bytes, vr: str, charset: str) -> list[Value]:
    whole = raw.decode("latin-1").strip(_PAD)
    return [integer(part) for part in whole.split("\\")] if whole else []


def _tags(raw: bytes, order: str) -> list[Value]:
    halves = struct.unpack(f"{order}{len(raw) // 4 * 2}H", raw[: len(raw) // 4 * 4])
    return [f"{group:04X}{element:04X}" for group, element in zip(halves[::2], halves[1::2], strict=True)]


def _longs(raw: bytes, code: str, order: str) -> list[Value]:
    numbers = struct.unpack(f"{order}{len(raw) // 8}{code}", raw[: len(raw) // 8 * 8])
    return [number if -EXACT_MAX <= number <= EXACT_MAX else str(number) for number in numbers]


TEXT_READERS: dict[str, Reader] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UI"), _codes),
    **dict.fromkeys(("LO", "SH", "UC"), _texts),
    **dict.fromkeys(("LT", "ST", "UT", "UR"), _one_text),
    "PN": _names,
    "DS": _decimals,
    "IS": _integers,
}
_NUMBERS = {"US": ("H", 2), "SS": ("h", 2), "UL": ("I", 4), "SL": ("i", 4), "FL": ("f", 4), "FD": ("d", 8)}


def numbers(raw: bytes, vr: str, order: str) -> list[Value]:
    """The values of a binary VR; `order` is "<" or ">". A part of a value at the end is left out."""
    if vr in _NUMBERS:
        code, width = _NUMBERS[vr]
        count = len(raw) // width
        return list(struct.unpack(f"{order}{count}{code}", raw[: count * width]))
    if vr == "AT":
        return _tags(raw, order)
    return _longs(raw, "q" if vr == "SV" else "Q", order)
