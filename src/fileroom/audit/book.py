"""The ledger of a running process: takes what happens, gives it its place, signs now and then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from fileroom import errors
from fileroom.audit.checkpoints import Checkpoints
from fileroom.audit.journal import Journal
from fileroom.audit.looks import IDLE_SECONDS, Looks
from fileroom.audit.outbox import sequence
from fileroom.database import Database

_log = logging.getLogger("fileroom.audit")

TICK_SECONDS = 0.5
SIGN_SECONDS = 3600.0


class Book:
    """`start` once, `stop` once; `journal` and `looks` from any thread."""

    def __init__(
        self, database: Database, checkpoints: Checkpoints | None = None, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        """`checkpoints`: who signs every hour and at the end; None: nobody here does."""
        self.journal = Journal(database)
        self.looks = Looks(self.journal, idle_seconds)
        self._database = database
        self._checkpoints = checkpoints
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="ledger", daemon=True)
        self._trouble = ""
        self._sign_at = time.monotonic() + SIGN_SECONDS

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tell the end of what is open, give every line its place, sign."""
        self._stopping.set()
        self._thread.join()
        self.looks.end()
        self._guarded(self.journal.close)
        self._guarded(self._sequence)
        self._guarded(self._sign)

    @property
    def trouble(self) -> str:
        """Why not every line is in the ledger, or why nothing can be signed; empty when all is well."""
        if self.journal.lost:
            return f"{self.journal.lost} lines are lost: the database took none for too long"
        if not self.journal.well:
            return "lines wait in memory: the database takes none"
        return self._trouble if self._thread.is_alive() else "lines are not given their place"

    def _loop(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            self.looks.sweep()
            self._trouble = (
                self._guarded(self.journal.flush) or self._guarded(self._sequence) or self._trouble_signing()
            )

    def _trouble_signing(self) -> str:
        if time.monotonic() < self._sign_at:
            return self._trouble if self._trouble.startswith("nothing is signed") else ""
        self._sign_at = time.monotonic() + SIGN_SECONDS
        return self._guarded(self._sign)

    def _sequence(self) -> None:
        sequence(self._database)

    def _sign(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.make()

    def _guarded(self, act: Callable[[], None]) -> str:
        try:
            act()
        except errors.FileroomError as error:
            _log.error("ledger reason=%s", error)
            return str(error)
        except Exception:  # noqa: BLE001 - the boundary of the thread: it looks again
            _log.exception("ledger")
            return "a defect of Fileroom; its log says where"
        return ""
