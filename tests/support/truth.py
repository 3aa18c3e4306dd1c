"""Whether an archive's packs and index agree, in every way there is to ask."""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.packs import Packs
from fileroom.archive.scrub import scrub
from fileroom.database import Database
from tests.support.fileroom import FileroomServer


def opened(server: FileroomServer) -> tuple[Database, Packs]:
    """The database and the packs of a server, from outside."""
    url = server.environment.get("FILEROOM_DATABASE_URL") or f"sqlite:///{server.home / 'fileroom.sqlite'}"
    return Database(url), Packs(server.home / "packs")


def disagreements(server: FileroomServer, *, read_everything: bool = True) -> list[str]:
    """What is wrong: findings of scrub, and counts that are not the number of rows they count."""
    database, packs = opened(server)
    try:
        findings = (
            [f"{f.kind} {f.sop_uid} {f.detail}" for f in scrub(database, packs).findings] if read_everything else []
        )
        return findings + wrong_counts(database)
    finally:
        database.close()


def wrong_counts(database: Database) -> list[str]:
    """Counts in the index that differ from the rows they count."""
    instance, series, study, patient = (t.c for t in (schema.instance, schema.series, schema.study, schema.patient))
    per_series = sa.select(sa.func.count()).where(instance.series_pk == series.id).scalar_subquery()
    of_study = schema.instance.join(schema.series, series.id == instance.series_pk)
    per_study = sa.select(sa.func.count()).select_from(of_study).where(series.study_pk == study.id).scalar_subquery()
    size = sa.select(sa.func.sum(instance.size_bytes)).select_from(of_study).where(series.study_pk == study.id)
    questions = {
        "series.instance_count": sa.select(series.series_uid, series.instance_count, per_series),
        "study.instance_count": sa.select(study.study_uid, study.instance_count, per_study),
        "study.size_bytes": sa.select(study.study_uid, study.size_bytes, size.scalar_subquery()),
        "study.series_count": sa.select(
            study.study_uid,
            study.series_count,
            sa.select(sa.func.count()).select_from(schema.series).where(series.study_pk == study.id).scalar_subquery(),
        ),
        "patient.study_count": sa.select(
            sa.cast(patient.id, sa.Text),
            patient.study_count,
            sa.select(sa.func.count())
            .select_from(schema.study)
            .where(study.patient_pk == patient.id)
            .scalar_subquery(),
        ),
    }
    with database.read() as connection:
        return [
            f"{name} of {key} is {stated}, counted {counted}"
            for name, question in questions.items()
            for key, stated, counted in connection.execute(question)
            if stated != counted
        ]


def served(server: FileroomServer) -> int:
    """How many instances the index holds."""
    database, _ = opened(server)
    try:
        with database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(schema.instance)).scalar_one())
    finally:
        database.close()
