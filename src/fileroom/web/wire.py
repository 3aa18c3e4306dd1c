"""One connection's socket: buffered reading and gathered writing, both with a bound on standing still.

The socket blocks and the kernel keeps the time (SO_RCVTIMEO, SO_SNDTIMEO): one system call a read, where Python's own
socket timeouts take two.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Sequence

from fileroom import errors
from fileroom.web.limits import Limits

READ_BYTES = 262144
_GATHER_MAX = 512  # buffers in one sendmsg; Linux takes 1,024
_JOIN_BYTES_MAX = 65536  # below this, one joined buffer is cheaper than a gathered write
# One sendfile call, so that a slow reader's rate is looked at in between. Inside a call the kernel keeps the time for
# each 64 KB: a call that goes on has moved that much within `stall_seconds`.
_SENDFILE_BYTES = 4194304
_CANNOT_SENDFILE = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSOCK, errno.ESPIPE})


class ConnectionLost(errors.FileroomError):
    """The peer went away: there is nobody to answer."""


class Stalled(errors.FileroomError):
    """The peer keeps the connection open and moves too little over it (HTTP 408)."""


class Wire:
    """A connected socket. Used by one thread, except `shut`, which any thread may call."""

    __slots__ = ("_buffer", "_limits", "_moved", "_receive_seconds", "_waited", "sent_bytes", "sock")

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self.sock = sock
        self.sent_bytes = 0
        self._limits = limits
        self._buffer = b""  # received and not yet taken
        self._receive_seconds = 0.0
        self._waited = 0.0  # seconds inside system calls in this window
        self._moved = 0  # bytes moved in this window
        sock.setblocking(True)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(limits.stall_seconds))

    # -- reading

    def wait(self) -> bool:
        """True when a request's first bytes are in; False when the peer closed or stayed idle too long."""
        if self._buffer:
            return True
        try:
            self._buffer = self._receive(16384, self._limits.idle_seconds)
        except Stalled:
            return False
        return bool(self._buffer)

    def peek(self) -> bytes:
        """What is received and not yet taken."""
        return self._buffer

    def more(self, seconds: float | None = None) -> bool:
        """Receive some more behind `peek()`; False when the peer closed. Raises Stalled after `seconds`."""
        begin = time.monotonic()
        chunk = self._receive(16384, self._limits.stall_seconds if seconds is None else max(seconds, 0.001))
        self._pace(time.monotonic() - begin, len(chunk))
        self._buffer += chunk
        return bool(chunk)

    def take(self, size: int) -> bytes:
        """At most `size` of the bytes already received, perhaps none."""
        buffer = self._buffer
        self._buffer = buffer[size:]
        return buffer[:size]

    def read(self, size: int) -> bytes:
        """At most `size` bytes, received ones first; b"" when the peer closed. Keeps the stated rate."""
        if self._buffer:
            return self.take(size)
        begin = time.monotonic()
        chunk = self._receive(size, self._limits.stall_seconds)
        self._pace(time.monotonic() - begin, len(chunk))
        return chunk

    def read_into(self, room: memoryview) -> int:
        """Like `read`, into `room`; 0 when the peer closed."""
        if self._buffer:
            chunk = self.take(len(room))
            room[: len(chunk)] = chunk
            return len(chunk)
        begin = time.monotonic()
        self._set_receive_seconds(self._limits.stall_seconds)
        try:
            count = self.sock.recv_into(room)
        except OSError as error:
            raise _wrapped(error) from error
        self._pace(time.monotonic() - begin, count)
        return count

    def quick(self) -> None:
        """Acknowledge at once what comes next, so that a sender with Nagle's algorithm does not wait 40 ms."""
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _receive(self, size: int, seconds: float) -> bytes:
        if seconds != self._receive_seconds:
            self._set_receive_seconds(seconds)
        try:
            return self.sock.recv(size)
        except OSError as error:
            raise _wrapped(error) from error

    def _set_receive_seconds(self, seconds: float) -> None:
        if seconds != self._receive_seconds:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))
            self._receive_seconds = seconds

    # -- writing

    def send(self, parts: Sequence[bytes | memoryview], more: bool = False) -> None:
        """Send every part. `more`: something follows at once, so the last packet may wait for it."""
        flags = socket.MSG_MORE if more else 0
        if sum(map(len, parts)) <= _JOIN_BYTES_MAX:
            self._send_all(parts[0] if len(parts) == 1 else b"".join(parts), flags)
            return
        for start in range(0, len(parts), _GATHER_MAX):
            self._send_gathered(parts[start : start + _GATHER_MAX], flags)

    def send_file(self, fd: int, offset: int, length: int) -> None:
        """Send a byte range of an open file without copying it through Python where the socket can.

        Raises DamagedPack when the file ends before the range does: by then part of it has been sent.
        """
        while length > 0:
            begin = time.monotonic()
            try:
                count = os.sendfile(self.sock.fileno(), fd, offset, min(length, _SENDFILE_BYTES))
            except OSError as error:
                if error.errno not in _CANNOT_SENDFILE:
                    raise _wrapped(error) from error
                self._copy_file(fd, offset, length)
                return
            if count == 0:
                raise errors.DamagedPack("a stored file is shorter than its recorded range")
            self._sent(begin, count)
            offset += count
            length -= count

    def _copy_file(self, fd: int, offset: int, length: int) -> None:
        while length > 0:
            chunk = os.pread(fd, min(length, READ_BYTES), offset)
            if not chunk:
                raise errors.DamagedPack("a stored file is shorter than its recorded range")
            self._send_all(chunk, 0)
            offset += len(chunk)
            length -= len(chunk)

    def _send_all(self, data: bytes | memoryview, flags: int) -> None:
        size = len(data)
        done = 0
        while True:
            begin = time.monotonic()
            try:
                count = self.sock.send(memoryview(data)[done:] if done else data, flags)
            except OSError as error:
                raise _wrapped(error) from error
            self._sent(begin, count)
            done += count
            if done >= size:
                return

    def _send_gathered(self, parts: Sequence[bytes | memoryview], flags: int) -> None:
        left = [memoryview(part) for part in parts if len(part)]
        while left:
            begin = time.monotonic()
            try:
                count = self.sock.sendmsg(left, (), flags)
            except OSError as error:
                raise _wrapped(error) from error
            self._sent(begin, count)
            while left and count >= len(left[0]):
                count -= len(left.pop(0))
            if count:
                left[0] = left[0][count:]

    def _sent(self, begin: float, count: int) -> None:
        self.sent_bytes += count
        self._pace(time.monotonic() - begin, count)

    # -- keeping the pace, and the end

    def _pace(self, seconds: float, count: int) -> None:
        """Raise Stalled when a window of waiting moved less than the stated rate."""
        self._waited += seconds
        self._moved += count
        window = self._limits.stall_seconds
        if self._waited >= window:
            if self._moved < self._waited * self._limits.rate_bytes_min:
                raise Stalled(f"fewer than {self._limits.rate_bytes_min} bytes a second over {window:g} seconds")
            self._waited = 0.0
            self._moved = 0

    def linger(self) -> None:
        """After the last answer: let the peer finish sending and read it, for a bounded time and size.

        Closing with unread bytes would reset the connection, and the peer might never see the answer.
        """
        limits = self._limits
        until = time.monotonic() + limits.linger_seconds
        try:
            self.sock.shutdown(socket.SHUT_WR)
            while (left := until - time.monotonic()) > 0:
                if not self._receive(READ_BYTES, max(left, 0.001)):
                    return
        except (OSError, ConnectionLost, Stalled):
            return

    def abort(self) -> None:
        """Have the close reset the connection, so that an answer cut short cannot pass for a whole one."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def shut(self, how: int = socket.SHUT_RDWR) -> None:
        """Wake whoever reads or writes here, from any thread."""
        try:
            self.sock.shutdown(how)
        except OSError:
            return  # it is closed already


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("@ll", whole, int((seconds - whole) * 1e6))


def _wrapped(error: OSError) -> errors.FileroomError:
    if isinstance(error, BlockingIOError):  # the kernel's timeout
        return Stalled("nothing moved for too long")
    return ConnectionLost(f"connection lost: {error.strerror or type(error).__name__}")
