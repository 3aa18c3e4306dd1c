"""Values as a directory record must have them: what is absent or malformed is replaced by what the standard allows.

Only the directory is written so; the objects themselves stay as they are.
"""

from __future__ import annotations

import re

NO_DATE, NO_TIME = "19000101", "000000"

_CHARACTERS_MAX = {"LO": 64, "SH": 16, "PN": 194, "CS": 16, "AS": 4}  # PN: three groups of 64
_DATE = re.compile(r"(?:1[89]|2[0-9])[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])").fullmatch
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:[0-5][0-9](?:\.[0-9]{1,6})?)?)?").fullmatch
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}").fullmatch
_INTEGER = re.compile(r"[+-]?[0-9]{1,11}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1a\x1c-\x1f\x7f]")


def date(*candidates: str | None) -> str:
    """The first that is a date, also in the old form 2024.01.31; NO_DATE when none is."""
    for candidate in candidates:
        text = (candidate or "").replace(".", "")
        if _DATE(text):
            return text
    return NO_DATE


def time(*candidates: str | None) -> str:
    """The first that is a time, also in the old form 12:30:00; NO_TIME when none is."""
    for candidate in candidates:
        text = (candidate or "").replace(":", "")
        if _TIME(text):
            return text
    return NO_TIME


def integer(candidate: str | None, instead: int) -> str:
    """An Integer String; the other number when it is none."""
    text = (candidate or "").strip()
    return text if _INTEGER(text) and -(1 << 31) <= int(text) < 1 << 31 else str(instead)


def code(candidate: str | None, instead: str) -> str:
    """A Code String; the other one when it is none."""
    text = (candidate or "").strip().upper()
    return text if _CODE(text) else instead


def text(candidate: str | None, vr: str) -> str:
    """Text without control characters, cut to what its VR takes; "" when absent."""
    return _CONTROL.sub("", candidate or "")[: _CHARACTERS_MAX.get(vr, 64)].rstrip()
