"""The one table that turns outcomes and errors into DIMSE status (PS3.7 C, PS3.4 B.2.3, C.4). The docs print it."""

from __future__ import annotations

from dataclasses import dataclass

from fileroom import errors
from fileroom.archive.arrival import Outcome


class NotAllowed(errors.FileroomError):
    """The calling peer is configured without the right to do this."""


class UnknownDestination(errors.FileroomError):
    """A C-MOVE names a destination that is not a configured peer."""


class UnsupportedService(errors.FileroomError):
    """A request on a presentation context whose abstract syntax is for something else."""


@dataclass(frozen=True, slots=True)
class Status:
    """One status as it is sent."""

    code: int  # (0000,0900)
    comment: str  # (0000,0902), at most 64 characters; "" when none is sent
    meaning: str  # for the docs: what happened, and what became of the object


SUCCESS = Status(0x0000, "", "done")
PENDING = 0xFF00  # one match, or sub-operations continue
PENDING_UNSUPPORTED_KEYS = 0xFF01  # one match; keys that are not known came back empty
CANCELLED = Status(0xFE00, "cancelled as asked", "stopped because the peer asked (C-CANCEL)")
SOME_FAILED = Status(0xB000, "some sub-operations failed", "C-GET, C-MOVE: done, but not for every object")
ALL_FAILED = Status(0xA702, "no sub-operation succeeded", "C-GET, C-MOVE: not one object was delivered")
UNRECOGNIZED = Status(0x0211, "this operation is not offered", "a request other than the five C- services")
BROKEN = Status(0x0110, "processing failure", "an error on our side: logged; for C-STORE, nothing was acknowledged")

STORE: dict[Outcome | type[errors.FileroomError], Status] = {
    Outcome.STORED: Status(0x0000, "", "durable and indexed"),
    Outcome.DUPLICATE: Status(0x0000, "", "the same bytes were here already: nothing new was kept"),
    Outcome.CONFLICT: Status(
        0x0111,
        "same SOP Instance UID, other content: kept for a person",
        "the bytes are durable, apart from the first ones; `fileroom conflicts` lists them",
    ),
    Outcome.HELD: Status(
        0xC110,
        "this study is another patient's or site's: kept for a person",
        "the bytes are durable, apart from the study; `fileroom conflicts` lists them",
    ),
    errors.StorageFull: Status(0xA700, "out of storage", "disk full or read-only: nothing was kept, send again later"),
    errors.Busy: Status(0xA701, "busy, send again later", "a bound on memory or workers is reached: nothing was kept"),
    errors.DatabaseUnavailable: Status(0xA702, "the index is not available", "nothing was acknowledged, send again"),
    errors.ObjectTooLarge: Status(0xA703, "larger than the stated bound", "nothing was kept"),
    errors.SopMismatch: Status(0xA900, "dataset is not of the SOP class and instance named", "nothing was kept"),
    errors.MalformedObject: Status(0xC000, "not a readable dataset", "nothing was kept"),
    errors.InvalidUid: Status(0xC120, "a UID is empty, too long or not printable", "nothing was kept"),
    errors.RefusedObject: Status(0xC001, "refused", "nothing was kept"),
    NotAllowed: Status(0x0124, "this peer may not do that", "`fileroom peer add` gives the right"),
    UnsupportedService: Status(0x0122, "not on this presentation context", "the request does not fit its context"),
}

QUERY: dict[type[errors.FileroomError], Status] = {
    UnknownDestination: Status(0xA801, "unknown move destination", "C-MOVE: `fileroom peer add` makes it known"),
    errors.BadRequest: Status(0xA900, "the identifier is not one for this service", "level, keys or value malformed"),
    errors.RefusedObject: Status(0xA900, "the identifier is not readable", "the identifier's bytes are malformed"),
    errors.NotFound: Status(0x0000, "", "C-GET, C-MOVE: nothing matches, so there is nothing to send"),
    errors.Busy: Status(0xA700, "busy, ask again later", "a bound on memory or workers is reached"),
    errors.DatabaseUnavailable: Status(0xA700, "the index is not available", "ask again later"),
    errors.PeerUnavailable: Status(0xA702, "the move destination does not answer", "C-MOVE: no object was delivered"),
    NotAllowed: Status(0x0124, "this peer may not do that", "`fileroom peer add` gives the right"),
    UnsupportedService: Status(0x0122, "not on this presentation context", "the request does not fit its context"),
}


def store_status(what: Outcome | errors.FileroomError) -> Status:
    """The status of one C-STORE. A status other than Success always comes with a comment."""
    if isinstance(what, Outcome):
        return STORE[what]
    for kind in type(what).__mro__:
        found = STORE.get(kind)
        if found is not None:
            return found
    return BROKEN


def query_status(error: errors.FileroomError) -> Status:
    """The final status of a C-FIND, C-GET or C-MOVE that could not go on."""
    for kind in type(error).__mro__:
        found = QUERY.get(kind)
        if found is not None:
            return found
    return BROKEN
