"""Makes objects durable in groups: one thread appends to the open pack and syncs it, a second (`indexing`) writes the
index and only then lets the senders go. While one batch is in the database, the next is on its way to the disk.

The order is the promise: pack bytes synced, then index committed (itself synced), then the answer.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from fileroom import errors
from fileroom.archive import tar
from fileroom.archive.arrival import Arrival
from fileroom.archive.index import Index
from fileroom.archive.indexing import Indexer, Latch, Written
from fileroom.archive.inflight import InFlight, Item, Pending, Watch
from fileroom.archive.packs import Bytes, Packs, PackWriter
from fileroom.database import Database, Ids

_log = logging.getLogger("fileroom.archive")

_BATCH_BYTES = 64 << 20
_BATCH_OBJECTS = 256
_SMALL_BYTES = 64 << 10


class Committer:
    """Takes objects from every door to packs and index, in order of arrival."""

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
        self._packs = packs
        self._ids = ids
        index = Index(ids)
        self._inflight = InFlight(database, index, packs)
        self._indexer = Indexer(database, index, self._inflight)
        self._watch = watch
        self._pack_bytes_max = pack_bytes_max
        self._pack_age_seconds_max = pack_age_seconds_max
        self._incoming: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._writer: PackWriter | None = None
        self._writer_since = 0.0
        self._last: Written | None = None  # the newest batch handed to the index
        self._closed: list[int] = []  # packs closed since the last batch
        self._ended = False  # nobody takes anything from the queue any more
        self._thread = threading.Thread(target=self._loop, name="packs", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._indexer.start()

    def stop(self) -> None:
        """Finish what was handed over, close the open pack, end the threads."""
        self._incoming.put(None)
        self._thread.join()
        self._indexer.stop()
        self._inflight.close()

    @property
    def alive(self) -> bool:
        """Whether objects can be taken in: both threads run and the database owes nothing."""
        return self._thread.is_alive() and self._indexer.alive

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
            self._inflight.refuse_for([item], error)
            return pending
        self._indexer.put(Written([item], {writer.pack_id: size_bytes}, [writer.pack_id]))
        return pending

    def _refuse_rest(self) -> None:
        """What came too late is not stored; nobody waits for it."""
        rest = []
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._incoming.get_nowait()
                rest += [] if item is None else [item]
        self._inflight.refuse(rest, errors.DatabaseUnavailable("the archive is stopping"))

    def _loop(self) -> None:
        while (first := self._incoming.get()) is not None:
            if first.arrival.size_bytes < _SMALL_BYTES and self._last is not None:
                self._last.done.wait()  # small objects cost more a batch than a byte: let more of them come together
            items, last = self._gather(first)
            fresh = self._inflight.guarded(items, self._inflight.claim)
            if fresh:
                self._inflight.guarded(fresh, self._write_packs)
            if last:
                break
        self._close_pack()
        self._indexer.put(Written([], closed=self._closed))
        self._ended = True
        self._refuse_rest()

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
        batch = self._last = Written(fresh, {writer.pack_id: writer.size_bytes}, closed, Latch())
        self._indexer.put(batch)  # the index prepares its rows meanwhile; it commits once this is synced
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
