"""Makes the index anew from the packs and the records, with equal answers.

Objects are replayed in the order they arrived in, across packs, so that every "first one wins" falls as it did before.
Then the decisions that stand are applied, in the order they were taken, and what was turned away only because they
were not applied yet is judged again. Rot is reported against the recorded digest,
never given a new one. Records are not touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom.archive import schema, tar
from fileroom.archive.arrival import Arrival, HeldKey, Outcome
from fileroom.archive.exchange import exchange, file
from fileroom.archive.index import Index
from fileroom.archive.kept import FORMER, served_object
from fileroom.archive.members import Finding
from fileroom.archive.packs import Packs
from fileroom.archive.removal import finish_removals
from fileroom.archive.replay import replay
from fileroom.archive.verdicts import applied, names_another
from fileroom.database import METADATA, Database, Ids

Progress = Callable[[int, int], None]  # bytes read, bytes in all


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What the new index holds and what was found on the way."""

    packs: int
    objects: int  # in the index
    held: int  # kept apart, as recorded before or, where no record of it is left, as when it arrived
    findings: tuple[Finding, ...]


def rebuild_index(database: Database, packs: Packs, progress: Progress = lambda done, total: None) -> RebuildReport:
    """Drop the index and make it anew, in one transaction: until it is done, the old one answers.

    Nobody may write meanwhile. Raises DatabaseUnavailable, StorageFull; the old index is then still there.
    """
    removed = finish_removals(database, packs)
    ids = [pack_id for pack_id in packs.ids() if pack_id not in removed]
    with database.write() as connection:
        promised = _promised(connection)
        tables = [METADATA.tables[name] for name in schema.SHADOWS]
        METADATA.drop_all(connection, tables)
        METADATA.create_all(connection, tables)
        work = _Rebuild(connection, packs, ids, promised, progress)
        work.run()
    return RebuildReport(len(ids), work.objects, work.held, tuple(work.findings))


class _Rebuild:
    def __init__(
        self,
        connection: sa.Connection,
        packs: Packs,
        ids: list[int],
        promised: dict[int, tuple[int, bool]],
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._packs = packs
        self._ids = ids
        self._promised = promised
        self._progress = progress
        self._index = Index(Ids())
        self._ends: dict[int, int] = {}
        self._came: dict[HeldKey, Arrival] = {}  # the held objects that decisions use
        self._turned_away: list[Arrival] = []  # served before, and held by this rebuild
        self.objects = 0
        self.held = 0
        self.findings: list[Finding] = []

    def run(self) -> None:
        columns = schema.held.c
        query = sa.select(columns.sop_uid, columns.digest, columns.transfer_syntax).where(columns.kind != FORMER)
        apart = {tuple(row) for row in self._connection.execute(query)}
        decisions = applied(self._connection)
        wanted = {key for _, _, key in decisions}
        total = sum(self._packs.path(pack_id).stat().st_size for pack_id in self._ids)
        done = 0
        for batch in replay(self._packs, self._ids):
            arrivals = [one for one in batch.arrivals if one.held_key not in apart]
            for one in batch.arrivals:
                if one.held_key in wanted and (one.repairs or one.held_key not in self._came):
                    self._came[one.held_key] = one
            self.held += len(batch.arrivals) - len(arrivals)
            verdicts = self._index.record(self._connection, arrivals)
            self.objects += sum(verdict.outcome is Outcome.STORED for verdict in verdicts)
            if decisions:
                held = (one for one, said in zip(arrivals, verdicts, strict=True) if said.outcome is Outcome.HELD)
                self._turned_away += held
            self.held += sum(verdict.outcome in (Outcome.CONFLICT, Outcome.HELD) for verdict in verdicts)
            self.findings += batch.findings
            self._ends |= batch.ends
            done += batch.size_bytes
            self._progress(done, total)
        for held_id, _, key in decisions:
            self._decide(held_id, key)
        for arrival in self._turned_away:
            self._judge_again(arrival)
        self._record_packs()

    def _decide(self, held_id: int, key: HeldKey) -> None:
        """Serve an object that a person decided to be used."""
        arrival, served = self._came.get(key), served_object(self._connection, key[0])
        if arrival is None:
            why = "a person decided that it be used, and no pack holds it"
            self.findings.append(Finding("missing", 0, 0, why, sop_uid=key[0]))
        elif served is None:
            arrival.sequence = held_id
            file(self._connection, self._packs, self._index, arrival)
            self.objects += 1
            self.held -= 1
        else:
            exchange(self._connection, self._packs, served, arrival)

    def _judge_again(self, arrival: Arrival) -> None:
        """Serve an object that was taken for another patient's as things were before the decisions."""
        if names_another(self._connection, arrival) or served_object(self._connection, arrival.sop_uid) is not None:
            return
        held, (sop_uid, digest, transfer_syntax) = schema.held.c, arrival.held_key
        this = (held.sop_uid == sop_uid, held.digest == digest, held.transfer_syntax == transfer_syntax)
        self._connection.execute(sa.delete(schema.held).where(*this))
        file(self._connection, self._packs, self._index, arrival)
        self.objects += 1

    def _record_packs(self) -> None:
        """What was promised stays promised: a pack that is gone, short or damaged at its end is not laundered."""
        rows = []
        for pack_id in sorted({*self._ids, *self._promised}):
            promised, closed = self._promised.get(pack_id, (0, False))
            size = self._packs.path(pack_id).stat().st_size if pack_id in self._ids else None
            end = max(self._ends.get(pack_id, 0), promised)
            if size is None and promised:
                self.findings.append(Finding("gone", pack_id, 0, f"{promised} bytes were acknowledged"))
            elif size is not None and size < promised:
                self.findings.append(Finding("short", pack_id, size, f"{promised} bytes were acknowledged"))
            finished = closed or size == end + len(tar.END)  # else the next start closes it
            rows.append({"id": pack_id, "size_bytes": end, "closed": finished, "created_ms": Ids.time_ms(pack_id)})
        if rows:
            self._connection.execute(sa.insert(schema.pack), rows)


def _promised(connection: sa.Connection) -> dict[int, tuple[int, bool]]:
    """Pack id to its acknowledged size and whether it is closed, as the old index knows it; {} when it is gone."""
    if not sa.inspect(connection).has_table(schema.pack.name):
        return {}
    columns = schema.pack.c
    rows = connection.execute(sa.select(columns.id, columns.size_bytes, columns.closed))
    return {pack_id: (size_bytes, closed) for pack_id, size_bytes, closed in rows}
