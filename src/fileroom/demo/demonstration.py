"""Loading the demonstration into an archive, and taking all of it out again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.arrival import Source
from fileroom.archive.packs import Packs
from fileroom.archive.receive import Pending, Receiver
from fileroom.archive.removal import Removal, remove_packs
from fileroom.database import Database
from fileroom.demo.studies import objects

DOOR = "demo"
_WAITING_MAX = 32  # objects handed over and not yet durable

Progress = Callable[[int], None]  # objects dealt with


def load(receiver: Receiver, site: str, progress: Progress = lambda objects: None) -> Counter[str]:
    """Store every object of the demonstration; how many by outcome. The receiver's packs must hold nothing else.

    Raises StorageFull, DatabaseUnavailable: run it again to go on.
    """
    counts: Counter[str] = Counter()
    waiting: deque[Pending] = deque()
    source = Source(DOOR, "demonstration", site)

    def settle() -> None:
        counts[str(waiting.popleft().wait().outcome)] += 1
        progress(counts.total())

    for file in objects():
        with receiver.file(source, len(file)) as intake:
            intake.write(file)
            waiting.append(intake.submit())
        if len(waiting) > _WAITING_MAX:
            settle()
    while waiting:
        settle()
    return counts


def present(database: Database) -> int:
    """How many objects of the demonstration are here. Raises DatabaseUnavailable."""
    with database.read() as connection:
        query = sa.select(sa.func.count()).where(schema.instance.c.source.startswith(f"{DOOR}:"))
        return connection.execute(query).scalar_one()


def remove(database: Database, packs: Packs, documents: Path) -> Removal:
    """Take the demonstration out: rows, documents and files. What anybody else sent is never touched.

    The caller holds the writers' lock. Raises DatabaseUnavailable, StorageFull.
    """
    with database.read() as connection:
        query = sa.select(schema.instance.c.pack_id).where(schema.instance.c.source.startswith(f"{DOOR}:")).distinct()
        pack_ids = list(connection.execute(query).scalars())
    return remove_packs(database, packs, pack_ids, DOOR, documents)
