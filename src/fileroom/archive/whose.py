"""Whose a study is."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from fileroom.archive import schema

_S, _P = schema.study.c, schema.patient.c
_AT_ONCE = 500


def patient_ids(connection: sa.Connection, study_uids: Iterable[str]) -> dict[str, str]:
    """The patient ID of each study that is here; empty where it has none."""
    uids = list(study_uids)
    found: dict[str, str] = {}
    query = sa.select(_S.study_uid, _P.patient_id).join_from(schema.study, schema.patient, _P.id == _S.patient_pk)
    for at in range(0, len(uids), _AT_ONCE):
        rows = connection.execute(query.where(_S.study_uid.in_(uids[at : at + _AT_ONCE])))
        found |= {uid: patient_id or "" for uid, patient_id in rows}
    return found
