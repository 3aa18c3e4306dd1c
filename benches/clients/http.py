"""HTTP/1.1 on one keep-alive socket: sends premade bytes, reads answers whole and throws their bodies away."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from benches.clients.failure import ClientFailed
from benches.clients.stream import Stream, send_all


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body_bytes: int
    body: bytes  # empty unless asked for


class Connection:
    """One connection to loopback. TCP_NODELAY is set; it is opened anew when the server closes it between requests."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = Stream(self._socket)

    def get(self, path: str, accept: str, *, keep: bool = False) -> Answer:
        """Raises ClientFailed unless the answer is 200 (or 206)."""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n\r\n"
        return self._exchange([head.encode()], keep)

    def post(self, path: str, content_type: str, accept: str, body: Sequence[bytes | memoryview]) -> Answer:
        size = sum(map(len, body))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {size}\r\n\r\n"
        )
        return self._exchange([head.encode(), *body], keep=True)

    def close(self) -> None:
        self._socket.close()

    def _exchange(self, pieces: list[bytes | memoryview], keep: bool) -> Answer:
        send_all(self._socket, pieces)
        status, headers = self._head()
        kept: list[bytes] | None = [] if keep or status >= 300 else None
        size = self._body(headers, kept)
        if headers.get("connection", "").lower() == "close":
            self._socket.close()
            self._open()
        body = b"".join(kept or [])
        if status not in (200, 202, 206):
            raise ClientFailed(f"HTTP {status}: {body[:200].decode(errors='replace')}")
        return Answer(status, size, body)

    def _head(self) -> tuple[int, dict[str, str]]:
        lines = []
        while line := self._stream.line():
            lines.append(line)
        if not lines:
            raise ClientFailed("an answer without a status line")
        split = (line.lower().partition(":") for line in lines[1:])
        headers = {name: value.strip() for name, _, value in split}
        return int(lines[0].split()[1]), headers

    def _body(self, headers: dict[str, str], kept: list[bytes] | None) -> int:
        if headers.get("transfer-encoding") == "chunked":
            total = 0
            while size := int(self._stream.line().split(";")[0], 16):
                self._stream.skip(size, kept)
                self._stream.line()
                total += size
            while self._stream.line():
                pass
            return total
        if "content-length" not in headers and headers.get("connection", "").lower() == "close":
            return self._stream.rest(kept)
        size = int(headers.get("content-length", "0"))
        self._stream.skip(size, kept)
        return size
