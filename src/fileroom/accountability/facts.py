"""What was observed about the people and things that a responsibility map speaks of: the data that gaps open from.

Each part says when it was looked at. One that nobody looked at, or not today, is not known: that is never good news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from fileroom.errors import BadRequest

FRESH_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a person on the map."""

    mail: str
    disabled_ms: int | None = None  # None: it is enabled
    id: str = ""


class Line(StrEnum):
    """Which contact."""

    CONTACT = "contact"
    OUT_OF_HOURS = "out-of-hours"


@dataclass(frozen=True, slots=True)
class ContactTest:
    """Somebody called a contact of a row."""

    role: str
    line: Line
    at_ms: int
    answered: bool  # in the time that was promised
    called: str  # the number or address: a test of another one proves nothing


@dataclass(frozen=True, slots=True)
class Contract:
    """An agreement that something stands on."""

    name: str
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Data that was seen to go somewhere."""

    name: str
    seen_ms: int  # first
    declared: bool


@dataclass(frozen=True, slots=True)
class Release:
    """What runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Look:
    """What was found when somebody looked. Empty is an answer: there are none."""

    at_ms: int  # since 1970 UTC
    found: tuple[Any, ...] = ()

    def fresh(self, now_ms: int) -> bool:
        """Whether it tells of today. One of a time that has not come tells nothing."""
        return 0 <= now_ms - self.at_ms <= FRESH_MS


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was looked at; None where nobody looked."""

    accounts: Look | None = None  # of Account
    contact_tests: Look | None = None  # of ContactTest
    contracts: Look | None = None  # of Contract
    flows: Look | None = None  # of Flow
    release: Look | None = None  # of Release


PARTS = {
    "accounts": (Account, "whether accounts are disabled"),
    "contact_tests": (ContactTest, "whether contacts answer"),
    "contracts": (Contract, "whether contracts have ended"),
    "flows": (Flow, "whether data goes where nobody declared it"),
    "release": (Release, "whether the release is the one approved"),
}


def running(release: str, now_ms: int) -> Facts:
    """What a running system knows by itself: which release it is."""
    return Facts(release=Look(now_ms, (Release(release),)))


def read(told: object) -> Facts:
    """Facts from JSON: `{"accounts": {"at_ms": 0, "found": [{"mail": ...}]}, ...}`. Raises BadRequest."""
    if not isinstance(told, Mapping) or set(told) - set(PARTS):
        raise BadRequest("not facts about a responsibility map", hint=f"an object with some of {', '.join(PARTS)}")
    try:
        return Facts(**{name: _look(PARTS[name][0], look) for name, look in told.items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRequest("facts about a responsibility map that say too little, or too much") from error


def _look(kind: type[Any], told: Any) -> Look | None:
    if told is None:
        return None
    found = tuple(kind(**{**one, **({"line": Line(one["line"])} if "line" in one else {})}) for one in told["found"])
    for one in found:
        for name in (each.name for each in fields(kind)):
            value = getattr(one, name)
            wanted: Any = (
                (int, type(None)) if name.endswith("_ms") else bool if name in ("answered", "declared") else str
            )
            if not isinstance(value, wanted) or (name.endswith("_ms") and isinstance(value, bool)):
                raise TypeError(name)
            if value is None and name != "disabled_ms":
                raise TypeError(name)
    if type(told["at_ms"]) is not int:
        raise TypeError("at_ms")
    return Look(told["at_ms"], found)
