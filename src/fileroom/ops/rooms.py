"""The archive's rooms, opened on a home: what the server and `import` work with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fileroom.archive.heal import HealReport, heal
from fileroom.archive.packs import Packs
from fileroom.archive.peers import Peers
from fileroom.archive.retrieve import Retriever
from fileroom.archive.search import Search
from fileroom.database import Database
from fileroom.ops import locks, options
from fileroom.ops.limits import receive_limits
from fileroom.ops.measured import MeasuredReceiver
from fileroom.ops.metrics import Metrics
from fileroom.settings import Settings


@dataclass(frozen=True, slots=True)
class Rooms:
    """One archive, open for reading and writing."""

    database: Database
    packs: Packs
    receiver: MeasuredReceiver
    search: Search
    retriever: Retriever
    peers: Peers
    healed: HealReport  # what a crash had left behind


@contextmanager
def open_rooms(settings: Settings, metrics: Metrics | None = None) -> Iterator[Rooms]:
    """Bring the home up to date, put right what a crash left, and take objects in until the end.

    Raises BadSetting, InUse while the index is being rebuilt, StorageFull, DatabaseUnavailable.
    """
    options.make_home(settings)
    with locks.writing(settings.home), options.open_database(settings, make=True) as database:
        packs = Packs(settings.packs)
        healed = heal(database, packs)
        receiver = MeasuredReceiver(database, packs, receive_limits(settings))
        receiver.metrics = metrics
        receiver.start()
        try:
            yield Rooms(
                database, packs, receiver, Search(database), Retriever(database, packs), Peers(database), healed
            )
        finally:
            receiver.stop()
