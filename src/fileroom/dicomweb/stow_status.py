"""The one table of failure and warning reasons in STOW-RS answers (PS3.18 10.5.3, I.2). The docs print it.

The numbers are those of C-STORE (`fileroom.dimse.status`), so that both doors say the same of the same object.
"""

from __future__ import annotations

from dataclasses import dataclass

from fileroom import errors
from fileroom.archive.receive import Outcome


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an object is not in the study it was sent to."""

    code: int  # Failure Reason (0008,1197)
    meaning: str  # for the docs: what happened, and what became of the object


FAILURES: dict[Outcome | type[errors.FileroomError], Reason] = {
    Outcome.CONFLICT: Reason(0x0111, "same SOP Instance UID, other content: kept apart for a person"),
    Outcome.HELD: Reason(0xC110, "its study is another patient's or site's: kept apart for a person"),
    errors.StorageFull: Reason(0xA700, "disk full or read-only: nothing was kept, send again later"),
    errors.Busy: Reason(0xA701, "a bound on memory or workers is reached: nothing was kept, send again later"),
    errors.DatabaseUnavailable: Reason(0xA702, "the index is not available: nothing was acknowledged, send again"),
    errors.ObjectTooLarge: Reason(0xA703, "larger than the stated bound: nothing was kept"),
    errors.WrongStudy: Reason(0xA901, "of another study than the one it was sent to: nothing was kept"),
    errors.MalformedObject: Reason(0xC000, "not a readable DICOM file: nothing was kept"),
    errors.BadRequest: Reason(0xC000, "the body ended or broke in this part: nothing of it was kept"),
    errors.UnsupportedMedia: Reason(0xC002, "a part that is not application/dicom: nothing was kept"),
    errors.InvalidUid: Reason(0xC120, "a UID is empty, too long or not printable: nothing was kept"),
    errors.RefusedObject: Reason(0xC001, "refused: nothing was kept"),
    errors.FileroomError: Reason(0x0110, "an error on our side: logged, nothing was acknowledged"),
}

# Warning Reason (0008,1196) of an object that was kept as it came, with something odd about it, e.g. a UID that is
# not a valid one: "data set does not match SOP class" is the nearest the standard has.
ODD = 0xB007


def failure(error: errors.FileroomError) -> Reason:
    """Why an object with this error is not stored."""
    return next(FAILURES[kind] for kind in type(error).__mro__ if kind in FAILURES)


def not_stored(outcome: Outcome) -> Reason | None:
    """Why an object with this outcome is not in its study; None when it is (the same bytes again are a success)."""
    return FAILURES.get(outcome)
