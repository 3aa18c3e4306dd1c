"""Bytes off a blocking socket with few system calls, and onto it without copying."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from benches.clients.failure import ClientFailed

Bytes = bytes | memoryview


class Stream:
    """Reads ahead into one buffer that is used again and again."""

    def __init__(self, connection: socket.socket, size: int = 1 << 20) -> None:
        self._socket = connection
        self._buffer = memoryview(bytearray(size))
        self._start = self._end = 0  # what of the buffer is read but not used

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, at most the buffer's. Raises ClientFailed when the connection ends."""
        while self._end - self._start < size:
            self._fill()
        data = bytes(self._buffer[self._start : self._start + size])
        self._start += size
        return data

    def line(self) -> str:
        """Up to the next CR LF, which is left out."""
        while True:
            waiting = bytes(self._buffer[self._start : self._end])
            place = waiting.find(b"\r\n")
            if place >= 0:
                self._start += place + 2
                return waiting[:place].decode("latin-1")
            self._fill()

    def skip(self, size: int, kept: list[bytes] | None = None) -> None:
        """Throws `size` bytes away, or puts them into `kept`."""
        while size:
            if self._start == self._end:
                self._start = self._end = 0
                self._fill()
            taken = min(size, self._end - self._start)
            if kept is not None:
                kept.append(bytes(self._buffer[self._start : self._start + taken]))
            self._start += taken
            size -= taken

    def rest(self, kept: list[bytes] | None = None) -> int:
        """Everything until the other end closes; how many bytes that was."""
        total = 0
        while True:
            total += self._end - self._start
            if kept is not None:
                kept.append(bytes(self._buffer[self._start : self._end]))
            self._start, self._end = 0, self._socket.recv_into(self._buffer)
            if not self._end:
                return total

    def _fill(self) -> None:
        if self._start:
            waiting = bytes(self._buffer[self._start : self._end])
            self._buffer[: len(waiting)] = waiting
            self._start, self._end = 0, len(waiting)
        got = self._socket.recv_into(self._buffer[self._end :])
        if not got:
            raise ClientFailed("the server closed the connection")
        self._end += got


def send_all(connection: socket.socket, pieces: Sequence[Bytes]) -> None:
    """Every piece in order, by as few calls as the kernel takes."""
    for start in range(0, len(pieces), 512):  # IOV_MAX is 1024
        views = [memoryview(piece) for piece in pieces[start : start + 512]]
        sent = connection.sendmsg(views)
        while views:
            if sent >= len(views[0]):
                sent -= len(views.pop(0))
                continue
            views[0] = views[0][sent:]
            sent = connection.sendmsg(views)
