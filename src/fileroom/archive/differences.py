"""How a held object differs from the one it is in conflict with, or from what is known of the study it names."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.kept import Kept
from fileroom.archive.retrieve import Retriever
from fileroom.database import Database
from fileroom.dicom.attributes import Level, at_level
from fileroom.dicom.compare import Comparison, Dataset, Pixels, compare

_TABLES = {Level.PATIENT: schema.patient, Level.STUDY: schema.study}
_COLUMNS = [_TABLES[level].c[a.column] for level in _TABLES for a in at_level(level) if a.scanned]


def differences(retriever: Retriever, one: Kept, other: Kept) -> Comparison:
    """Compare two stored objects. What cannot be had or read of them is said as trouble. Raises Busy, StorageFull."""
    try:
        return compare(_dataset(retriever, one), _dataset(retriever, other))
    except (errors.DamagedPack, errors.MalformedObject) as error:
        return Comparison((), 0, Pixels.STORED_DIFFERENTLY, str(error))


def study_values(database: Database, study_uid: str) -> Mapping[str, str] | None:
    """What is known of a study and its patient here, by column, its site too; None when it is not here.

    Raises DatabaseUnavailable.
    """
    study, patient = schema.study, schema.patient
    query = sa.select(*_COLUMNS, study.c.site).join_from(study, patient, patient.c.id == study.c.patient_pk)
    with database.read() as connection:
        row = connection.execute(query.where(study.c.study_uid == study_uid)).mappings().first()
    return None if row is None else {str(name): str(value) for name, value in row.items() if value is not None}


def _dataset(retriever: Retriever, kept: Kept) -> Dataset:
    return Dataset(*retriever.readable(kept.stored(None)))
