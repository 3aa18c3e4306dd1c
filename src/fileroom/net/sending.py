"""Datasets on their way out: cut into P-DATA-TF PDUs of the length the peer takes (PS3.8 9.3.5, E).

Large PDUs go out as a header and `sendfile`; small ones (dcmtk announces 16 KiB by default) are read between headers
that are laid out beforehand and sent many at a time, because a system call each would cost more than the copy.
"""

from __future__ import annotations

import os
from typing import Protocol

from fileroom.net.pdu import COMMAND, DATA_HEADER, LAST, PduType
from fileroom.net.wire import Wire

PDU_BYTES_SENT_MAX = 256 * 1024  # what we send at most, whatever the peer announces
PDU_BYTES_MIN = 128  # a peer that takes less is not spoken to
OVERHEAD = 6  # of one fragment inside its PDU: length, context, message control header
_HEADER_BYTES = 12
_SENDFILE_MIN = 48 * 1024  # fragments from this size go by sendfile
_BATCH_BYTES = 512 * 1024  # what is read and sent at once of smaller ones


class FileSlice(Protocol):
    """A range of an open file. `fileroom.archive.retrieve.FileRange` is one."""

    @property
    def fd(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...


Payload = bytes | bytearray | memoryview | FileSlice


def fragment_bytes(peer_pdu_bytes_max: int) -> int:
    """The longest fragment to put into one PDU for a peer that takes this PDU length (0: any)."""
    longest = min(peer_pdu_bytes_max or PDU_BYTES_SENT_MAX, PDU_BYTES_SENT_MAX)
    return longest - OVERHEAD


def pdus(data: bytes | memoryview, context_id: int, fragment: int, kind: int) -> bytes:
    """`data` as complete PDUs. `kind`: COMMAND, or 0 for a dataset."""
    size = len(data)
    if size <= fragment:
        return DATA_HEADER.pack(PduType.DATA, size + OVERHEAD, size + 2, context_id, kind | LAST) + data
    parts: list[bytes | memoryview] = []
    view = memoryview(data)
    for at in range(0, size, fragment):
        piece = view[at : at + fragment]
        last = LAST if at + fragment >= size else 0
        parts += (DATA_HEADER.pack(PduType.DATA, len(piece) + OVERHEAD, len(piece) + 2, context_id, kind | last), piece)
    return b"".join(parts)


def send_message(wire: Wire, context_id: int, fragment: int, command: bytes, payload: Payload | None) -> None:
    """Send one DIMSE message: the command set, then the dataset if there is one.

    Raises AssociationEnded when the peer is gone, OSError when the file cannot be read: then part of the message is
    on the wire and the association is good for nothing but an abort.
    """
    head = pdus(command, context_id, fragment, COMMAND)
    if payload is None:
        wire.send(head)
    elif isinstance(payload, bytes | bytearray | memoryview):
        wire.send(head + pdus(memoryview(payload), context_id, fragment, 0))
    elif payload.length <= fragment and payload.length < _SENDFILE_MIN:
        wire.send(head + pdus(_read(payload), context_id, fragment, 0))
    elif fragment >= _SENDFILE_MIN:
        _send_large(wire, context_id, fragment, head, payload)
    else:
        _send_small(wire, context_id, fragment, head, payload)


def _read(payload: FileSlice) -> bytes:
    data = os.pread(payload.fd, payload.length, payload.offset)
    if len(data) != payload.length:
        raise OSError("a file ended before its recorded length")
    return data


def _send_large(wire: Wire, context_id: int, fragment: int, head: bytes, payload: FileSlice) -> None:
    at, end = payload.offset, payload.offset + payload.length
    while at < end:
        size = min(fragment, end - at)
        last = LAST if at + size == end else 0
        wire.send(head + DATA_HEADER.pack(PduType.DATA, size + OVERHEAD, size + 2, context_id, last), more=True)
        wire.send_file(payload.fd, at, size)
        at += size
        head = b""


def _send_small(wire: Wire, context_id: int, fragment: int, head: bytes, payload: FileSlice) -> None:
    at, end = payload.offset, payload.offset + payload.length
    count = max(1, _BATCH_BYTES // (fragment + _HEADER_BYTES))
    header = DATA_HEADER.pack(PduType.DATA, fragment + OVERHEAD, fragment + 2, context_id, 0)
    buffer = memoryview(bytearray((header + bytes(fragment)) * min(count, -(-payload.length // fragment))))
    stride = fragment + _HEADER_BYTES
    places = [buffer[i + _HEADER_BYTES : i + stride] for i in range(0, len(buffer), stride)]
    wire.send(head, more=True)
    while at < end:
        size = min(end - at, len(places) * fragment)
        got = os.preadv(payload.fd, places, at)
        if got < size:
            raise OSError("a file ended before its recorded length")
        at += size
        full, rest = divmod(size, fragment)
        used = full * stride + (rest + _HEADER_BYTES if rest else 0)
        if at == end:
            tail = rest or fragment
            where = used - tail - _HEADER_BYTES
            DATA_HEADER.pack_into(buffer, where, PduType.DATA, tail + OVERHEAD, tail + 2, context_id, LAST)
        wire.send(buffer[:used], more=at < end)
