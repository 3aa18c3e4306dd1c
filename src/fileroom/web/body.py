"""Request bodies, read straight off the connection: of a stated length, chunked, or none.

A body never reads past its own end, so what follows on the connection is the next request and nothing else.
"""

from __future__ import annotations

import re
from typing import Protocol

from fileroom import errors
from fileroom.web.wire import ConnectionLost, Stalled, Wire

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[^\r\n\x00]*)?")
_CHUNK_LINE_BYTES_MAX = 4096
_SMALL_CHUNK_BYTES = 16384
_TRAILER_BYTES_MAX = 16384


class BodyCutShort(errors.BadRequest):
    """The peer closed, or broke the framing, before the end of the body it announced. Ends the connection."""


class WireBody(Protocol):
    """A `fileroom.web.http.Body` that also knows where it stands."""

    @property
    def finished(self) -> bool:
        """All of it has been read: the connection stands at the next request."""
        ...

    @property
    def left(self) -> int:
        """Bytes that are known to be left."""
        ...

    @property
    def awaited(self) -> bool:
        """The peer waits for "100 Continue", and may never send the body without it."""
        ...

    def read(self, size: int = 65536) -> bytes: ...

    def read_into(self, room: memoryview) -> int: ...


class NoBody:
    """The body of a request without one."""

    __slots__ = ()
    finished = True
    left = 0
    awaited = False

    def read(self, size: int = 65536) -> bytes:
        """Always b""."""
        return b""

    def read_into(self, room: memoryview) -> int:
        """Always 0."""
        return 0


NO_BODY = NoBody()


class LengthBody:
    """A body of a stated length (Content-Length)."""

    __slots__ = ("_wire", "awaited", "left")

    def __init__(self, wire: Wire, length: int, awaited: bool) -> None:
        self._wire = wire
        self.left = length
        self.awaited = awaited

    @property
    def finished(self) -> bool:
        """All of it has been read."""
        return self.left == 0

    def read(self, size: int = 65536) -> bytes:
        """At most `size` bytes, b"" at the end. Raises BodyCutShort, Stalled."""
        if not self.left or size <= 0:
            return b""
        if self.awaited:
            self._invite()
        chunk = self._wire.read(min(size, self.left))
        self._took(len(chunk))
        return chunk

    def read_into(self, room: memoryview) -> int:
        """Fill some of `room`; the count of bytes, 0 at the end. Raises like `read`."""
        if not self.left or not len(room):
            return 0
        if self.awaited:
            self._invite()
        count = self._wire.read_into(room[: self.left])
        self._took(count)
        return count

    def _invite(self) -> None:
        self.awaited = False
        if not self._wire.peek():
            self._wire.send([_CONTINUE])

    def _took(self, count: int) -> None:
        if not count:
            raise BodyCutShort("the request body ended before its stated length")
        self.left -= count


class ChunkedBody:
    """A chunked body (RFC 9112 7.1). Extensions and trailers are read over. Raises TooLarge past `bytes_max`."""

    __slots__ = ("_bytes_max", "_first", "_total", "_wire", "awaited", "finished", "left")

    def __init__(self, wire: Wire, bytes_max: int | None, awaited: bool) -> None:
        self._wire = wire
        self._bytes_max = bytes_max
        self.left = 0  # of the current chunk
        self._first = True
        self._total = 0
        self.awaited = awaited
        self.finished = False

    def read(self, size: int = 65536) -> bytes:
        """At most `size` bytes, b"" at the end. Raises BodyCutShort, TooLarge, Stalled."""
        if size <= 0 or not self._open_chunk():
            return b""
        if self.left < _SMALL_CHUNK_BYTES and not self._wire.peek():
            self._wire.more()  # the chunk and the next one's size line in one system call
        chunk = self._wire.read(min(size, self.left))
        self._took(len(chunk))
        return chunk

    def read_into(self, room: memoryview) -> int:
        """Fill some of `room`; the count of bytes, 0 at the end. Raises like `read`."""
        if not len(room) or not self._open_chunk():
            return 0
        count = self._wire.read_into(room[: self.left])
        self._took(count)
        return count

    def _took(self, count: int) -> None:
        if not count:
            raise BodyCutShort("the request body ended inside a chunk")
        self.left -= count

    def _open_chunk(self) -> bool:
        """True when bytes of a chunk are left to read; False at the end of the body."""
        if self.left:
            return True
        if self.finished:
            return False
        if self.awaited:
            self.awaited = False
            if not self._wire.peek():
                self._wire.send([_CONTINUE])
        if not self._first and self._line(2) != b"":
            raise BodyCutShort("a chunk is longer than it says")
        self._first = False
        found = _CHUNK_LINE.fullmatch(self._line(_CHUNK_LINE_BYTES_MAX))
        if found is None:
            raise BodyCutShort("malformed chunk size")
        self.left = int(found[1], 16)
        self._total += self.left
        if self._bytes_max is not None and self._total > self._bytes_max:
            raise errors.TooLarge(f"body over {self._bytes_max} bytes")
        if not self.left:
            self._read_trailers()
            self.finished = True
        return not self.finished

    def _line(self, bytes_max: int) -> bytes:
        """One line without its CRLF; at most `bytes_max` bytes with it. A bare LF is no line end."""
        while True:
            buffer = self._wire.peek()
            end = buffer.find(b"\n", 0, bytes_max)
            if end > 0 and buffer[end - 1] == 13:
                return self._wire.take(end + 1)[:-2]
            if end >= 0 or len(buffer) >= bytes_max:
                raise BodyCutShort("malformed chunk framing")
            if not self._wire.more():
                raise BodyCutShort("the request body ended before its last chunk")

    def _read_trailers(self) -> None:
        left = _TRAILER_BYTES_MAX
        while line := self._line(left):
            left -= len(line) + 2
            if left <= 2:
                raise BodyCutShort("trailers too long")


def drain(body: WireBody, bytes_max: int) -> bool:
    """Read over what the handler left; True when the body's end was reached within `bytes_max`."""
    if body.finished:
        return True
    if body.awaited:
        return False
    try:
        while bytes_max > 0:
            chunk = body.read(min(65536, bytes_max))
            if not chunk:
                return True
            bytes_max -= len(chunk)
    except (errors.BadRequest, errors.TooLarge, ConnectionLost, Stalled):
        return False
    return body.finished
