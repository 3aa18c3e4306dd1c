"""Responses onto the wire: framing, few packets, files without a copy."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from http import HTTPStatus

from fileroom.web.http import Part, Response, Sendable
from fileroom.web.wire import Wire

_GATHER_BYTES = 262144  # of a response of known length, held back to go out together
_CHUNK_BYTES = 16384  # of a chunked response
_CHUNK_SECONDS = 0.1  # a chunked response's parts wait no longer than this for the next
_SMALL_FILE_BYTES = 16384  # below this a file range is read and joined to its neighbours
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "date", "server", "x-content-type-options"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE_BAD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Writer:
    """Writes one response. `begun` says whether any of it may have left: before that, another can be sent instead."""

    __slots__ = ("_http10", "_no_body", "_pending", "_pending_bytes", "_wire", "begun", "keep_alive", "status")

    def __init__(self, wire: Wire, *, method: str, http10: bool, keep_alive: bool) -> None:
        self._wire = wire
        self._no_body = method == "HEAD"
        self._http10 = http10
        self._pending: list[bytes | memoryview] = []
        self._pending_bytes = 0
        self.keep_alive = keep_alive  # also: whether the connection is still in step afterwards
        self.begun = False
        self.status = 0

    def write(self, response: Response) -> None:
        """Send all of it. Raises ConnectionLost, Stalled, and whatever the response's own iterable raises."""
        self._pending.clear()
        self._pending_bytes = 0
        parts = response.parts
        try:
            if isinstance(parts, list | tuple):
                self._write_known(response, parts)
            elif response.size_bytes is not None:
                self._write_announced(response, parts, response.size_bytes)
            else:
                self._write_chunked(response, parts)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    def _write_known(self, response: Response, parts: Sequence[Part]) -> None:
        status = response.status
        if status in (204, 304):
            framing, parts = "", ()
        else:
            framing = f"content-length: {sum(map(_size, parts))}\r\n"
            if self._no_body:
                parts = ()
        self._hold(self._head(response, framing))
        if parts:
            self._write_parts(parts)
        self._flush()

    def _write_parts(self, parts: Sequence[Part]) -> None:
        last = len(parts) - 1
        for index, part in enumerate(parts):
            if isinstance(part, bytes | memoryview):
                self._hold(part)
                if self._pending_bytes >= _GATHER_BYTES:
                    self._flush(more=index < last)
            else:
                self._write_file(part)

    def _write_announced(self, response: Response, parts: Iterable[Part], size_bytes: int) -> None:
        """Parts made while they are sent. Raises ValueError, some of them sent, when their sum is another one."""
        self._hold(self._head(response, f"content-length: {size_bytes}\r\n"))
        self._flush()  # the next part may take a while
        if self._no_body:
            return
        left, flushed = size_bytes, time.monotonic()
        for part in parts:
            left -= _size(part)
            if left < 0:
                break
            if isinstance(part, bytes | memoryview):
                self._hold(part)
            else:
                self._write_file(part)
            now = time.monotonic()
            if self._pending_bytes >= _GATHER_BYTES or now - flushed > _CHUNK_SECONDS:
                self._flush()
                flushed = now
        self._flush()
        if left:
            raise ValueError("a response of another size than announced")

    def _write_file(self, part: Sendable) -> None:
        if part.length <= _SMALL_FILE_BYTES:
            data = os.pread(part.fd, part.length, part.offset)
            if len(data) == part.length:
                self._hold(data)
                return
        self._flush(more=True)
        self._wire.send_file(part.fd, part.offset, part.length)

    def _write_chunked(self, response: Response, parts: Iterable[Part]) -> None:
        if response.status in (204, 304) or self._no_body:
            framing = "" if response.status in (204, 304) or self._http10 else "transfer-encoding: chunked\r\n"
            self._hold(self._head(response, framing))
            self._flush()
            return
        if self._http10:
            self.keep_alive = False  # the end of the connection is the end of the body
            self._hold(self._head(response, ""))
        else:
            self._hold(self._head(response, "transfer-encoding: chunked\r\n"))
        flushed = time.monotonic()
        for part in parts:
            self._hold_chunk(part)
            now = time.monotonic()
            if self._pending_bytes >= _CHUNK_BYTES or now - flushed > _CHUNK_SECONDS or not _size(part):
                self._flush()
                flushed = now
        if not self._http10:
            self._hold(b"0\r\n\r\n")
        self._flush()

    def _hold_chunk(self, part: Part) -> None:
        size = _size(part)
        if not size:
            return
        if not self._http10:
            self._hold(b"%x\r\n" % size)
        if isinstance(part, bytes | memoryview):
            self._hold(part)
        else:
            self._write_file(part)
        if not self._http10:
            self._hold(b"\r\n")

    def _hold(self, data: bytes | memoryview) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)

    def _flush(self, more: bool = False) -> None:
        if self._pending_bytes:
            self.begun = True
            self._wire.send(self._pending, more)
            self._pending.clear()
            self._pending_bytes = 0

    def _head(self, response: Response, framing: str) -> bytes:
        """Raises ValueError for a header that would break the framing: a fault of ours, never sent."""
        self.status = status = response.status
        lines = [_status_line(status), _standing_headers()]
        for name, value in response.headers:
            if name in _OURS or _NAME.fullmatch(name) is None or _VALUE_BAD.search(value):
                raise ValueError(f"response header {name!r} is not one a handler may set, or its value is not sendable")
            lines.append(f"{name}: {value}\r\n")
        lines.append(framing)
        if not self.keep_alive:
            lines.append("connection: close\r\n\r\n")
        elif self._http10:
            lines.append("connection: keep-alive\r\n\r\n")
        else:
            lines.append("\r\n")
        return "".join(lines).encode("latin-1")


def _size(part: Part) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part) if isinstance(part, bytes) else part.length


def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {_REASONS.get(status, '')}\r\n"


class _Clock:
    """The headers that every response carries, made once a second."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = (0, "")

    def headers(self) -> str:
        now = int(time.time())
        second, text = self._made
        if second != now:
            text = (
                f"date: {formatdate(now, usegmt=True)}\r\nserver: fileroom\r\n"
                "x-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\n"
            )
            self._made = (now, text)  # one assignment: threads may race here without harm
        return text


_standing_headers = _Clock().headers
