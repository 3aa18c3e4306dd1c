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
_GAPS_MAX = 512  # the kernel takes 1024 places in one read
_SENDFILE_MIN = 48 * 1024  # fragments from this size go by sendfile
_BATCH_BYTES = 256 * 1024  # what is read and sent at once of smaller ones; in a buffer that is kept


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


class Sender:
    """Sends the messages of one association. Owned by its thread."""

    def __init__(self, wire: Wire, fragment: int) -> None:
        self._wire = wire
        self._fragment = fragment  # longest, in bytes
        self._laid_out: _Layout | None = None

    def send(self, context_id: int, command: bytes, payload: Payload | None) -> None:
        """Send one DIMSE message: the command set, then the dataset if there is one.

        Raises AssociationEnded when the peer is gone, OSError when the file cannot be read: then part of the message
        may be on the wire and the association is good for nothing but an abort.
        """
        head = pdus(command, context_id, self._fragment, COMMAND)
        if payload is None:
            self._wire.send(head)
        elif isinstance(payload, bytes | bytearray | memoryview):
            self._wire.send(head + pdus(memoryview(payload), context_id, self._fragment, 0))
        elif payload.length <= self._fragment and payload.length < _SENDFILE_MIN:
            self._wire.send(head + pdus(_read(payload), context_id, self._fragment, 0))
        elif self._fragment >= _SENDFILE_MIN:
            self._send_large(context_id, head, payload)
        else:
            self._send_small(context_id, head, payload)

    def _send_large(self, context_id: int, head: bytes, payload: FileSlice) -> None:
        at, end = payload.offset, payload.offset + payload.length
        while at < end:
            size = min(self._fragment, end - at)
            last = LAST if at + size == end else 0
            header = DATA_HEADER.pack(PduType.DATA, size + OVERHEAD, size + 2, context_id, last)
            self._wire.send(head + header, more=True)
            self._wire.send_file(payload.fd, at, size)
            at += size
            head = b""

    def _send_small(self, context_id: int, head: bytes, payload: FileSlice) -> None:
        layout = self._laid_out
        if layout is None or layout.context_id != context_id:
            layout = self._laid_out = _Layout(context_id, self._fragment)
        at, end = payload.offset, payload.offset + payload.length
        self._wire.send(head, more=True)
        while at < end:
            size = min(end - at, layout.capacity)
            filled = layout.fill(payload.fd, at, size, last=at + size == end)
            at += size
            self._wire.send(filled, more=at < end)


class _Layout:
    """A buffer with the headers of full fragments in it, and gaps between them to read a file into."""

    def __init__(self, context_id: int, fragment: int) -> None:
        count = min(_GAPS_MAX, max(1, _BATCH_BYTES // (fragment + _HEADER_BYTES)))
        self.context_id = context_id
        self.capacity = count * fragment  # dataset bytes it holds
        self._fragment = fragment
        self._stride = fragment + _HEADER_BYTES
        self._buffer = memoryview(bytearray(count * self._stride))
        self._gaps = [
            self._buffer[i + _HEADER_BYTES : i + self._stride] for i in range(0, len(self._buffer), self._stride)
        ]
        for place in range(count):
            self._head(place, fragment, 0)
        self._spoilt: int | None = None  # the place whose header is that of a last or short fragment

    def fill(self, fd: int, offset: int, size: int, last: bool) -> memoryview:
        """Complete PDUs of `size` bytes of the file: valid until the next call. Raises OSError when it is short."""
        full, rest = divmod(size, self._fragment)
        if self._spoilt is not None:
            self._head(self._spoilt, self._fragment, 0)
            self._spoilt = None
        gaps = [*self._gaps[:full], self._gaps[full][:rest]] if rest else self._gaps[:full]
        if os.preadv(fd, gaps, offset) != size:
            raise OSError("a file ended before its recorded length")
        if last:
            self._spoilt = full if rest else full - 1
            self._head(self._spoilt, rest or self._fragment, LAST)
        return self._buffer[: full * self._stride + (rest + _HEADER_BYTES if rest else 0)]

    def _head(self, place: int, size: int, flags: int) -> None:
        at = place * self._stride
        DATA_HEADER.pack_into(self._buffer, at, PduType.DATA, size + OVERHEAD, size + 2, self.context_id, flags)


def _read(payload: FileSlice) -> bytes:
    data = os.pread(payload.fd, payload.length, payload.offset)
    if len(data) != payload.length:
        raise OSError("a file ended before its recorded length")
    return data
