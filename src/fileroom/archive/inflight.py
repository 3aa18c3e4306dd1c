"""Objects between the door and the index: who waits for what, and what is here already.

An object is in flight from the moment it is handed over until the index has committed it, so that the same bytes sent
again meanwhile wait for the first, and other bytes under the same UID are known to be a conflict.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from fileroom import errors
from fileroom.archive.arrival import Arrival, Outcome, Receipt, Verdict
from fileroom.archive.index import DECIDED, Index, Known, Place
from fileroom.archive.packs import Bytes, Packs
from fileroom.database import Database, Standing

_log = logging.getLogger("fileroom.archive")

_OF_HELD = {"conflict": Outcome.CONFLICT, DECIDED: Outcome.DUPLICATE}  # what is known of an object: to be told again

T = TypeVar("T")


class Watch(Protocol):
    """Hears of every object that came through a door, from the thread that waited for it."""

    def object(self, door: str, outcome: str, size_bytes: int, seconds: float) -> None:
        """`outcome` is an Outcome, or the name of the error it was refused with; seconds from handed over to told."""
        ...


class Pending:
    """An object that was handed over; `wait` returns once it is durable."""

    __slots__ = ("_arrival", "_done", "_error", "_receipt", "_since", "_watch")

    def __init__(self, arrival: Arrival, watch: Watch | None = None) -> None:
        self._arrival = arrival
        self._watch = watch
        self._since = time.perf_counter()
        self._done = threading.Lock()
        self._done.acquire()
        self._receipt: Receipt | None = None
        self._error: errors.FileroomError | None = None

    @property
    def sop_class_uid(self) -> str:
        return self._arrival.sop_class_uid

    @property
    def sop_uid(self) -> str:
        return self._arrival.sop_uid

    def wait(self) -> Receipt:
        """The receipt: the bytes survive power loss and the index knows them. Call once.

        Raises StorageFull, DatabaseUnavailable: the object is then not promised.
        """
        self._done.acquire()
        receipt = self._receipt
        if self._watch is not None:
            outcome = receipt.outcome if receipt is not None else type(self._error).__name__
            door = self._arrival.source.partition(":")[0]
            self._watch.object(door, outcome, self._arrival.size_bytes, time.perf_counter() - self._since)
        if receipt is None:
            if self._arrival.act is not None:
                self._arrival.act.refused += 1
            raise self._error or errors.DatabaseUnavailable("the archive is stopping")
        if self._arrival.act is not None:
            self._arrival.act.kept(receipt.study_uid, self._arrival.values.get("patient_id", ""))
        return receipt

    def resolve(self, receipt: Receipt) -> None:
        self._receipt = receipt
        self._done.release()

    def fail(self, error: errors.FileroomError) -> None:
        self._error = error
        self._done.release()


@dataclass(slots=True)
class Item:
    """One object between the door and the index."""

    arrival: Arrival
    pending: Pending | None  # None once its sender was told
    pieces: Sequence[Bytes] = ()
    release: Callable[[], None] | None = None  # gives the buffer back
    followers: list[Item] = field(default_factory=list)  # the same bytes, sent again before these were done

    def let_go(self) -> None:
        """Give the buffer back; idempotent."""
        release, self.release, self.pieces = self.release, None, ()
        if release is not None:
            release()


class InFlight:
    """The objects of one process that are on their way. Thread-safe."""

    def __init__(self, database: Database, index: Index, packs: Packs) -> None:
        self._standing = Standing(database)
        self._looking = threading.Lock()  # the standing connection is one thread's at a time
        self._index = index
        self._packs = packs
        self._lock = threading.Lock()  # guards the table and the followers in it
        self._items: dict[str, Item] = {}  # by SOP Instance UID

    def __len__(self) -> int:
        return len(self._items)

    def close(self) -> None:
        """Give the connection back."""
        self._standing.close()

    def claim(self, items: list[Item]) -> list[Item]:
        """Settle what is here already; the rest is to be written, conflicts marked.

        First the objects in flight, then the database: what left the one is in the other.
        """
        others: dict[int, Item] = {}
        fresh = []
        with self._lock:
            for item in items:
                other = self._items.setdefault(item.arrival.sop_uid, item)
                if other is not item and _same(other.arrival, item.arrival):
                    other.followers.append(item)
                    continue
                others[id(item)] = other
                fresh.append(item)
        for item in items:
            if id(item) not in others:
                item.let_go()
        if not fresh:
            return []
        try:
            with self._looking, self._standing.read() as connection:
                known = self._index.known(connection, {item.arrival.sop_uid for item in fresh})
        except errors.FileroomError as error:
            self.refuse(fresh, error)
            return []
        return [item for item in fresh if not self._settled(item, others[id(item)], known)]

    def _settled(self, item: Item, other: Item, known: Known) -> bool:
        arrival = item.arrival
        place = known.places.get(arrival.sop_uid)
        kind = known.held.get(arrival.held_key)
        if place is not None and place.holds(arrival):
            if not self._intact(place):
                _log.error("repaired pack=%016x offset=%d sop=%s", place.pack_id, place.offset, arrival.sop_uid)
                arrival.repairs = True
                return False
            self.resolve(item, Verdict(Outcome.DUPLICATE))
        elif kind is not None:
            self.resolve(item, Verdict(_OF_HELD.get(kind, Outcome.HELD)))
        else:
            arrival.conflict = place is not None or other is not item
            return False
        item.let_go()
        return True

    def _intact(self, place: Place) -> bool:
        """Whether the copy that is here can be had: only then is the one that came not needed."""
        size_bytes = place.size_bytes - place.prefix_bytes
        return self._packs.intact(place.pack_id, place.offset + place.prefix_bytes, size_bytes, place.digest)

    def resolve(self, item: Item, verdict: Verdict) -> None:
        """Tell everyone who waits for an object what became of it; it is in flight no more."""
        with self._lock:
            if self._items.get(item.arrival.sop_uid) is item:
                del self._items[item.arrival.sop_uid]
            followers, item.followers = item.followers, []
        outcome = verdict.outcome
        for told in (item, *followers):
            if told.pending is not None:
                told.pending.resolve(told.arrival.receipt(outcome))
                told.pending = None
            outcome = Outcome.DUPLICATE if outcome is Outcome.STORED else outcome

    def refuse(self, items: list[Item], error: errors.FileroomError) -> None:
        """Tell every sender of these objects that they are not promised."""
        for item in items:
            item.let_go()
            with self._lock:
                if self._items.get(item.arrival.sop_uid) is item:
                    del self._items[item.arrival.sop_uid]
            self.tell(item, error)

    def tell(self, item: Item, error: errors.FileroomError) -> None:
        """Tell everyone who waits for an object that it is not promised; it stays in flight."""
        with self._lock:
            followers, item.followers = item.followers, []
        for told in (item, *followers):
            if told.pending is not None:
                told.pending.fail(error)
                told.pending = None

    def guarded(self, items: list[Item], act: Callable[[list[Item]], T]) -> T | None:
        """Run a step; whatever goes wrong, the senders hear of it, the thread lives on, and the result is None."""
        try:
            return act(items)
        except Exception as error:  # noqa: BLE001 - the thread all senders wait for must not die
            self.refuse_for(items, error)
            return None

    def refuse_for(self, items: list[Item], error: Exception) -> None:
        """Tell the senders of these objects what went wrong: a defect of ours is for the log alone."""
        if isinstance(error, errors.FileroomError):
            _log.error("storing failed objects=%d reason=%s", len(items), error)
        else:
            _log.error("storing failed objects=%d", len(items), exc_info=error)
            error = errors.StorageFull("storing failed", hint="see the log")
        self.refuse(items, error)


def _same(one: Arrival, other: Arrival) -> bool:
    return one.digest == other.digest and one.transfer_syntax == other.transfer_syntax
