"""The second half of making objects durable: what lies in packs is written to the index, and its senders are told.

One thread. What the database refuses for a while is owed: whole in the packs, indexed as soon as it works again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Arrival, Verdict
from fileroom.archive.index import Index
from fileroom.archive.inflight import InFlight, Item
from fileroom.archive.packs import PackWriter
from fileroom.audit.outbox import put_lines
from fileroom.audit.storing import Storing
from fileroom.database import Change, Database, Standing, lost_race

_log = logging.getLogger("fileroom.archive")

_RACES_MAX = 5


class Latch:
    """Shut until it is opened, once; a plain lock, since it stands on every object's way."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def open(self) -> None:
        self._lock.release()

    def wait(self) -> None:
        with self._lock:
            pass


@dataclass(slots=True)
class Written:
    """Objects written to packs, on their way to the index."""

    items: list[Item]
    sizes: dict[int, int] = field(default_factory=dict)  # pack id to acknowledged size
    closed: list[int] = field(default_factory=list)
    synced: Latch | None = None  # opened once the pack is synced, or could not be; None: it was before
    failure: errors.FileroomError | None = None  # why it could not
    done: Latch = field(default_factory=Latch)  # opened once its senders were told

    def sync(self, writer: PackWriter) -> None:
        """Sync the pack and tell the index thread how it went."""
        assert self.synced is not None
        self.failure = errors.StorageFull("the pack was not synced", hint="see the log")
        try:
            writer.sync()
            self.failure = None
        except errors.FileroomError as error:
            self.failure = error
        finally:
            self.synced.open()

    def wait_synced(self) -> None:
        """Return once the pack's bytes survive power loss. Raises _NotSynced."""
        if self.synced is not None:
            self.synced.wait()
        if self.failure is not None:
            raise _NotSynced(self, self.failure)


class _NotSynced(Exception):
    """A batch whose bytes did not reach the disk."""

    def __init__(self, batch: Written, reason: errors.FileroomError) -> None:
        super().__init__(str(reason))
        self.batch = batch
        self.reason = reason


class Indexer:
    """The thread that writes the index. What is put is taken in order."""

    def __init__(self, database: Database, index: Index, inflight: InFlight) -> None:
        self._standing = Standing(database)  # only this thread's
        self._index = index
        self._inflight = inflight
        self._written: queue.SimpleQueue[Written | None] = queue.SimpleQueue()
        self._owed: list[Written] = []  # durable in packs, refused by the database; only this thread's
        self._ended = False  # nobody takes anything from the queue any more
        self._thread = threading.Thread(target=self._loop, name="index", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Index what was put, then end."""
        self._written.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs and nothing is owed."""
        return self._thread.is_alive() and not self._owed

    def put(self, batch: Written) -> None:
        """Take a batch whose bytes are written; its senders are told once it is indexed."""
        self._written.put(batch)
        if self._ended:
            self._refuse_rest()

    def _refuse_rest(self) -> None:
        """What came too late is not indexed before the next start; nobody waits for it."""
        rest = [item for batch in self._owed for item in batch.items]
        with contextlib.suppress(queue.Empty):
            while True:
                batch = self._written.get_nowait()
                rest += [] if batch is None else batch.items
        self._inflight.refuse(rest, errors.DatabaseUnavailable("the archive is stopping"))

    def _loop(self) -> None:
        last = False
        while not last:
            batches, last = self._next()
            if batches or (self._owed and not last):
                items = [item for batch in batches for item in batch.items]
                self._inflight.guarded(items, lambda _: self._index_all(batches))  # noqa: B023 - run at once
            for batch in batches:
                batch.done.open()
        self._ended = True
        self._refuse_rest()
        self._standing.close()

    def _next(self) -> tuple[list[Written], bool]:
        """Every batch that waits; waits for one, at most a second while the database owes something."""
        batches: list[Written] = []
        try:
            batch = self._written.get(timeout=1.0 if self._owed else None)
            while batch is not None:
                batches.append(batch)
                batch = self._written.get_nowait()
        except queue.Empty:
            return batches, False
        return batches, True

    def _index_all(self, batches: list[Written]) -> None:
        owed = self._owed  # owed until it is written: the archive is not well meanwhile
        todo = owed + batches
        items = [item for batch in todo for item in batch.items]
        try:
            verdicts = self._record(todo, [item.arrival for item in items], checked=not owed)
        except _NotSynced as lost:
            self._index.forget()
            self._inflight.refuse(lost.batch.items, lost.reason)
            self._owed = [batch for batch in owed if batch is not lost.batch]
            self._index_all([batch for batch in batches if batch is not lost.batch])
            return
        except errors.FileroomError as error:
            _log.error("index refused objects=%d reason=%s", len(items), error)
            self._owe(todo, error)
            return
        except Exception:  # noqa: BLE001 - the thread all senders wait for must not die
            _log.exception("index failed objects=%d", len(items))
            self._index_singly(todo)
            return
        self._owed = []
        for item, verdict in zip(items, verdicts, strict=True):
            if verdict.reason:
                _log.warning("held outcome=%s sop=%s reason=%s", verdict.outcome, item.arrival.sop_uid, verdict.reason)
            self._inflight.resolve(item, verdict)

    def _index_singly(self, todo: list[Written]) -> None:
        """One object the database cannot hold must not keep out the others: it alone is refused."""
        self._index.forget()
        rest = Written([])  # the database is away again: owed, not the objects' fault
        for batch in todo:
            for item in batch.items:
                try:
                    batch.wait_synced()
                    (verdict,) = self._record([], [item.arrival], checked=False)
                except _NotSynced as lost:
                    self._inflight.refuse([item], lost.reason)
                except errors.FileroomError as error:
                    self._index.forget()
                    self._inflight.tell(item, error)
                    rest.items.append(item)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's own
                    self._index.forget()
                    _log.error("index refuses sop=%s kind=%s", item.arrival.sop_uid, type(error).__name__)
                    self._inflight.refuse([item], errors.MalformedObject("the index cannot hold this object's values"))
                else:
                    self._inflight.resolve(item, verdict)
        for batch in todo:
            if batch.failure is None:
                rest.sizes |= batch.sizes
                rest.closed += batch.closed
        self._owed = [rest]
        if not rest.items:
            self._record([rest], [], checked=True)
            self._owed = []

    def _owe(self, todo: list[Written], error: errors.FileroomError) -> None:
        """Tell the senders; keep the objects, which are whole in the packs, to be indexed as soon as it works.

        They stay in flight, so that the same object sent again waits for them instead of being written twice.
        """
        self._index.forget()
        self._owed = todo
        for batch in todo:
            for item in batch.items:
                self._inflight.tell(item, error)

    def _record(self, batches: list[Written], arrivals: list[Arrival], *, checked: bool) -> list[Verdict]:
        for _ in range(_RACES_MAX):
            try:
                with self._standing.write() as connection:
                    verdicts = self._index.record(connection, arrivals, checked=checked)
                    for batch in batches:
                        _record_packs(connection, batch)
                    told = _tell_ledger(connection, arrivals)
                    for batch in batches:
                        batch.wait_synced()
                for act, study_uid in told:
                    act.told(study_uid)
                return verdicts
            except (IntegrityError, errors.DatabaseUnavailable) as error:
                if not lost_race(error):
                    raise
                self._index.forget()
                checked = False
        raise errors.DatabaseUnavailable("the index is contended: another process wrote the same rows each time")


def _tell_ledger(connection: sa.Connection, arrivals: list[Arrival]) -> dict[tuple[Storing, str], bytes]:
    """Write the lines of studies of which nothing was stored before by the same act; whose they are."""
    lines = {}
    for arrival in arrivals:
        act = arrival.act
        if act is not None and not act.is_told(arrival.study_uid) and (act, arrival.study_uid) not in lines:
            lines[act, arrival.study_uid] = act.line(arrival.study_uid, arrival.values.get("patient_id", ""))
    put_lines(connection, list(lines.values()))
    return lines


_PACK = schema.pack.c
_SET_SIZE = Change(
    sa.update(schema.pack).where(_PACK.id == sa.bindparam("key")).values(size_bytes=sa.bindparam("size")),
    ("size", "key"),
)
_SET_CLOSED = Change(sa.update(schema.pack).where(_PACK.id == sa.bindparam("key")).values(closed=sa.true()), ("key",))


def _record_packs(connection: sa.Connection, batch: Written) -> None:
    """What is acknowledged of each pack the batch touched."""
    for pack_id, size_bytes in batch.sizes.items():
        if _SET_SIZE.run(connection, [(size_bytes, pack_id)]) == 0:
            row = {"id": pack_id, "size_bytes": size_bytes, "closed": False, "created_ms": int(time.time() * 1000)}
            connection.execute(sa.insert(schema.pack), [row])
    _SET_CLOSED.run(connection, [(pack_id,) for pack_id in batch.closed])
