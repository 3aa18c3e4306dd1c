"""How an association ends badly, as errors (PS3.8 7.3, 9.3.8)."""

from __future__ import annotations

from enum import IntEnum

from fileroom.errors import PeerUnavailable


class AssociationEnded(PeerUnavailable):
    """The association is over and was not released in order. Nothing more can be sent on it."""


class ConnectionLost(AssociationEnded):
    """The TCP connection closed or broke without a word."""


class PeerTooSlow(AssociationEnded):
    """The peer passed a stated time bound: idle, in the middle of a PDU, or not reading what it is sent."""


class PeerAborted(AssociationEnded):
    """The peer sent A-ABORT."""


class PeerRefused(AssociationEnded):
    """The peer answered A-ASSOCIATE-RJ, or accepted nothing of what is needed."""

    def __init__(self, message: str, rejection: int = 0) -> None:
        """`rejection`: result, source and reason as `net.pdu.Rejection` has them; 0 when it was no A-ASSOCIATE-RJ."""
        super().__init__(message)
        self.rejection = rejection


class AbortReason(IntEnum):
    """Why the Upper Layer aborts (PS3.8 table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_PARAMETER = 6


class Violation(AssociationEnded):
    """The peer broke the protocol, or a stated bound of ours: answered with A-ABORT."""

    def __init__(self, message: str, reason: AbortReason = AbortReason.INVALID_PARAMETER) -> None:
        super().__init__(message)
        self.reason = reason
