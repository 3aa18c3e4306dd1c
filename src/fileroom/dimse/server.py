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
from fileroom.dimse.places import Places
from fileroom.dimse.session import Session
from fileroom.dimse.tally import Stats, Tally
from fileroom.errors import BadSetting, InUse
from fileroom.net import pdu
from fileroom.settings import is_loopback

_log = logging.getLogger("fileroom.dimse")

_BACKLOG = 256
_RETRY_SECONDS = 0.2  # after an accept that failed for want of file descriptors or memory


class DimseServer:
    """The door. `start`, then `stop` once; both from the same thread."""

    def __init__(self, settings: DoorSettings, archive: Archive) -> None:
        self._settings = settings
        self._archive = archive
        self._tally = Tally()
        local = is_loopback(settings.host)
        self._places = Places(settings.associations_max, shared=not local)
        self._lock = threading.Lock()
        self._sessions: dict[Session, threading.Thread] = {}
        self._listener: socket.socket | None = None
        self._address = ("", 0)  # once it listens
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
        self._address = self._listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), name="dimse-accept", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, with the real port."""
        assert self._listener is not None, "not started"
        return self._address

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
        failing = False
        while not self._stopping:
            try:
                connection, address = listener.accept()
            except OSError as error:
                if not self._stopping:
                    if not failing:
                        _log.error("accept failed, trying on reason=%s", error.strerror)
                    failing = True
                    time.sleep(_RETRY_SECONDS)
                continue
            failing = False
            try:
                self._begin(connection, str(address[0]))
            except (OSError, RuntimeError) as error:  # the peer is gone already, or no thread is to be had
                _log.error("connection dropped address=%s reason=%s", address[0], type(error).__name__)
                connection.close()

    def _begin(self, connection: socket.socket, address: str) -> None:
        if not self._places.arrive(address):
            self._tally.count("rejected")
            _log.warning("connection rejected address=%s reason=too many wait", address)
            connection.send(pdu.reject(pdu.Rejection.LOCAL_LIMIT), socket.MSG_DONTWAIT)
            connection.close()
            return
        session: Session | None = None
        try:
            session = Session(connection, address, self._settings, self._archive, self._places, self._tally)
            thread = threading.Thread(target=self._run, args=(session,), name=f"dimse-{address}", daemon=True)
            with self._lock:
                self._sessions[session] = thread
            thread.start()
        except (OSError, RuntimeError):
            self._places.leave(address, seated=False)
            if session is not None:
                with self._lock:
                    self._sessions.pop(session, None)
            raise

    def _run(self, session: Session) -> None:
        try:
            session.run()
        finally:
            self._places.leave(session.address, seated=session.seated)
            with self._lock:
                del self._sessions[session]
