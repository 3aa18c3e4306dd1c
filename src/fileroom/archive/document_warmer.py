"""Makes the documents of series that have stopped growing, before anybody asks: off the acknowledged path.

It follows the index, so it sees what any process stores. It waits while objects arrive, and rests after each series.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.documents import Documents
from fileroom.archive.select import visible
from fileroom.database import Database

log = logging.getLogger("fileroom.archive")

_WAITING_MAX = 10_000  # series remembered; of those beyond, the document is made when it is asked for
_SERIES, _STUDY, _INSTANCE = schema.series, schema.study, schema.instance

_NEWEST = sa.select(sa.func.coalesce(sa.func.max(_INSTANCE.c.id), 0))
# Grouped by an expression: by the column, SQLite would walk its whole index to save the sorting of a few rows
_SERIES_KEY = _INSTANCE.c.series_pk + 0
_GROWN = (
    sa.select(_SERIES_KEY, sa.func.max(_INSTANCE.c.id))
    .where(_INSTANCE.c.id > sa.bindparam("last"))
    .group_by(_SERIES_KEY)
)
_UIDS = (
    sa.select(_STUDY.c.study_uid, _SERIES.c.series_uid, _SERIES.c.instance_count)
    .select_from(_SERIES.join(_STUDY, _STUDY.c.id == _SERIES.c.study_pk))
    .where(visible(), _SERIES.c.id == sa.bindparam("key"))
)


@dataclass(frozen=True, slots=True)
class Patience:
    """When a series counts as complete."""

    poll_seconds: float = 2.0
    quiet_seconds: float = 4.0  # since its last object, when nothing else arrives either
    busy_seconds: float = 60.0  # since its last object, when others do
    instances_min: int = 12  # smaller series are made quickly enough when they are asked for


class DocumentWarmer:
    """One background thread. `start` once, `stop` once."""

    def __init__(
        self, database: Database, documents: Documents, base: Callable[[], str], patience: Patience | None = None
    ) -> None:
        """`base`: the address documents are made for while nobody has asked under another one."""
        self._database = database
        self._documents = documents
        self._base = base
        self._patience = patience or Patience()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="documents", daemon=True)
        self._waiting: dict[int, float] = {}  # series key to when its last object was seen
        self._last = 0  # the newest instance seen
        self._last_seen = 0.0

    def start(self) -> None:
        """Follow the index from now on; older series wait until they are asked for. Raises DatabaseUnavailable."""
        with self._database.read() as connection:
            self._last = connection.execute(_NEWEST).scalar_one()
        self._thread.start()

    def stop(self) -> None:
        """End after the series in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._patience.poll_seconds):
            try:
                self._look()
                for key in self._ready():
                    if self._stopping.is_set():
                        return
                    begin = time.monotonic()
                    self._make(key)
                    self._stopping.wait(time.monotonic() - begin)
            except errors.FileroomError as error:
                log.warning("documents not made error=%s", error)

    def _look(self) -> None:
        """Note which series grew since the last look."""
        now = time.monotonic()
        with self._database.read() as connection:
            grown = connection.execute(_GROWN, {"last": self._last}).all()
        for key, newest in grown:
            self._last = max(self._last, newest)
            self._last_seen = now
            if key in self._waiting or len(self._waiting) < _WAITING_MAX:
                self._waiting[key] = now

    def _ready(self) -> list[int]:
        """Series to make now; they are no longer waited for."""
        now, patience = time.monotonic(), self._patience
        quiet = now - self._last_seen >= patience.quiet_seconds
        age = patience.quiet_seconds if quiet else patience.busy_seconds
        ready = [key for key, seen in self._waiting.items() if now - seen >= age]
        for key in ready:
            del self._waiting[key]
        return ready

    def _make(self, key: int) -> None:
        with self._database.read() as connection:
            row = connection.execute(_UIDS, {"key": key}).first()
        if row is None or row[2] < self._patience.instances_min:
            return
        base = self._documents.last_base or self._base()
        for gzip in (False, True):
            self._documents.series(row[0], row[1], base, gzip=gzip)
