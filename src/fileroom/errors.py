"""The one error root. Each error says what happened and, where a person can act, what to do.

Doors translate these through one table each (`fileroom.dimse.status`, `fileroom.web.http`); foreign errors
(sqlite, psycopg, OSError) are wrapped once, where they enter.
"""

from __future__ import annotations


class FileroomError(Exception):
    """Root of every error Fileroom raises on purpose.

    `str(error)` never holds a patient identifier, so it may be logged and sent to a peer.
    `hint` says what a person can do about it, and may be empty.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BadSetting(FileroomError):
    """A setting, or a combination of settings, that Fileroom will not start with."""


class BadRequest(FileroomError):
    """The question itself is malformed (HTTP 400, DIMSE A900/C000)."""


class Forbidden(FileroomError):
    """Understood, and refused: this asker may not have it, or not by this way (HTTP 403)."""


class NotFound(FileroomError):
    """What was asked for is not in the archive, or is hidden."""


class Superseded(FileroomError):
    """What was to be changed is no longer as the asker saw it: somebody else was faster (HTTP 409)."""


class NotAcceptable(FileroomError):
    """The answer exists, but not in any form the asker accepts (HTTP 406)."""


class UnsupportedMedia(FileroomError):
    """The request's media type is not one this resource takes (HTTP 415)."""


class TooLarge(FileroomError):
    """A stated bound on size was passed (HTTP 413)."""


class RefusedObject(FileroomError):
    """An object that is not kept, because it cannot be: nothing of it stays."""


class InvalidUid(RefusedObject):
    """A UID over 64 characters, empty where one is required, or outside printable ASCII."""


class MalformedObject(RefusedObject):
    """Bytes that are not a readable DICOM object: truncated, lying lengths, too deep, not DICOM at all."""


class SopMismatch(RefusedObject):
    """A dataset of another SOP class or instance than the one its sender announced (PS3.4 B.2.3)."""


class WrongStudy(RefusedObject):
    """An object of another study than the one it was sent to (PS3.18 10.5: STOW-RS to a study)."""

    def __init__(self, sop_class_uid: str, sop_uid: str) -> None:
        super().__init__("the object belongs to another study than the one it was sent to")
        self.sop_class_uid = sop_class_uid
        self.sop_uid = sop_uid


class ObjectTooLarge(RefusedObject):
    """An object over the stated size bound."""


class StorageFull(FileroomError):
    """No room left, or the disk is read-only: nothing was acknowledged, nothing is half kept."""


class Busy(FileroomError):
    """A stated bound (memory budget, connections, workers) is reached for now; trying again later may work."""


class DamagedPack(FileroomError):
    """A pack's bytes do not agree with what was recorded when they were acknowledged. An alarm, never a cut."""


class DamagedLedger(FileroomError):
    """The ledger does not agree with its own proofs: nothing is signed or added before a person has looked."""


class UndecodableImage(FileroomError):
    """One image's pixels could not be decoded or rendered: costs this one error, never the server."""


class DatabaseUnavailable(FileroomError):
    """The database did not answer."""


class PeerUnavailable(FileroomError):
    """A remote DICOM peer did not answer, refused the association or broke it."""


class InUse(FileroomError):
    """A port, or a home, that another process holds."""
