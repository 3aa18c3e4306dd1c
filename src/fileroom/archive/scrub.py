"""Packs against digests, packs against index, index against packs: every promised byte is read and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.members import Finding, PackReader
from fileroom.archive.packs import Packs
from fileroom.archive.tar import Member
from fileroom.database import Database

_I, _E, _S, _H = schema.instance.c, schema.series.c, schema.study.c, schema.held.c

Progress = Callable[[int, int], None]  # bytes checked, bytes in all


@dataclass(frozen=True, slots=True)
class ScrubReport:
    """What was read and what was found."""

    packs: int
    objects: int
    size_bytes: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the index says lies at an offset."""

    study_uid: str
    series_uid: str
    sop_uid: str
    digest: str
    size_bytes: int


def scrub(database: Database, packs: Packs, progress: Progress = lambda done, total: None) -> ScrubReport:
    """Check everything; changes nothing, and may run while objects arrive. Raises DatabaseUnavailable."""
    with database.read() as connection:
        rows = connection.execute(sa.select(schema.pack).order_by(schema.pack.c.id)).all()
    work = _Scrub(database, packs, sum(row.size_bytes for row in rows), progress)
    for row in rows:
        work.pack(row.id, row.size_bytes)
    strays = set(packs.ids()) - {row.id for row in rows}
    for pack_id in sorted(strays):
        work.stray(pack_id)
    return ScrubReport(len(rows), work.objects, work.done_bytes, tuple(work.findings))


class _Scrub:
    def __init__(self, database: Database, packs: Packs, total_bytes: int, progress: Progress) -> None:
        self._database = database
        self._packs = packs
        self._total_bytes = total_bytes
        self._progress = progress
        self.objects = 0
        self.done_bytes = 0
        self.findings: list[Finding] = []

    def pack(self, pack_id: int, acknowledged: int) -> None:
        known = self._known(pack_id, acknowledged)
        if not self._packs.path(pack_id).exists():
            self.findings.append(Finding("gone", pack_id, 0, f"it held {len(known)} objects"))
            self._missing(pack_id, known)
            return
        with PackReader(self._packs.path(pack_id), pack_id) as reader:
            end = min(acknowledged, reader.size_bytes)
            if reader.size_bytes < acknowledged:
                self.findings.append(
                    Finding("short", pack_id, reader.size_bytes, f"{acknowledged} bytes were acknowledged")
                )
            for member in reader.members(0, end, self.findings.append):
                self._member(reader, member, known.pop(member.offset, None))
                self._progress(self.done_bytes, self._total_bytes)
        self._missing(pack_id, known)

    def stray(self, pack_id: int) -> None:
        """A pack without a row: being written for the first time, or forgotten by the index."""
        with self._database.read() as connection:
            if connection.execute(sa.select(schema.pack.c.id).where(schema.pack.c.id == pack_id)).first():
                return
        if self._packs.path(pack_id).stat().st_size and not self._packs.in_use(pack_id):
            self.findings.append(Finding("stray", pack_id, 0, "run: fileroom rebuild-index"))

    def _member(self, reader: PackReader, member: Member, known: _Known | None) -> None:
        label = member.label
        self.objects += 1
        self.done_bytes += member.end - member.start
        uids = (label.study_uid, label.series_uid, label.sop_uid)
        wrong = reader.check(member)
        if wrong:
            self.findings.append(Finding("rot", reader.pack_id, member.offset, wrong, *uids))
        elif known is None:
            if not self._elsewhere(label.sop_uid, label.digest):
                self.findings.append(Finding("unindexed", reader.pack_id, member.offset, "", *uids))
        elif (known.sop_uid, known.digest, known.size_bytes) != (label.sop_uid, label.digest, member.size_bytes):
            detail = f"the index says {known.sop_uid} with digest {known.digest[:16]}"
            self.findings.append(Finding("rot", reader.pack_id, member.offset, detail, *uids))

    def _missing(self, pack_id: int, known: dict[int, _Known]) -> None:
        for offset, row in sorted(known.items()):
            uids = (row.study_uid, row.series_uid, row.sop_uid)
            self.findings.append(Finding("missing", pack_id, offset, "its bytes are not to be found", *uids))

    def _known(self, pack_id: int, acknowledged: int) -> dict[int, _Known]:
        """By offset. What arrived after the promise was read is not looked for."""
        live = (
            sa.select(_I.offset, _S.study_uid, _E.series_uid, _I.sop_uid, _I.digest, _I.size_bytes)
            .select_from(schema.IN_STUDIES)
            .where(_I.pack_id == pack_id, _I.offset < acknowledged)
        )
        held = sa.select(_H.offset, _H.study_uid, _H.series_uid, _H.sop_uid, _H.digest, _H.size_bytes).where(
            _H.pack_id == pack_id, _H.offset < acknowledged
        )
        with self._database.read() as connection:
            return {row[0]: _Known(*row[1:]) for part in (live, held) for row in connection.execute(part)}

    def _elsewhere(self, sop_uid: str, digest: str) -> bool:
        """The same bytes lie in another place too, which the index uses: sent twice at the same moment."""
        live = sa.select(_I.id).where(_I.sop_uid == sop_uid, _I.digest == digest)
        held = sa.select(_H.id).where(_H.sop_uid == sop_uid, _H.digest == digest)
        with self._database.read() as connection:
            return any(connection.execute(part).first() for part in (live, held))
