"""The DICOM listener: one thread that accepts, one for each association."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import threading
import time

from fileroom.dimse.door import Archive, DoorSettings
from fileroom.dimse.session import Session
from fileroom.dimse.tally import Stats, Tally
from fileroom.errors import BadSetting, InUse
from fileroom.net import pdu

_log = logging.getLogger("fileroom.dimse")

_SPARE_THREADS = 16  # connections served beyond the bound, to tell them that it is reached
_BACKLOG = 256
_RETRY_SECONDS = 0.2  # after an accept that failed for want of file descriptors or memory


class DimseServer:
    """The door. `start`, then `stop` once; both from the same thread."""

    def __init__(self, settings: DoorSettings, archive: Archive) -> None:
        self._settings = settings
        self._archive = archive
        self._tally = Tally()
        self._lock = threading.Lock()
        self._sessions: dict[Session, threading.Thread] = {}
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Listen; returns once connections are taken.

        Raises InUse when another process listens there, BadSetting when the address is not this machine's.
        """
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            kind = InUse if error.errno == errno.EADDRINUSE else BadSetting
            raise kind(
                f"cannot listen for DICOM on {host}:{port}: {os.strerror(error.errno or 0)}",
                hint="is another server running there? `--dicom HOST:PORT` picks another address",
            ) from error
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), name="dimse-accept", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the real port."""
        assert self._listener is not None, "not started"
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    @property
    def stats(self) -> Stats:
        with self._lock:
            return Stats(len(self._sessions), self._tally.counts())

    @property
    def alive(self) -> bool:
        """Whether new connections are being taken (for /readyz)."""
        return self._thread is not None and self._thread.is_alive() and not self._stopping

    def stop(self, drain_seconds: float = 10.0) -> None:
        """Take no more connections, let each request that is being answered end within `drain_seconds`, cut the rest.

        Returns when every association is over. Idempotent.
        """
        if self._listener is None:
            return
        self._stopping = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
        self._listener.close()
        with self._lock:
            sessions = dict(self._sessions)
        for session in sessions:
            session.stop()
        until = time.monotonic() + drain_seconds
        for thread in sessions.values():
            thread.join(max(0.0, until - time.monotonic()))
        for session, thread in sessions.items():
            if thread.is_alive():
                session.cut()
        for thread in sessions.values():
            thread.join(drain_seconds + 5.0)

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping:
            try:
                connection, address = listener.accept()
            except OSError as error:
                if not self._stopping:
                    _log.error("accept failed reason=%s", error.strerror)
                    time.sleep(_RETRY_SECONDS)
                continue
            try:
                self._begin(connection, str(address[0]))
            except (OSError, RuntimeError) as error:  # the peer is gone already, or no thread is to be had
                _log.error("connection dropped address=%s reason=%s", address[0], error)
                connection.close()

    def _begin(self, connection: socket.socket, address: str) -> None:
        session = Session(connection, address, self._settings, self._archive, self._tally)
        with self._lock:
            open_now = len(self._sessions)
            full = open_now >= self._settings.associations_max
            if open_now >= self._settings.associations_max + _SPARE_THREADS:
                self._tally.count("rejected")
                with contextlib.suppress(OSError):
                    connection.send(pdu.reject(pdu.Rejection.LOCAL_LIMIT), socket.MSG_DONTWAIT)
                connection.close()
                return
            thread = threading.Thread(target=self._run, args=(session, full), name=f"dimse-{address}", daemon=True)
            self._sessions[session] = thread
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                del self._sessions[session]
            raise

    def _run(self, session: Session, full: bool) -> None:
        try:
            session.run(full)
        finally:
            with self._lock:
                del self._sessions[session]
