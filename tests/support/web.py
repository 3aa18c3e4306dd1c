"""A web server to talk to, and a client that says exactly the bytes it is told: no library tidies them up."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from fileroom.ops.logs import TextLines
from fileroom.web.http import Handler
from fileroom.web.limits import Limits
from fileroom.web.server import WebServer

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def serving(app: Handler, limits: Limits | None = None) -> Iterator[WebServer]:
    """A server on a free port, stopped at the end."""
    server = WebServer(("127.0.0.1", 0), app, limits)
    server.start()
    try:
        yield server
    finally:
        server.stop(drain_seconds=1.0)


@dataclass
class Answer:
    """One response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawClient:
    """One connection. Every read gives up after `timeout_seconds`."""

    def __init__(self, server: WebServer, *, timeout_seconds: float = 10.0, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout_seconds)
        self.sock.connect(server.address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, data: bytes = GET, *, head: bool = False) -> Answer:
        self.send(data)
        return self.answer(head=head)

    def answer(self, *, head: bool = False) -> Answer:
        """The next response. `head`: it answers a HEAD, so no body follows."""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        status = int(lines[0].split(" ")[1])
        if head or status in (100, 204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, b"".join(self._chunks()))
        if "content-length" in headers:
            return Answer(status, headers, self.exactly(int(headers["content-length"])))
        return Answer(status, headers, self.rest())

    def until(self, mark: bytes) -> bytes:
        while mark not in self._left:
            self._left += self._receive()
        end = self._left.index(mark) + len(mark)
        data, self._left = self._left[:end], self._left[end:]
        return data

    def exactly(self, size: int) -> bytes:
        pieces, total = [self._left], len(self._left)
        while total < size:
            pieces.append(self._receive())
            total += len(pieces[-1])
        data = b"".join(pieces)
        self._left = data[size:]
        return data[:size]

    def rest(self) -> bytes:
        """Everything until the server closes."""
        data, self._left = self._left, b""
        while piece := self.sock.recv(1 << 20):
            data += piece
        return data

    def is_closed(self) -> bool:
        """Whether the server ends the connection without another byte."""
        if self._left:
            return False
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True

    def _receive(self) -> bytes:
        data = self.sock.recv(1 << 20)
        if not data:
            raise EOFError("the server closed")
        return data

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.until(b"\r\n"), 16):
            yield self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        assert self.exactly(2) == b"\r\n"


def log_text(caplog: pytest.LogCaptureFixture) -> str:
    """What the log would show, a line a record."""
    return "\n".join(TextLines().format(record) for record in caplog.records)
