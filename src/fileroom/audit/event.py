"""One event: who did what to whose images, and how one is written down.

A line of the ledger is the event as JSON in the canonical form of RFC 8785: keys sorted, no spaces, UTF-8. `v` is the
form's version. What is not known, or does not apply, is left out. So any JSON program reads a line, and the same event
is the same bytes everywhere.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

VERSION = 1
TEXT_MAX = 1024  # characters of one value; more is cut

_SURE_BYTES = TEXT_MAX  # a line no longer than this holds no value that is


class Kind(StrEnum):
    """What was done."""

    SIGN_IN = "sign-in"
    CONNECT = "connect"  # an association, told when it was refused
    SEARCH = "search"
    VIEW = "view"  # a person opened a study, or its viewer
    RETRIEVE = "retrieve"  # a program fetched objects
    STORE = "store"
    SEND = "send"
    EXPORT = "export"
    PRINT = "print"
    SHARE = "share"
    CORRECT = "correct"  # also a conflict that a person decided
    HIDE = "hide"
    DELETE = "delete"
    SETTING = "setting"
    GRANT = "grant"
    SYSTEM = "system"  # started, stopped, restored


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    BEGUN = "begun"  # another line tells how it ended; without one it was interrupted
    REFUSED = "refused"  # not allowed
    FAILED = "failed"


class Event(NamedTuple):
    """One act. Texts that do not apply are empty; UIDs and the patient ID are those of the objects, as received."""

    kind: Kind
    at_ms: int  # since 1970 UTC
    who: str  # a person's sign-in name, a calling AE title, a service account, `rule NAME`
    via: str = ""  # the client: an address, and what it called itself
    on_behalf_of: str = ""
    where: str = ""  # the door here: `dicom`, `web`, `command line`
    site: str = ""
    patient_id: str = ""  # (0010,0020)
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""
    purpose: str = ""  # of use: treatment, ...
    outcome: Outcome = Outcome.DONE
    why: str = ""  # the reason of a refusal, a failure, a break-glass, a correction
    objects: int | None = None  # how many it was about, where it names no single one
    act: str = ""  # the same on the line that says it has begun and the one that says how it ended
    detail: str = ""  # what was asked for, which setting, where to


class Line(NamedTuple):
    """An event as it is kept."""

    event: Event  # what `data` says
    data: bytes  # the leaf of the tree


class NotALine(ValueError):
    """Bytes that are no line of the ledger, or of a form this version does not know."""


_FIELDS = Event._fields
_NUMBERS = {"at_ms", "objects"}
_COUNT_MAX = 1 << 53  # JSON programs round what is larger
_AT_MS_MAX = 253_402_300_800_000  # the year 10000
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # neither UTF-8 nor every database holds them


def written(event: Event) -> Line:
    """The event as a line. Never fails for the sake of a text: one too long is cut, what cannot be kept is replaced.

    Raises ValueError for a number that is negative or over 53 bits, a time after the year 9999.
    """
    try:
        data = _encoded(event)
    except orjson.JSONEncodeError:
        data = b""
    if not data or len(data) > _SURE_BYTES or b"\\u0000" in data:
        event = Event._make(_storable(value) if type(value) is str else value for value in event)
        data = _encoded(event)
    return Line(event, data)


def _encoded(event: Event) -> bytes:
    kept: dict[str, Any] = {name: value for name, value in zip(_FIELDS, event, strict=True) if value or value == 0}
    kept["v"], kept["kind"], kept["outcome"], kept["who"] = (
        VERSION,
        event.kind._value_,
        event.outcome._value_,
        event.who,
    )
    if not _in_range(event):
        raise ValueError("a number is out of range")
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


def _in_range(event: Event) -> bool:
    at_ms, objects = event.at_ms, event.objects
    return (objects is None or 0 <= objects < _COUNT_MAX) and 0 <= at_ms < _AT_MS_MAX


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…")


def read(data: bytes) -> Event:
    """The event that a line tells. Raises NotALine."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotALine("not JSON") from error
    if type(found) is not dict or found.get("v") != VERSION:
        raise NotALine("not a line of a version known here")
    del found["v"]
    try:
        found["kind"] = Kind(found["kind"])
        found["outcome"] = Outcome(found["outcome"])
        event = Event(**found)
    except (KeyError, TypeError, ValueError) as error:
        raise NotALine("not what a line says") from error
    for name, value in found.items():
        if type(value) is not int if name in _NUMBERS else not isinstance(value, str):
            raise NotALine(f"{name} is of another type")
    if not _in_range(event):
        raise NotALine("a number is out of range")
    return event
