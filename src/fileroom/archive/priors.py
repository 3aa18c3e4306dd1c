"""What a study is compared with."""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.database import Database


def prior_study(database: Database, study_uid: str, modality: str) -> str | None:
    """The study UID of the latest earlier study of the same patient that has series of the modality.

    None when there is no such study, or nobody can say what is earlier: the study has no date or is not here. Hidden
    studies do not count. Who is the same patient is the archive's rule: a blank patient ID is nobody's.
    """
    of = schema.study.alias("of").c
    other = schema.study.c
    statement = (
        sa.select(of.study_date, of.study_time, other.study_uid, other.study_date, other.study_time, other.modalities)
        .where(of.study_uid == study_uid, of.hidden.is_(False), other.patient_pk == of.patient_pk, other.id != of.id)
        .where(other.hidden.is_(False), other.study_date <= of.study_date)
        .order_by(other.study_date.desc(), other.study_time.desc(), other.id.desc())
    )
    with database.read() as connection:
        rows = connection.execute(statement).all()
    for date, time, uid, other_date, other_time, modalities in rows:
        earlier = (other_date, other_time or "") < (date, time or "")
        if earlier and modality in (modalities or "").split("\\"):
            return str(uid)
    return None
