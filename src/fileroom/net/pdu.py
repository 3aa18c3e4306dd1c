"""The small Protocol Data Units of the DICOM Upper Layer, and the headers of the large one (PS3.8 9.3)."""

from __future__ import annotations

import struct
from enum import IntEnum

from fileroom.net.failure import AbortReason

HEADER = struct.Struct(">BxI")  # PDU type, length of what follows
PDV_HEADER = struct.Struct(">IBB")  # PDV length (counting the two bytes after it), context, message control header
DATA_HEADER = struct.Struct(">BxIIBB")  # a P-DATA-TF with one PDV
HEADER_BYTES = 6
PDV_HEADER_BYTES = 6

COMMAND = 1  # message control header, bit 0 (PS3.8 E.2)
LAST = 2  # bit 1


class PduType(IntEnum):
    """PDU types (PS3.8 table 9-1 and following)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class Rejection(IntEnum):
    """Why an association is rejected: result, source and reason, one byte each (PS3.8 table 9-21)."""

    NO_REASON = 0x010101
    APPLICATION_CONTEXT = 0x010102
    CALLING_AE_TITLE = 0x010103
    CALLED_AE_TITLE = 0x010107
    PROTOCOL_VERSION = 0x010202
    CONGESTION = 0x020301
    LOCAL_LIMIT = 0x020302


REJECTION_TEXT: dict[int, str] = {
    Rejection.NO_REASON: "no reason given",
    Rejection.APPLICATION_CONTEXT: "application context name not supported",
    Rejection.CALLING_AE_TITLE: "calling AE title not recognized",
    Rejection.CALLED_AE_TITLE: "called AE title not recognized",
    Rejection.PROTOCOL_VERSION: "protocol version not supported",
    Rejection.CONGESTION: "temporary congestion",
    Rejection.LOCAL_LIMIT: "local limit exceeded",
}

RELEASE_RQ = HEADER.pack(PduType.RELEASE_RQ, 4) + b"\0\0\0\0"
RELEASE_RP = HEADER.pack(PduType.RELEASE_RP, 4) + b"\0\0\0\0"


def reject(why: Rejection) -> bytes:
    """An A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    return HEADER.pack(PduType.ASSOCIATE_RJ, 4) + b"\0" + int(why).to_bytes(3, "big")


def abort(reason: AbortReason | None = None) -> bytes:
    """An A-ABORT: from the service user without a reason, from the service provider with one (PS3.8 9.3.8)."""
    source, why = (0, 0) if reason is None else (2, int(reason))
    return HEADER.pack(PduType.ABORT, 4) + bytes((0, 0, source, why))


def rejection_text(body: bytes) -> str:
    """What an A-ASSOCIATE-RJ says, in words. `body` is what follows the PDU header; any bytes are taken."""
    code = int.from_bytes(body[1:4], "big")
    kind = "for now" if code >> 16 == 2 else "for good"
    text = REJECTION_TEXT.get(code & 0xFFFF | 0x010000) or REJECTION_TEXT.get(code & 0xFFFF | 0x020000)
    return f"{text or f'source {code >> 8 & 0xFF}, reason {code & 0xFF}'} ({kind})"
