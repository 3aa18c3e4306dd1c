"""The objects kept apart for a person: conflicts, and studies claimed by two patients or sites. Kept, not served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.kept import FORMER
from fileroom.database import Database

KINDS = {
    "conflict": "same SOP Instance UID as an object here, other bytes",
    "patient": "its study belongs to another patient here",
    "site": "its study belongs to another site here",
}


@dataclass(frozen=True, slots=True)
class HeldObject:
    """One object that is kept apart, or was until a person decided."""

    id: int
    kind: str  # see KINDS
    verdict: str | None  # what a person decided (see archive.verdicts); None: it waits
    study_uid: str
    series_uid: str
    sop_uid: str
    digest: str  # of the held bytes
    live_digest: str | None  # of the object that is served under this SOP Instance UID; None when there is none
    source: str  # door and peer
    arrived_ms: int  # since 1970 UTC
    pack_id: int
    offset: int
    size_bytes: int


def held_objects(
    database: Database,
    *,
    limit: int | None = None,
    decided: bool = False,
    before: int | None = None,
    study_uid: str | None = None,
) -> list[HeldObject]:
    """What waits for a person, newest first; with `decided`, what was decided too. Raises DatabaseUnavailable.

    `before`: go on behind the object with this number. `study_uid`: only what concerns this study, see `held_of_study`.
    """
    held = schema.held.c
    query = _QUERY.where(held.kind != FORMER).order_by(held.id.desc()).limit(limit)
    if not decided:
        query = query.where(held.verdict.is_(None))
    if before is not None:
        query = query.where(held.id < before)
    if study_uid is not None:
        query = query.where(_of_study(study_uid))
    with database.read() as connection:
        rows: Iterable[Any] = connection.execute(query).all()
        return [HeldObject(*row) for row in rows]


def held_with_id(connection: sa.Connection, held_id: int, *, lock: bool = False) -> HeldObject | None:
    """One of them. `lock`: nobody else changes it before the transaction ends."""
    held = schema.held.c
    if lock:
        connection.execute(sa.select(held.id).where(held.id == held_id).with_for_update())
    row: Any = connection.execute(_QUERY.where(held.id == held_id, held.kind != FORMER)).first()
    return None if row is None else HeldObject(*row)


def held_counts(database: Database, *, decided: bool = False) -> dict[str, int]:
    """How many objects of each kind wait for a person; with `decided`, how many do no longer.

    Raises DatabaseUnavailable.
    """
    held = schema.held.c
    which = held.verdict.is_not(None) if decided else held.verdict.is_(None)
    query = sa.select(held.kind, sa.func.count()).where(which, held.kind != FORMER).group_by(held.kind)
    with database.read() as connection:
        return {str(kind): int(count) for kind, count in connection.execute(query)}


def held_of_study(database: Database, study_uid: str) -> int:
    """How many objects wait for a person that name this study, or have the UID of an object in it.

    Raises DatabaseUnavailable.
    """
    held = schema.held.c
    waits = (held.verdict.is_(None), held.kind != FORMER, _of_study(study_uid))
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.held).where(*waits)).scalar_one()


def _of_study(study_uid: str) -> sa.ColumnElement[bool]:
    """Looks at what is held rather than at the study: that is less."""
    held, live, series, study = (table.c for table in (schema.held, schema.instance, schema.series, schema.study))
    served = sa.select(live.id).join(schema.series, series.id == live.series_pk)
    served = served.join(schema.study, study.id == series.study_pk)
    in_study = served.where(live.sop_uid == held.sop_uid, study.study_uid == study_uid).correlate(schema.held)
    return sa.or_(held.study_uid == study_uid, in_study.exists())


_HELD, _LIVE = schema.held.c, schema.instance.c
_QUERY = sa.select(
    _HELD.id,
    _HELD.kind,
    _HELD.verdict,
    _HELD.study_uid,
    _HELD.series_uid,
    _HELD.sop_uid,
    _HELD.digest,
    _LIVE.digest,
    _HELD.source,
    _HELD.arrived_ms,
    _HELD.pack_id,
    _HELD.offset,
    _HELD.size_bytes,
).select_from(schema.held.outerjoin(schema.instance, _LIVE.sop_uid == _HELD.sop_uid))


def oldest_held_ms(database: Database) -> tuple[int, int | None]:
    """How many objects wait for a person, and when the first of them arrived. Raises DatabaseUnavailable."""
    query = sa.select(sa.func.count(), sa.func.min(_HELD.arrived_ms)).where(
        _HELD.verdict.is_(None), _HELD.kind != FORMER
    )
    with database.read() as connection:
        count, oldest = connection.execute(query).one()
    return int(count), None if oldest is None else int(oldest)
