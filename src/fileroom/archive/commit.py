"""Makes objects durable in groups: one writer appends to the open pack and syncs it, a second thread writes the index
and only then lets the senders go. While one batch is in the database, the next is on its way to the disk.

The order is the promise: pack bytes synced, then index committed (itself synced), then the answer.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.archive import schema, tar
from fileroom.archive.arrival import Arrival, Verdict
from fileroom.archive.index import Index
from fileroom.archive.inflight import InFlight, Item, Pending, Watch
from fileroom.archive.packs import Bytes, Packs, PackWriter
from fileroom.database import Change, Database, Ids, Standing, lost_race

_log = logging.getLogger("fileroom.archive")

T = TypeVar("T")

_BATCH_BYTES = 64 << 20
_BATCH_OBJECTS = 256
_SMALL_BYTES = 64 << 10
_OWED_MAX = 10_000
_RACES_MAX = 5


class _Latch:
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
class _Batch:
    """Objects written to packs, on their way to the index."""

    items: list[Item]
    sizes: dict[int, int] = field(default_factory=dict)  # pack id to acknowledged size
    closed: list[int] = field(default_factory=list)
    synced: _Latch | None = None  # opened once the pack is synced, or could not be; None: it was before
    failure: errors.FileroomError | None = None  # why it could not
    done: _Latch = field(default_factory=_Latch)  # opened once its senders were told

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

    def __init__(self, batch: _Batch, reason: errors.FileroomError) -> None:
        super().__init__(str(reason))
        self.batch = batch
        self.reason = reason


class Committer:
    """The two threads. Every object goes through them in order of arrival."""

    def __init__(
        self,
        database: Database,
        packs: Packs,
        ids: Ids,
        *,
        pack_bytes_max: int,
        pack_age_seconds_max: float,
        watch: Watch | None = None,
    ) -> None:
        self._standing = Standing(database)  # only the index thread's
        self._packs = packs
        self._ids = ids
        self._index = Index(ids)
        self._watch = watch
        self._pack_bytes_max = pack_bytes_max
        self._pack_age_seconds_max = pack_age_seconds_max
        self._incoming: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._written: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._inflight = InFlight(database, self._index)
        self._owed: list[_Batch] = []  # durable in packs, refused by the database; only the index thread
        self._writer: PackWriter | None = None
        self._writer_since = 0.0
        self._last: _Batch | None = None  # the newest batch handed to the index
        self._closed: list[int] = []  # packs closed since the last batch
        self._ended = False  # nobody takes anything from the queues any more
        self._threads = [
            threading.Thread(target=self._pack_loop, name="packs", daemon=True),
            threading.Thread(target=self._index_loop, name="index", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what was handed over, close the open pack, end the threads."""
        self._incoming.put(None)
        for thread in self._threads:
            thread.join()

    @property
    def alive(self) -> bool:
        """Whether objects can be taken in: both threads run and the database owes nothing."""
        return all(thread.is_alive() for thread in self._threads) and not self._owed

    @property
    def depth(self) -> int:
        """Objects handed over and not yet answered."""
        return len(self._inflight)

    def append(self, arrival: Arrival, pieces: Sequence[Bytes], release: Callable[[], None]) -> Pending:
        """Take an object whose bytes are in memory; `release` is called once they are written or dropped."""
        pending = Pending(arrival, self._watch)
        self._incoming.put(Item(arrival, pending, pieces, release))
        if self._ended:
            self._refuse_rest()
        return pending

    def adopt(self, arrival: Arrival, writer: PackWriter, offset: int) -> Pending:
        """Take an object that lies in an unfinished pack of its own, header room left before `offset`."""
        pending = Pending(arrival, self._watch)
        item = Item(arrival, pending)
        if not self._inflight.claim([item]):
            self._packs.discard(writer)
            return pending
        try:
            arrival.sequence = self._ids.next()
            arrival.pack_id, arrival.offset = writer.pack_id, offset
            head = tar.header(_label(arrival), arrival.size_bytes, writer.pack_id, 0, tar.RESERVED_BYTES)
            writer.overwrite(0, head)
            writer.append([tar.padding(arrival.size_bytes)])
            size_bytes = writer.size_bytes
            writer.finish()
            self._packs.publish(writer)
        except Exception as error:  # noqa: BLE001 - who sends the same object again waits for this one
            self._packs.discard(writer)
            self._refuse([item], error)
            return pending
        self._written.put(_Batch([item], {writer.pack_id: size_bytes}, [writer.pack_id]))
        if self._ended:
            self._refuse_rest()
        return pending

    def _refuse(self, items: list[Item], error: Exception) -> None:
        """Tell the senders of these objects what went wrong: a defect of ours is for the log alone."""
        if isinstance(error, errors.FileroomError):
            _log.error("storing failed objects=%d reason=%s", len(items), error)
        else:
            _log.error("storing failed objects=%d", len(items), exc_info=error)
            error = errors.StorageFull("storing failed", hint="see the log")
        self._inflight.refuse(items, error)

    def _refuse_rest(self) -> None:
        """What came too late is not stored, or not indexed before the next start; nobody waits for it."""
        rest = [item for batch in self._owed for item in batch.items]
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._incoming.get_nowait()
                rest += [] if item is None else [item]
        with contextlib.suppress(queue.Empty):
            while True:
                batch = self._written.get_nowait()
                rest += [] if batch is None else batch.items
        self._inflight.refuse(rest, errors.DatabaseUnavailable("the archive is stopping"))

    # -- first thread: packs ---------------------------------------------------------------------------------------

    def _pack_loop(self) -> None:
        while (first := self._incoming.get()) is not None:
            if first.arrival.size_bytes < _SMALL_BYTES and self._last is not None:
                self._last.done.wait()  # small objects cost more a batch than a byte: let more of them come together
            items, last = self._gather(first)
            fresh = self._guarded(items, self._inflight.claim)
            if fresh:
                self._guarded(fresh, self._write_packs)
            if last:
                break
        self._close_pack()
        self._written.put(_Batch([], closed=self._closed))
        self._written.put(None)

    def _gather(self, first: Item) -> tuple[list[Item], bool]:
        """What waits right now, up to a batch; True when the end was among it."""
        items, size = [first], first.arrival.size_bytes
        while size < _BATCH_BYTES and len(items) < _BATCH_OBJECTS:
            try:
                item = self._incoming.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return items, True
            items.append(item)
            size += item.arrival.size_bytes
        return items, False

    def _guarded(self, items: list[Item], act: Callable[[list[Item]], T]) -> T | None:
        """Run a step; whatever goes wrong, the senders hear of it, the thread lives on, and the result is None."""
        try:
            return act(items)
        except Exception as error:  # noqa: BLE001 - the thread all senders wait for must not die
            self._refuse(items, error)
            return None

    def _write_packs(self, fresh: list[Item]) -> None:
        writer = self._turn_over()
        pieces: list[Bytes] = []
        at = writer.size_bytes
        for item in fresh:
            arrival = item.arrival
            arrival.sequence = self._ids.next()
            head = tar.header(_label(arrival), arrival.size_bytes, writer.pack_id, at)
            arrival.pack_id, arrival.offset = writer.pack_id, at + len(head)
            pad = tar.padding(arrival.size_bytes)
            pieces += (head, *item.pieces, pad)
            at = arrival.offset + arrival.size_bytes + len(pad)
        writer.append(pieces)
        for item in fresh:
            item.let_go()
        closed, self._closed = self._closed, []
        batch = self._last = _Batch(fresh, {writer.pack_id: writer.size_bytes}, closed, _Latch())
        self._written.put(batch)  # the index prepares its rows meanwhile; it commits once this is synced
        batch.sync(writer)

    def _turn_over(self) -> PackWriter:
        """An open pack with room. After a failed sync none more goes into the old one: the next start checks it."""
        writer = self._writer
        if writer is not None and not writer.broken:
            age = time.monotonic() - self._writer_since
            if writer.size_bytes < self._pack_bytes_max and age < self._pack_age_seconds_max:
                return writer
        self._close_pack()
        self._writer = writer = self._packs.create(self._ids.next())
        self._writer_since = time.monotonic()
        return writer

    def _close_pack(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            if not writer.broken:
                writer.finish()
                self._closed.append(writer.pack_id)
        except errors.StorageFull as error:
            _log.error("pack left open pack=%016x reason=%s", writer.pack_id, error)
        writer.close()

    # -- second thread: index --------------------------------------------------------------------------------------

    def _index_loop(self) -> None:
        last = False
        while not last:
            batches, last = self._next_batches()
            if batches or (self._owed and not last):
                items = [item for batch in batches for item in batch.items]
                self._guarded(items, lambda _: self._index_batches(batches))  # noqa: B023 - run at once
            for batch in batches:
                batch.done.open()
        self._ended = True
        self._refuse_rest()
        self._standing.close()

    def _next_batches(self) -> tuple[list[_Batch], bool]:
        """Every batch that waits; waits for one, at most a second while the database owes something."""
        batches: list[_Batch] = []
        try:
            batch = self._written.get(timeout=1.0 if self._owed else None)
            while batch is not None:
                batches.append(batch)
                batch = self._written.get_nowait()
        except queue.Empty:
            return batches, False
        return batches, True

    def _index_batches(self, batches: list[_Batch]) -> None:
        owed = self._owed  # owed until it is written: the archive is not well meanwhile
        todo = owed + batches
        items = [item for batch in todo for item in batch.items]
        try:
            verdicts = self._record(todo, [item.arrival for item in items], first_try=not owed)
        except _NotSynced as lost:
            self._index.forget()
            self._inflight.refuse(lost.batch.items, lost.reason)
            self._owed = [batch for batch in owed if batch is not lost.batch]
            self._index_batches([batch for batch in batches if batch is not lost.batch])
            return
        except errors.FileroomError as error:
            _log.error("index refused objects=%d reason=%s", len(items), error)
            self._owe(todo, error)
            return
        except Exception:  # noqa: BLE001 - the thread all senders wait for must not die
            _log.exception("index failed objects=%d", len(items))
            self._index_singly(todo)
            self._owed = []
            return
        self._owed = []
        for item, verdict in zip(items, verdicts, strict=True):
            if verdict.reason:
                _log.warning("held outcome=%s sop=%s reason=%s", verdict.outcome, item.arrival.sop_uid, verdict.reason)
            self._inflight.resolve(item, verdict)

    def _index_singly(self, todo: list[_Batch]) -> None:
        """One object the database cannot hold must not keep out the others: it alone is refused."""
        self._index.forget()
        for batch in todo:
            for item in batch.items:
                try:
                    batch.wait_synced()
                    (verdict,) = self._record([], [item.arrival], first_try=False)
                except _NotSynced as lost:
                    self._inflight.refuse([item], lost.reason)
                except errors.FileroomError as error:  # the database is away again: not the object's fault
                    self._index.forget()
                    self._inflight.refuse([item], error)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's own
                    self._index.forget()
                    _log.error("index refuses sop=%s kind=%s", item.arrival.sop_uid, type(error).__name__)
                    self._inflight.refuse([item], errors.MalformedObject("the index cannot hold this object's values"))
                else:
                    self._inflight.resolve(item, verdict)
        try:
            self._record([batch for batch in todo if batch.failure is None], [], first_try=True)
        except errors.FileroomError as error:
            _log.error("pack sizes not recorded reason=%s", error)

    def _owe(self, todo: list[_Batch], error: errors.FileroomError) -> None:
        """Tell the senders; keep the objects, which are whole in the packs, to be indexed as soon as it works.

        They stay in flight, so that the same object sent again waits for them instead of being written twice.
        """
        self._index.forget()
        self._owed = todo
        for batch in todo:
            for item in batch.items:
                self._inflight.tell(item, error)
        if sum(len(batch.items) for batch in todo) > _OWED_MAX:
            _log.critical("the database stays away; dropping what is owed: the next start indexes it from the packs")
            self._inflight.refuse([item for batch in todo for item in batch.items], error)
            self._owed = []

    def _record(self, batches: list[_Batch], arrivals: list[Arrival], *, first_try: bool) -> list[Verdict]:
        checked = first_try
        for _ in range(_RACES_MAX):
            try:
                with self._standing.write() as connection:
                    verdicts = self._index.record(connection, arrivals, checked=checked)
                    for batch in batches:
                        _record_packs(connection, batch)
                    for batch in batches:
                        batch.wait_synced()
                return verdicts
            except (IntegrityError, errors.DatabaseUnavailable) as error:
                if not lost_race(error):
                    raise
                self._index.forget()
                checked = False
        raise errors.DatabaseUnavailable("the index is contended: another process wrote the same rows each time")


def _label(arrival: Arrival) -> tar.Label:
    return tar.Label(
        arrival.study_uid,
        arrival.series_uid,
        arrival.sop_uid,
        arrival.digest,
        arrival.prefix_digest,
        arrival.prefix_bytes,
        arrival.site,
        arrival.source,
        arrival.arrived_ms,
        arrival.sequence,
        arrival.conflict,
        arrival.patient_digest,
    )


_PACK = schema.pack.c
_SET_SIZE = Change(
    sa.update(schema.pack).where(_PACK.id == sa.bindparam("key")).values(size_bytes=sa.bindparam("size"))
)
_SET_CLOSED = Change(sa.update(schema.pack).where(_PACK.id == sa.bindparam("key")).values(closed=sa.true()))


def _record_packs(connection: sa.Connection, batch: _Batch) -> None:
    """What is acknowledged of each pack the batch touched."""
    for pack_id, size_bytes in batch.sizes.items():
        if _SET_SIZE.run(connection, [{"key": pack_id, "size": size_bytes}]) == 0:
            row = {"id": pack_id, "size_bytes": size_bytes, "closed": False, "created_ms": int(time.time() * 1000)}
            connection.execute(sa.insert(schema.pack), [row])
    _SET_CLOSED.run(connection, [{"key": pack_id} for pack_id in batch.closed])
