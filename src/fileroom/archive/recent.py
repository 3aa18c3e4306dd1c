"""The studies that changed last: what arrives now, and whether it is still arriving."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.select import visible
from fileroom.database import Database

QUIET_SECONDS = 30  # a study is taken to be complete once nothing of it came for so long
_OBJECTS_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class RecentStudy:
    """One study, as lists of arrivals show it."""

    study_uid: str
    patient_name: str | None
    patient_id: str | None
    study_date: str | None
    study_description: str | None
    modalities: str  # joined by backslash
    series_count: int
    instance_count: int
    updated_ms: int  # when its last object arrived, milliseconds since 1970 UTC
    arriving: bool  # its last object came less than QUIET_SECONDS ago


def recent_studies(database: Database, limit: int) -> list[RecentStudy]:
    """The latest to change, newest first: new studies, and those that the last objects went to.

    Raises DatabaseUnavailable.
    """
    study, patient, series, instance = schema.study.c, schema.patient.c, schema.series.c, schema.instance.c
    last_objects = sa.select(instance.series_pk).order_by(instance.id.desc()).limit(_OBJECTS_LOOKED_AT).subquery()
    grown = sa.select(series.study_pk).where(series.id.in_(sa.select(last_objects.c.series_pk)))
    new = sa.select(sa.select(study.id).order_by(study.id.desc()).limit(2 * limit).subquery().c.id)
    query = (
        sa.select(
            study.study_uid,
            patient.patient_name,
            patient.patient_id,
            study.study_date,
            study.study_description,
            study.modalities,
            study.series_count,
            study.instance_count,
            study.updated_ms,
        )
        .join(schema.patient, patient.id == study.patient_pk)
        .where(visible(), study.id.in_(new.union(grown)))
        .order_by(study.updated_ms.desc(), study.id.desc())
        .limit(limit)
    )
    after_ms = int(time.time() * 1000) - QUIET_SECONDS * 1000
    with database.read() as connection:
        return [RecentStudy(*row, arriving=row.updated_ms > after_ms) for row in connection.execute(query)]
