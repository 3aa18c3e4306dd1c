"""The objects that wait for a person: conflicts, and studies claimed by two patients or sites. Kept, not served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.database import Database

KINDS = {
    "conflict": "same SOP Instance UID as an object here, other bytes",
    "patient": "its study belongs to another patient here",
    "site": "its study belongs to another site here",
}


@dataclass(frozen=True, slots=True)
class HeldObject:
    """One object that is kept apart."""

    id: int
    kind: str  # see KINDS
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


def held_objects(database: Database, *, limit: int | None = None) -> list[HeldObject]:
    """What waits for a person, newest first. Raises DatabaseUnavailable."""
    held, live = schema.held.c, schema.instance.c
    query = (
        sa.select(
            held.id,
            held.kind,
            held.study_uid,
            held.series_uid,
            held.sop_uid,
            held.digest,
            live.digest,
            held.source,
            held.arrived_ms,
            held.pack_id,
            held.offset,
            held.size_bytes,
        )
        .select_from(schema.held.outerjoin(schema.instance, live.sop_uid == held.sop_uid))
        .order_by(held.id.desc())
        .limit(limit)
    )
    with database.read() as connection:
        rows: Iterable[Any] = connection.execute(query).all()
        return [HeldObject(*row) for row in rows]


def held_counts(database: Database) -> dict[str, int]:
    """How many objects of each kind wait. Raises DatabaseUnavailable."""
    held = schema.held.c
    with database.read() as connection:
        found = connection.execute(sa.select(held.kind, sa.func.count()).group_by(held.kind))
        return {kind: count for kind, count in found}  # noqa: C416 - rows, not pairs
