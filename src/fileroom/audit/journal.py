"""Writing events that no other transaction carries: many at once for one sync, by whoever comes first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from fileroom import errors
from fileroom.audit.event import Event, written
from fileroom.audit.outbox import put_lines
from fileroom.database import Database, Standing

_log = logging.getLogger("fileroom.audit")

_OWED_MAX = 100_000  # lines kept in memory while the database takes none


class _Batch:
    """Lines that go in one transaction, and who waits for them."""

    __slots__ = ("done", "lines")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.done = False


class Journal:
    """Takes events. Thread-safe.

    While the database is away or full, what happens is not refused for the sake of its line: a radiologist still sees
    the images that can be had. The lines are kept in memory, written as soon as it works again, and `well` is False.
    """

    def __init__(self, database: Database) -> None:
        self._standing = Standing(database)
        self._writing = threading.Lock()  # the standing connection is one thread's at a time
        self._lock = threading.Lock()
        self._batch = _Batch()
        self._owed: list[bytes] = []
        self.lost = 0  # lines that memory had no room for

    @property
    def well(self) -> bool:
        """Whether every line so far is durable, or will be within moments."""
        return not self._owed

    def record(self, events: Sequence[Event]) -> None:
        """Return once these survive power loss, or are owed because the database takes nothing."""
        self._commit(self._add(events))

    def later(self, events: Sequence[Event]) -> None:
        """Have these written with whatever is written next, at the latest by `flush`."""
        self._add(events)

    def flush(self) -> None:
        """Write what was put off, and what is owed."""
        with self._lock:
            batch = self._batch
        if batch.lines or self._owed:
            self._commit(batch)

    def close(self) -> None:
        """Write what there is, then give the connection back."""
        self.flush()
        with self._writing:
            self._standing.close()

    def _add(self, events: Sequence[Event]) -> _Batch:
        lines = [written(event).data for event in events]
        with self._lock:
            self._batch.lines += lines
            return self._batch

    def _commit(self, batch: _Batch) -> None:
        with self._writing:
            if batch.done:
                return  # who held the lock took these along
            with self._lock:
                self._batch = _Batch()
            lines = self._owed + batch.lines
            try:
                with self._standing.write() as connection:
                    put_lines(connection, lines)
                self._owed = []
            except errors.FileroomError as error:
                _log.error("the ledger takes nothing, lines are kept in memory count=%d reason=%s", len(lines), error)
                self._owe(lines)
            except BaseException:
                self._owe(lines)
                raise
            finally:
                batch.done = True

    def _owe(self, lines: list[bytes]) -> None:
        self.lost += max(0, len(lines) - _OWED_MAX)
        self._owed = lines[:_OWED_MAX]
