"""Makes the index anew from the packs and the records, with equal answers.

Objects are replayed in the order they arrived in, across packs, so that every "first one wins" falls as it did before.
Rot is reported against the recorded digest, never given a new one. Records are not touched.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema, tar
from fileroom.archive.arrival import Arrival
from fileroom.archive.index import Index
from fileroom.archive.members import Finding, PackReader
from fileroom.archive.packs import Packs
from fileroom.archive.tar import Member
from fileroom.database import METADATA, Database, Ids

_BATCH = 2000

Progress = Callable[[int, int], None]  # bytes read, bytes in all


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What the new index holds and what was found on the way."""

    packs: int
    objects: int  # in the index
    held: int  # left to a person, as recorded before
    findings: tuple[Finding, ...]


def rebuild_index(database: Database, packs: Packs, progress: Progress = lambda done, total: None) -> RebuildReport:
    """Drop the index and make it anew, in one transaction: until it is done, the old one answers.

    Nobody may write meanwhile. Raises DatabaseUnavailable, StorageFull; the old index is then still there.
    """
    ids = packs.ids()
    with database.write() as connection:
        tables = [METADATA.tables[name] for name in schema.SHADOWS]
        METADATA.drop_all(connection, tables)
        METADATA.create_all(connection, tables)
        work = _Rebuild(connection, packs, ids, progress)
        work.run()
    return RebuildReport(len(ids), work.objects, work.held, tuple(work.findings))


class _Rebuild:
    def __init__(self, connection: sa.Connection, packs: Packs, ids: list[int], progress: Progress) -> None:
        self._connection = connection
        self._packs = packs
        self._ids = ids
        self._progress = progress
        self._index = Index(Ids())
        self._total_bytes = sum(packs.path(pack_id).stat().st_size for pack_id in ids)
        self._done_bytes = 0
        self._ends: dict[int, int] = {}
        self.objects = 0
        self.held = 0
        self.findings: list[Finding] = []

    def run(self) -> None:
        decided = self._decided()
        batch: list[Arrival] = []
        for reader, member in self._in_order():
            self._done_bytes += member.end - member.start
            if (member.label.sop_uid, member.label.digest) in decided:
                self.held += 1
                continue
            arrival = self._arrival(reader, member)
            if arrival is not None:
                batch.append(arrival)
            if len(batch) >= _BATCH:
                self._record(batch)
        self._record(batch)
        self._record_packs()

    def _decided(self) -> set[tuple[str, str]]:
        columns = schema.held.c
        return {(uid, digest) for uid, digest in self._connection.execute(sa.select(columns.sop_uid, columns.digest))}

    def _in_order(self) -> Iterator[tuple[PackReader, Member]]:
        """Every member of every pack by sequence. A pack is opened only when its turn comes."""
        waiting = sorted((first, pack_id) for pack_id in self._ids if (first := self._first(pack_id)) is not None)
        waiting.reverse()
        heads: list[tuple[int, int, Member, _Open]] = []
        with ExitStack() as stack:
            while waiting or heads:
                while waiting and (not heads or waiting[-1][0] <= heads[0][0]):
                    self._push(heads, stack.enter_context(_Open(self._packs, waiting.pop()[1], self._found)))
                _, _, member, opened = heapq.heappop(heads)
                yield opened.reader, member
                self._push(heads, opened)

    def _found(self, finding: Finding) -> None:
        self.findings.append(finding)

    def _push(self, heads: list[tuple[int, int, Member, _Open]], opened: _Open) -> None:
        member = next(opened.members, None)
        pack_id = opened.reader.pack_id
        if member is None:
            opened.close()
            self._ends.setdefault(pack_id, 0)
            return
        self._ends[pack_id] = member.end
        heapq.heappush(heads, (member.label.sequence, member.offset, member, opened))

    def _first(self, pack_id: int) -> int | None:
        with PackReader(self._packs.path(pack_id), pack_id) as reader:
            member = next(reader.members(0, reader.size_bytes, lambda finding: None), None)
            if member is None and reader.size_bytes > 0:
                for _ in reader.members(0, reader.size_bytes, self._found):
                    pass
        return None if member is None else member.label.sequence

    def _arrival(self, reader: PackReader, member: Member) -> Arrival | None:
        label = member.label
        uids = (label.study_uid, label.series_uid, label.sop_uid)
        try:
            arrival, wrong = reader.arrival(member)
        except errors.RefusedObject as error:
            kind = "rot" if reader.check(member) else "unreadable"
            self.findings.append(Finding(kind, reader.pack_id, member.offset, str(error), *uids))
            return None
        if wrong:
            self.findings.append(Finding("rot", reader.pack_id, member.offset, wrong, *uids))
        return arrival

    def _record(self, batch: list[Arrival]) -> None:
        verdicts = self._index.record(self._connection, batch)
        self.objects += sum(verdict.outcome == "stored" for verdict in verdicts)
        batch.clear()
        self._progress(self._done_bytes, self._total_bytes)

    def _record_packs(self) -> None:
        rows = []
        for pack_id in self._ids:
            end = self._ends.get(pack_id, 0)
            finished = self._packs.path(pack_id).stat().st_size == end + len(tar.END)  # else the next start closes it
            rows.append({"id": pack_id, "size_bytes": end, "closed": finished, "created_ms": Ids.time_ms(pack_id)})
        if rows:
            self._connection.execute(sa.insert(schema.pack), rows)


class _Open:
    """A pack being read, and where the reading is."""

    def __init__(self, packs: Packs, pack_id: int, report: Callable[[Finding], None]) -> None:
        self.reader = PackReader(packs.path(pack_id), pack_id)
        self.members = self.reader.members(0, self.reader.size_bytes, report)
        self._closed = False

    def __enter__(self) -> _Open:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.reader.__exit__()
