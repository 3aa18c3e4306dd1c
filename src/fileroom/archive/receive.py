"""Taking objects in: what the doors call. One receiver a process.

A door opens an intake, writes the bytes it gets, submits, and answers its sender after `Pending.wait` returned.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from fileroom.archive import schema, tar
from fileroom.archive.arrival import Outcome, Receipt, Source
from fileroom.archive.buffers import Buffers
from fileroom.archive.commit import Committer
from fileroom.archive.inflight import Pending, Watch
from fileroom.archive.intake import Intake, Shared
from fileroom.archive.packs import Packs
from fileroom.database import Database, Ids
from fileroom.dicom import part10

__all__ = ["Intake", "Outcome", "Pending", "Receipt", "ReceiveLimits", "Receiver", "Source", "Watch"]


@dataclass(frozen=True, slots=True)
class ReceiveLimits:
    """Bounds on what is taken in."""

    object_bytes_max: int = 4 << 30  # larger objects are refused
    buffered_bytes_max: int = 32 << 20  # larger objects stream into a pack of their own
    memory_bytes_max: int = 256 << 20  # all objects on their way in, together
    pack_bytes_max: int = 1 << 30  # a pack this large is closed
    pack_age_seconds_max: float = 24 * 3600  # and one this old


def _newest_key(database: Database, packs: Packs) -> int:
    """The largest key in use. Raises DatabaseUnavailable."""
    tables = (schema.instance, schema.held, schema.series, schema.study, schema.patient, schema.removed_pack)
    with database.read() as connection:
        keys = [connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0 for table in tables]
    return max([*keys, *packs.ids()])


class Receiver:
    """Takes objects in and makes them durable. Thread-safe; `start` before use, `stop` at the end.

    Raises DatabaseUnavailable.
    """

    def __init__(
        self, database: Database, packs: Packs, limits: ReceiveLimits = ReceiveLimits(), watch: Watch | None = None
    ) -> None:
        ids = Ids(after=_newest_key(database, packs))
        self.committer = Committer(
            database,
            packs,
            ids,
            pack_bytes_max=limits.pack_bytes_max,
            pack_age_seconds_max=limits.pack_age_seconds_max,
            watch=watch,
        )
        self._shared = Shared(
            Buffers(limits.memory_bytes_max, limits.buffered_bytes_max),
            self.committer,
            packs,
            ids,
            limits.buffered_bytes_max,
            min(limits.object_bytes_max, tar.OBJECT_BYTES_MAX),
            watch,
        )

    def start(self) -> None:
        self.committer.start()

    def stop(self) -> None:
        """Finish what was submitted, then end."""
        self.committer.stop()

    def dataset(
        self, source: Source, transfer_syntax: str, sop_class_uid: str, sop_uid: str, calling_ae: str
    ) -> Intake:
        """An intake for a dataset that comes without file meta information (C-STORE).

        Its `submit` raises SopMismatch when the dataset is of another SOP class or instance.
        """
        prefix = part10.prefix(sop_class_uid, sop_uid, transfer_syntax, calling_ae)
        return Intake(source, prefix, self._shared, transfer_syntax, sop=(sop_class_uid, sop_uid))

    def file(self, source: Source, size_bytes: int | None = None) -> Intake:
        """An intake for a whole Part 10 file (STOW-RS, import)."""
        return Intake(source, b"", self._shared, size_hint=size_bytes or 0)
