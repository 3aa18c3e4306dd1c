"""Our own HTTP/1.1 server: blocking threads, one a connection, bounded in number.

Why our own: large bodies go out by sendfile and come in by plain reads, where an asynchronous server in between costs
five to eight times the processor time.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import threading
import time
from collections import Counter

from fileroom import errors
from fileroom.web.connection import Connection
from fileroom.web.http import ErrorAnswer, Handler, Response, error_response, plain_error
from fileroom.web.limits import Limits
from fileroom.web.wire import ConnectionLost, Stalled, Wire
from fileroom.web.writer import Writer

log = logging.getLogger("fileroom.web")

_REFUSALS_MAX = 8  # connections over the bound that are being told so at once; further ones are just closed
_REFUSAL_LIMITS = Limits(stall_seconds=1.0, linger_seconds=0.5)


class WebServer:
    """Serves `app` on one address until stopped.

    `app` is called from many threads at once, one call a request; it may block. `tell` makes the answer of what it
    raises.
    """

    def __init__(
        self, listen: tuple[str, int], app: Handler, limits: Limits | None = None, tell: ErrorAnswer = plain_error
    ) -> None:
        self._listen = listen
        self._app = app
        self._tell = tell
        self._limits = limits or Limits()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._stopping = False
        self._lock = threading.Condition()
        self._open: dict[Connection, str] = {}  # and each one's peer address; under the lock
        self._per_address: Counter[str] = Counter()
        self._refused = 0  # since the log was told; this and the next: the acceptor's own
        self._refused_told = float("-inf")
        self._refusals = threading.BoundedSemaphore(_REFUSALS_MAX)

    def start(self) -> None:
        """Bind, listen, and return; connections are taken from now on.

        Raises InUse when another process listens there, BadSetting when the address is not this machine's.
        """
        host, port = self._listen
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._listener = socket.create_server((host, port), family=family, backlog=512)
        except OSError as error:
            kind = errors.InUse if error.errno == errno.EADDRINUSE else errors.BadSetting
            raise kind(
                f"cannot listen for the web on {host}:{port}: {os.strerror(error.errno or 0)}",
                hint="is another server running there? `--web HOST:PORT` picks another address",
            ) from error
        self._listen = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name="web-accept", daemon=True)
        self._acceptor.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; once started, the real port when asked for port 0."""
        return self._listen

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    def stop(self, drain_seconds: float = 10.0) -> bool:
        """Take no more connections, end idle ones, let answers under way finish for `drain_seconds`.

        True when all of them did; the rest are cut. Idempotent.
        """
        self._stopping = True
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the acceptor
        if self._acceptor is not None:
            self._acceptor.join()
        deadline = time.monotonic() + drain_seconds
        with self._lock:
            while self._open and (left := deadline - time.monotonic()) > 0:
                for connection in self._open:
                    if not connection.busy:
                        connection.shut(socket.SHUT_RD)
                self._lock.wait(min(left, 0.05))
            cut = list(self._open)
            for connection in cut:
                connection.shut()
            self._lock.wait_for(lambda: not self._open, timeout=2.0)
        return not cut

    def _accept(self) -> None:
        assert self._listener is not None
        with self._listener:
            while not self._stopping:
                try:
                    sock, address = self._listener.accept()
                except OSError as error:
                    if self._stopping:
                        return
                    log.warning("accept failed", extra={"reason": error.strerror})
                    time.sleep(0.05)  # out of file descriptors: let some close
                    continue
                self._take(sock, (address[0], address[1]))

    def _take(self, sock: socket.socket, client: tuple[str, int]) -> None:
        limits = self._limits
        host = client[0]
        try:
            connection = Connection(sock, client, self._app, limits, self._is_stopping, self._tell)
        except OSError:
            sock.close()  # it went away at once
            return
        with self._lock:
            full = len(self._open) >= limits.connections_max
            crowded = self._per_address[host] >= limits.connections_per_address_max
            if (full or crowded) and self._make_way(host if crowded else None):
                full = crowded = False
            if not full and not crowded:
                self._open[connection] = host
                self._per_address[host] += 1
        if full or crowded:
            self._refuse(sock, host, "connections" if full else "connections from this address")
            return
        try:
            threading.Thread(target=self._serve, args=(connection,), name="web", daemon=True).start()
        except RuntimeError:  # no more threads
            self._release(connection)
            sock.close()
            log.warning("no thread for a connection", extra={"client": host})

    def _make_way(self, host: str | None) -> bool:
        """End the connection that is idle longest, of this address or of any; False when none is idle long enough.

        Under the lock. A request that comes in on it at this moment is lost, as with any idle connection that ends.
        """
        before = time.monotonic() - self._limits.spare_seconds
        idle = [
            connection
            for connection, its_host in self._open.items()
            if host in (None, its_host) and not connection.busy and connection.idle_since <= before
        ]
        if not idle:
            return False
        longest = min(idle, key=lambda connection: connection.idle_since)
        self._forget(longest)
        longest.shut(socket.SHUT_RD)
        return True

    def _is_stopping(self) -> bool:
        return self._stopping

    def _serve(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            self._release(connection)

    def _release(self, connection: Connection) -> None:
        with self._lock:
            self._forget(connection)
            self._lock.notify_all()

    def _forget(self, connection: Connection) -> None:
        """Count it no more. Idempotent; under the lock."""
        host = self._open.pop(connection, None)
        if host is not None:
            self._per_address[host] -= 1
            if not self._per_address[host]:
                del self._per_address[host]

    def _refuse(self, sock: socket.socket, host: str, what: str) -> None:
        self._refused += 1
        now = time.monotonic()
        if now - self._refused_told >= 1.0:  # a crowd must not fill the log
            told = {"count": self._refused, "client": host, "reason": f"too many {what}"}
            log.warning("connections refused", extra=told)
            self._refused, self._refused_told = 0, now
        if not self._refusals.acquire(blocking=False):
            sock.close()
            return
        response = error_response(errors.Busy(f"too many {what}", hint="try again shortly"))
        threading.Thread(target=self._say, args=(sock, response), name="web-refuse", daemon=True).start()

    def _say(self, sock: socket.socket, response: Response) -> None:
        try:
            wire = Wire(sock, _REFUSAL_LIMITS)
            Writer(wire, method="", http10=False, keep_alive=False).write(response)
            wire.linger()
        except (ConnectionLost, Stalled, OSError):
            pass
        finally:
            sock.close()
            self._refusals.release()
