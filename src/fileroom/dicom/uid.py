"""Unique identifiers: kept as sent, checked for what cannot be kept, flagged when odd (PS3.5 9, PS3.6 A)."""

from __future__ import annotations

import re
import uuid

from fileroom.dicom.storage_classes import STORAGE_CLASSES
from fileroom.errors import InvalidUid

__all__ = ["STORAGE_CLASSES", "UID_LENGTH_MAX", "check_uid", "is_standard", "new_uid"]

UID_LENGTH_MAX = 64

_KEEPABLE = re.compile(r"[\x21-\x7e]{1,64}").fullmatch
_STANDARD = re.compile(r"(?!0[0-9])[0-9]++(?:\.(?!0[0-9])[0-9]++)*+").fullmatch  # possessive: linear, and quicker


def check_uid(text: str) -> str:
    """The UID itself, when it can be kept: 1 to 64 characters of printable ASCII without space.

    Real archives hold UIDs that break PS3.5 9.1 (letters, leading zeros); they are legal here, see `is_standard`.
    Raises InvalidUid; its message does not repeat the text, which may be anything.
    """
    if _KEEPABLE(text) is not None:
        return text
    if not text:
        raise InvalidUid("a UID is empty")
    if len(text) > UID_LENGTH_MAX:
        raise InvalidUid(f"a UID is {len(text)} characters long; 64 is the most")
    raise InvalidUid("a UID holds a space or a character outside printable ASCII")


def is_standard(text: str) -> bool:
    """Does the UID follow PS3.5 9.1: digits and dots, components without leading zeros, at most 64 characters?"""
    return len(text) <= UID_LENGTH_MAX and _STANDARD(text) is not None


def new_uid() -> str:
    """A new UID, unique without asking anybody: 2.25 and a random UUID as a decimal number (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"
