"""One TCP connection as the Upper Layer uses it: buffered reads, reads straight into a given place, bounded waits.

The socket blocks in the kernel with a receive and a send timeout (`Limits.tick_seconds`), so that a wait costs no
`poll` call and one `recv` with MSG_WAITALL takes a whole fragment without waking Python for each segment. At every
tick the thread looks at its deadline.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time

from fileroom.net.failure import ConnectionLost, PeerTooSlow
from fileroom.net.limits import Limits

BUFFER_BYTES = 16 * 1024  # for headers, commands and small fragments; large ones go straight to their place
PIECE_BYTES = 1 << 20  # the peer has `write_seconds` for each of these
_TAKE_BYTES = 64 * 1024  # what is allocated at most before the peer has sent it


class Wire:
    """A connected socket, owned by one thread. Every method raises an `AssociationEnded` when the peer is gone.

    `wake` and `cut` may be called by any other thread.
    """

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self._socket = connection
        self._limits = limits
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0
        self._deadline = 0.0
        self._waits_for = "a message"
        self.bytes_in = 0
        self.bytes_out = 0
        connection.settimeout(None)
        tick = struct.pack("ll", int(limits.tick_seconds), int(limits.tick_seconds % 1 * 1_000_000))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, tick)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, tick)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._tcp = connection.family != socket.AF_UNIX
        self._halfway = False  # something came since we last sent: the peer may wait for its acknowledgement to go on

    # Waiting

    def expect(self, seconds: float, what: str) -> None:
        """Bound every wait from here to the next `expect`: past it, PeerTooSlow says `what` did not come."""
        self._deadline = time.monotonic() + seconds
        self._waits_for = what

    def _check(self) -> None:
        if time.monotonic() > self._deadline:
            raise PeerTooSlow(f"{self._waits_for} did not come in time")

    def _receive(self, view: memoryview, flags: int = 0) -> int:
        """At least one byte into `view`.

        In the middle of a message TCP_QUICKACK is armed first: the kernel drops it each time we answer, and a sender
        without TCP_NODELAY would then wait 40 ms for the acknowledgement of every object. What comes whole is
        acknowledged by our answer.
        """
        if self._halfway and self._tcp:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        while True:
            try:
                got = self._socket.recv_into(view, 0, flags)
            except BlockingIOError:
                self._check()
                continue
            except OSError as error:
                raise ConnectionLost(f"the connection broke: {error.strerror}") from error
            if not got:
                raise ConnectionLost("the peer closed the connection")
            self.bytes_in += got
            self._halfway = True
            return got

    def readable(self) -> bool:
        """Whether something of the peer's is here already. Never waits."""
        if self._end > self._start:
            return True
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(0))

    # Reading

    @property
    def buffered(self) -> int:
        """Bytes received and not yet taken."""
        return self._end - self._start

    def need(self, count: int) -> int:
        """Wait until `count` (at most BUFFER_BYTES) bytes are buffered; the position in the buffer for `unpack`."""
        missing = count - (self._end - self._start)
        if missing > 0:
            if self._start == self._end:
                self._start = self._end = 0
            elif self._start + count > BUFFER_BYTES:
                kept = bytes(self._view[self._start : self._end])
                self._view[: len(kept)] = kept
                self._start, self._end = 0, len(kept)
            while missing > 0:
                got = self._receive(self._view[self._end :])
                self._end += got
                missing -= got
                if missing > 0:
                    self._check()
        return self._start

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next fields of a header."""
        at = self.need(layout.size)
        self._start = at + layout.size
        return layout.unpack_from(self._buffer, at)

    def peek(self, count: int) -> memoryview:
        """The next `count` bytes, which must be buffered: valid until the next read."""
        return self._view[self._start : self._start + count]

    def skip(self, count: int) -> None:
        """Step over `count` buffered bytes."""
        self._start += count

    def take(self, count: int) -> bytes:
        """The next `count` bytes. Memory grows as they come, not as they were announced."""
        if count <= BUFFER_BYTES:
            at = self.need(count)
            self._start = at + count
            return bytes(self._view[at : at + count])
        taken = bytearray()
        while len(taken) < count:
            piece = bytearray(min(_TAKE_BYTES, count - len(taken)))
            self.read_into(memoryview(piece))
            taken += piece
        return bytes(taken)

    def read_into(self, view: memoryview) -> None:
        """Fill `view`: what is buffered is copied, the rest received straight into it."""
        size = len(view)
        have = self._end - self._start
        if have:
            have = min(have, size)
            view[:have] = self._view[self._start : self._start + have]
            self._start += have
        while have < size:
            have += self._receive(view[have:] if have else view, socket.MSG_WAITALL)
            if have < size:
                self._check()

    # Writing

    def send(self, data: bytes | bytearray | memoryview, more: bool = False) -> None:
        """Send everything. `more`: something follows at once, so that the kernel may wait to fill a segment."""
        flags = socket.MSG_MORE if more else 0
        size = len(data)
        self._halfway = False
        if size <= PIECE_BYTES:
            try:
                sent = self._socket.send(data, flags)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise ConnectionLost(f"the connection broke: {error.strerror}") from error
            self.bytes_out += sent
            if sent == size:
                return
        else:
            sent = 0
        self._send_rest(memoryview(data)[sent:], flags)

    def _send_rest(self, view: memoryview, flags: int) -> None:
        while len(view):
            piece = view[:PIECE_BYTES]
            view = view[PIECE_BYTES:]
            until = time.monotonic() + self._limits.write_seconds
            while len(piece):
                try:
                    sent = self._socket.send(piece, flags)
                except BlockingIOError:
                    sent = 0
                except OSError as error:
                    raise ConnectionLost(f"the connection broke: {error.strerror}") from error
                piece = piece[sent:]
                self.bytes_out += sent
                _check_write(len(piece), until)

    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Send a range of an open file without copying it through Python. Raises OSError when the file is short."""
        out = self._socket.fileno()
        while count > PIECE_BYTES:
            self._send_file_piece(out, fd, offset, PIECE_BYTES)
            offset += PIECE_BYTES
            count -= PIECE_BYTES
        self._send_file_piece(out, fd, offset, count)

    def _send_file_piece(self, out: int, fd: int, offset: int, count: int) -> None:
        until = time.monotonic() + self._limits.write_seconds
        while count:
            try:
                sent = os.sendfile(out, fd, offset, count)
            except BlockingIOError:
                _check_write(count, until)
                continue
            except (ConnectionError, TimeoutError) as error:
                raise ConnectionLost(f"the connection broke: {error.strerror}") from error
            if not sent:
                raise OSError("a file ended before its recorded length")
            offset += sent
            count -= sent
            self.bytes_out += sent
            _check_write(count, until)

    # Ending

    def finish(self, last_words: bytes, seconds: float) -> None:
        """Send `last_words`, then wait at most `seconds` for the peer to close, so that it gets to read them.

        What it still sends meanwhile is thrown away, at most 64 MiB of it. Then the connection is closed.
        """
        with contextlib.suppress(OSError, ConnectionLost, PeerTooSlow):
            if last_words:
                self._socket.send(last_words, socket.MSG_DONTWAIT)
            self._socket.shutdown(socket.SHUT_WR)
            self.expect(seconds, "the peer's close")
            self._socket.settimeout(min(seconds, self._limits.tick_seconds))
            scrap = memoryview(bytearray(_TAKE_BYTES))
            for _ in range(1024):
                if not self._socket.recv_into(scrap):
                    break
                self._check()
        self.close()

    def wake(self) -> None:
        """Called by another thread: whoever waits for the peer here is told at once that the connection is over."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def cut(self) -> None:
        """Called by another thread: whoever reads or writes here is told at once that the connection is over."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._socket.close()


def _check_write(left: int, until: float) -> None:
    if left and time.monotonic() > until:
        raise PeerTooSlow("the peer does not read what it is sent")
