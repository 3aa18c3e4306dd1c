"""Packs taken out whole, with all they hold. Only packs in which every object came through one named door can go:
what a demonstration stored, never what anybody sent.

The index rows go and the packs are noted as removed in one transaction; then the files go. Cut off between the two,
the next start (or `rebuild-index`) removes the files that are noted, so that nothing of them comes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.document_files import discard_documents
from fileroom.archive.kept import FORMER
from fileroom.archive.members import Finding, PackReader
from fileroom.archive.packs import Packs, storage_error, sync_folder
from fileroom.database import Database, lost_race

_log = logging.getLogger("fileroom.archive")
_RACES_MAX = 5

_I, _E, _S, _P, _H = schema.instance.c, schema.series.c, schema.study.c, schema.patient.c, schema.held.c
_REMOVED = schema.removed_pack


@dataclass(frozen=True, slots=True)
class Removal:
    """What was taken out, and what was not."""

    packs: int
    objects: int
    studies: int  # that are gone
    size_bytes: int  # of the packs
    refused: tuple[int, ...]  # packs left alone: being written, damaged, or holding something else
    left: tuple[str, ...]  # studies that lost objects and still hold others


def remove_packs(database: Database, packs: Packs, pack_ids: Iterable[int], door: str, documents: Path) -> Removal:
    """Take out those of these packs that hold nothing but objects that came through `door`.

    `documents`: the folder of metadata documents, from which those of the series that go are deleted.
    Returns after it survives power loss. The caller holds the writers' lock, so that no rebuild runs meanwhile.
    Raises DatabaseUnavailable; StorageFull when a file cannot be deleted: the next start tries again.
    """
    wanted = sorted(set(pack_ids))
    alone = [pack_id for pack_id in wanted if _came_through(packs, pack_id, door)]
    for attempt in range(_RACES_MAX):
        try:
            with database.write() as connection:
                work = _Removing(connection, door)
                going = work.run(alone)
            break
        except (IntegrityError, errors.DatabaseUnavailable) as error:
            if not lost_race(error) or attempt == _RACES_MAX - 1:
                raise
    size = sum(packs.path(pack_id).stat().st_size for pack_id in going if packs.path(pack_id).exists())
    discard_documents(documents, work.series_gone)
    _delete(packs, going)
    refused = tuple(pack_id for pack_id in wanted if pack_id not in going)
    return Removal(len(going), work.objects, work.studies, size, refused, tuple(sorted(work.left)))


def finish_removals(database: Database, packs: Packs) -> set[int]:
    """Delete what a removal that was cut off left on the disk; the packs that were taken out, ever.

    A file is deleted only when all it holds came through the noted door. Raises DatabaseUnavailable.
    """
    with database.read() as connection:
        noted = {row.id: row.door for row in connection.execute(sa.select(_REMOVED.c.id, _REMOVED.c.door))}
    there = noted.keys() & set(packs.ids())
    try:
        _delete(packs, [pack_id for pack_id in there if _came_through(packs, pack_id, noted[pack_id])])
    except errors.StorageFull as error:
        _log.error("a removed pack is still on the disk: %s", error)
    return set(noted)


def _delete(packs: Packs, pack_ids: list[int]) -> None:
    """Take the files away; returns after that survives power loss. Raises StorageFull."""
    if not pack_ids:
        return
    packs.forget(pack_ids)
    try:
        for pack_id in pack_ids:
            packs.path(pack_id).unlink(missing_ok=True)
        sync_folder(packs.folder)
    except OSError as error:
        raise storage_error(error) from error
    _log.warning("packs removed count=%d", len(pack_ids))


def _came_through(packs: Packs, pack_id: int, door: str) -> bool:
    """Whether the pack is whole, nobody writes it, and every object in it came through that door."""
    try:
        if packs.in_use(pack_id):
            return False
        findings: list[Finding] = []
        with PackReader(packs.path(pack_id), pack_id) as reader:
            sources = {m.label.source for m in reader.members(0, reader.size_bytes, findings.append)}
    except OSError:
        return False
    return not findings and all(source.partition(":")[0] == door for source in sources)


class _Removing:
    """The rows of some packs, inside one transaction."""

    def __init__(self, connection: sa.Connection, door: str) -> None:
        self._connection = connection
        self._door = door
        self.objects = 0
        self.studies = 0
        self.series_gone: list[int] = []
        self.left: set[str] = set()  # studies

    def run(self, pack_ids: list[int]) -> list[int]:
        """Delete the rows and note the packs; those that go. A pack that the index connects with another door stays."""
        going = [pack_id for pack_id in pack_ids if not self._others(pack_id)]
        rows = self._connection.execute(
            sa.select(_E.id, _E.study_pk)
            .where(sa.exists().where(_I.series_pk == _E.id, _I.pack_id.in_(going)))
            .order_by(_E.id)
            .with_for_update()
        ).all()
        series, studies = [row.id for row in rows], sorted({row.study_pk for row in rows})
        self._lock(schema.study, studies)
        self.objects = self._execute(sa.delete(schema.instance).where(_I.pack_id.in_(going)))
        self._execute(sa.delete(schema.held).where(_H.pack_id.in_(going)))
        for pk in series:
            self._settle_series(pk)
        patients = {self._settle_study(pk) for pk in studies}
        for pk in sorted(patients):
            self._settle_patient(pk)
        self._note(going)
        return going

    def _execute(self, statement: sa.Delete | sa.Update) -> int:
        return self._connection.execute(statement).rowcount

    def _lock(self, table: sa.Table, keys: list[int]) -> None:
        self._connection.execute(
            sa.select(table.c.id).where(table.c.id.in_(keys)).order_by(table.c.id).with_for_update()
        ).all()

    def _others(self, pack_id: int) -> bool:
        mine = f"{self._door}:"
        for column, source in ((_I.pack_id, _I.source), (_H.pack_id, _H.source)):
            other = sa.select(source).where(column == pack_id, sa.not_(source.startswith(mine, autoescape=True)))
            if self._connection.execute(other.limit(1)).first() is not None:
                return True
        replaced = (  # an object of another door, which would be in no answer once the one in its place is gone
            sa.select(_H.id)
            .join(schema.instance, _I.sop_uid == _H.sop_uid)
            .where(_I.pack_id == pack_id, _H.kind == FORMER, sa.not_(_H.source.startswith(mine, autoescape=True)))
        )
        return self._connection.execute(replaced.limit(1)).first() is not None

    def _count(self, column: sa.ColumnElement[int], pk: int) -> int:
        return int(self._connection.execute(sa.select(sa.func.count()).where(column == pk)).scalar_one())

    def _settle_series(self, pk: int) -> None:
        left = self._count(_I.series_pk, pk)
        if left:
            changes = {"instance_count": left, "revision": _E.revision + 1, "updated_ms": _now()}
            self._execute(sa.update(schema.series).where(_E.id == pk).values(changes))
            return
        self._execute(sa.delete(schema.series).where(_E.id == pk))
        self.series_gone.append(pk)

    def _settle_study(self, pk: int) -> int:
        """Delete the study, or count anew what is left of it; its patient."""
        study = self._connection.execute(sa.select(_S.patient_pk, _S.study_uid).where(_S.id == pk)).one()
        series = self._connection.execute(sa.select(_E.id, _E.modality).where(_E.study_pk == pk)).all()
        if not series:
            self._execute(sa.delete(schema.study).where(_S.id == pk))
            record = schema.hidden_study
            self._execute(sa.delete(record).where(record.c.study_uid == study.study_uid))
            self.studies += 1
            return int(study.patient_pk)
        totals = sa.select(sa.func.count(), sa.func.sum(_I.size_bytes)).where(_I.series_pk.in_([s.id for s in series]))
        objects, size = self._connection.execute(totals).one()
        changes = {
            "series_count": len(series),
            "instance_count": objects,
            "size_bytes": size,
            "modalities": "\\".join(sorted({s.modality for s in series if s.modality is not None})),
            "revision": _S.revision + 1,
            "updated_ms": _now(),
        }
        self._execute(sa.update(schema.study).where(_S.id == pk).values(changes))
        self.left.add(study.study_uid)
        return int(study.patient_pk)

    def _settle_patient(self, pk: int) -> None:
        self._lock(schema.patient, [pk])
        left = self._count(_S.patient_pk, pk)
        if left:
            self._execute(sa.update(schema.patient).where(_P.id == pk).values(study_count=left))
        else:
            self._execute(sa.delete(schema.patient).where(_P.id == pk))

    def _note(self, pack_ids: list[int]) -> None:
        if not pack_ids:
            return
        self._execute(sa.delete(schema.pack).where(schema.pack.c.id.in_(pack_ids)))
        rows = [{"id": pack_id, "door": self._door, "removed_ms": _now()} for pack_id in pack_ids]
        self._connection.execute(sa.insert(_REMOVED), rows)


def _now() -> int:
    return int(time.time() * 1000)
