"""What a page says about the person: every value there is, and plainly where there is none."""

from __future__ import annotations

import re
from datetime import date

_SEXES = {"F": "female", "M": "male", "O": "other"}
_AGE = re.compile(r"([0-9]{3})([DWMY])").fullmatch
_UNITS = {"D": "day", "W": "week", "M": "month", "Y": "year"}


def sex_text(value: str | None) -> str:
    """Patient's Sex (PS3.3 C.7.1.1) in words; what is none of the standard's values stands as it is."""
    return _SEXES.get(value or "", value or "")


def age_text(birth_date: str | None, study_date: str | None, patient_age: str | None) -> str:
    """How old the patient was at the study: by the dates where both are there, else Patient's Age as sent.

    "" when neither says it, or the study is before the birth.
    """
    born, then = _day(birth_date), _day(study_date)
    if born is not None and then is not None:
        return _between(born, then)
    found = _AGE((patient_age or "").strip())
    return _counted(int(found[1]), _UNITS[found[2]]) if found else patient_age or ""


def _between(born: date, then: date) -> str:
    months = (then.year - born.year) * 12 + then.month - born.month - (then.day < born.day)
    if then < born:
        return ""
    if months >= 24:
        return _counted(months // 12, "year")
    return _counted(months, "month") if months else _counted((then - born).days, "day")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _day(value: str | None) -> date | None:
    text = (value or "").strip()
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
