"""Dates and times as they are compared, and the ranges a query may ask for (PS3.4 C.2.2.2.5, PS3.5 6.2 DA and TM)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable

from fileroom.errors import BadRequest

_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})\.([0-9]{2})\.([0-9]{2})").fullmatch
_TIME = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]{1,6}))?)?)?").fullmatch


def normal_date(text: str) -> str:
    """A stored DA value as YYYYMMDD; "" when it is not a date. Reads the retired YYYY.MM.DD too."""
    match = _DATE(text.strip(" \0"))
    if match is None:
        return ""
    year, month, day = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
    if year == "0000" or not 1 <= int(month) <= 12 or not 1 <= int(day) <= monthrange(int(year), int(month))[1]:
        return ""
    return f"{year}{month}{day}"


def normal_time(text: str) -> str:
    """A stored TM value as HHMMSS.FFFFFF, missing parts as zeros; "" when it is not a time. Reads HH:MM:SS too."""
    return _time(text, "00", "0")


def date_range(text: str) -> tuple[str, str]:
    """What a DA key asks for: the lowest and the highest YYYYMMDD that match, both included; "" means open.

    "" asks for everything: ("", ""). Raises BadRequest on anything that is no date or range of dates.
    """
    low, high = _ends(text, "date")
    return _in_order(_required(normal_date, low, "date"), _required(normal_date, high, "date"), "date")


def time_range(text: str) -> tuple[str, str]:
    """What a TM key asks for: the lowest and the highest HHMMSS.FFFFFF that match, both included; "" means open.

    A part that is not given stands for all its values: "10" is every time from 10:00:00.000000 to 10:59:59.999999.
    Raises BadRequest on anything that is no time or range of times.
    """
    low, high = _ends(text, "time")
    return _in_order(_required(normal_time, low, "time"), _required(_last_time, high, "time"), "time")


def _ends(text: str, what: str) -> tuple[str, str]:
    text = text.strip(" \0")
    if "-" not in text:
        return text, text
    low, _, high = text.partition("-")
    if not low.strip() and not high.strip():
        raise BadRequest(f"a {what} range has no ends")
    return low.strip(), high.strip()


def _required(read: Callable[[str], str], text: str, what: str) -> str:
    value = read(text)
    if text and not value:
        raise BadRequest(f"a {what} key is neither a {what} nor a range of {what}s")
    return value


def _in_order(low: str, high: str, what: str) -> tuple[str, str]:
    if low and high and low > high:
        raise BadRequest(f"a {what} range ends before it begins")
    return low, high


def _last_time(text: str) -> str:
    return _time(text, "59", "9")


def _time(text: str, rest: str, fraction_rest: str) -> str:
    """HHMMSS.FFFFFF with what is missing filled by `rest` and `fraction_rest`; "" when it is not a time."""
    match = _TIME(text.strip(" \0"))
    if match is None:
        return ""
    hours, minutes, seconds, fraction = match[1], match[2] or rest, match[3] or rest, match[4] or ""
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 60:  # 60: a leap second
        return ""
    return f"{hours}{minutes}{seconds}.{fraction.ljust(6, fraction_rest)}"
