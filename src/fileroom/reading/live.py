"""Tells open pages that the archive changed (server-sent events, HTML 9.2), whichever process did it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from fileroom import errors
from fileroom.archive.recent import QUIET_SECONDS
from fileroom.archive.totals import signs
from fileroom.database import Database
from fileroom.web.http import Part, Request, Response
from fileroom.web.router import Router

log = logging.getLogger("fileroom.web")

_LISTENERS_MAX = 48  # open pages; each holds a connection and a thread
_POLL_SECONDS = 1.0
_BEAT_SECONDS = 15.0  # a line is sent at least so often, so that who went away is noticed


class Live:
    """The handler of `GET /live`: one event whenever the archive changed, and one when what arrived counts as complete.

    One thread asks the index, once a second. `start` once, `stop` once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._version = 0  # rises with every change that listeners are to know of
        self._listeners = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Follow the index from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End every stream."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def add_routes(self, router: Router) -> None:
        """Have the router send listeners here."""
        router.add("GET", "/live", self.listen)

    def listen(self, request: Request) -> Response:
        """A stream of events without an end. Raises Busy when too many pages listen."""
        with self._changed:
            if self._listeners >= _LISTENERS_MAX:
                raise errors.Busy("too many open pages listen for arrivals", hint="close some")
        headers = [("content-type", "text/event-stream"), ("cache-control", "no-store")]
        return Response(200, headers, self._events())

    def _events(self) -> Iterator[Part]:
        with self._changed:
            self._listeners += 1
            seen = self._version
        try:
            yield b"retry: 3000\n\n"
            yield b""  # at once
            while True:
                with self._changed:
                    if self._version == seen and not self._stopping:
                        self._changed.wait(_BEAT_SECONDS)
                    if self._stopping:
                        return
                    now = self._version
                yield b"event: studies\ndata: %d\n\n" % now if now != seen else b":\n\n"
                yield b""
                seen = now
        finally:
            with self._changed:
                self._listeners -= 1

    def _run(self) -> None:
        last: tuple[object, ...] | None = None
        quiet_at = 0.0  # when what arrived last counts as complete; 0: it does
        while True:
            try:
                seen = signs(self._database)
                now = time.monotonic()
                if last is not None and (seen != last or (quiet_at and now >= quiet_at)):
                    quiet_at = now + QUIET_SECONDS + 1 if seen != last else 0.0
                    self._tell()
                last = seen
            except errors.FileroomError as error:
                log.warning("arrivals not followed", extra={"reason": str(error)})
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, timeout=_POLL_SECONDS):
                    return

    def _tell(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()
