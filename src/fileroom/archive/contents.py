"""What studies hold, with the values that name and number it: what goes onto media is read from here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.image import HEAD_BYTES
from fileroom.archive.retrieve import StoredInstance, by_number
from fileroom.database import Database

_I, _E, _S, _P = schema.instance.c, schema.series.c, schema.study.c, schema.patient.c
_FROM = (
    schema.instance.join(schema.series, _E.id == _I.series_pk)
    .join(schema.study, _S.id == _E.study_pk)
    .join(schema.patient, _P.id == _S.patient_pk)
)
_VISIBLE = (_S.hidden.is_(False), _S.study_uid.in_(sa.bindparam("studies", expanding=True)))
_SERIES = (
    sa.select(
        _E.id,
        _P.id,
        _P.patient_name,
        _P.patient_id,
        _P.birth_date,
        _P.sex,
        _S.study_uid,
        _S.study_date,
        _S.study_time,
        _S.study_id,
        _S.accession,
        _S.study_description,
        _E.series_uid,
        _E.modality,
        _E.series_number,
        _E.series_description,
        _E.series_date,
    )
    .select_from(
        schema.series.join(schema.study, _S.id == _E.study_pk).join(schema.patient, _P.id == _S.patient_pk),
    )
    .where(*_VISIBLE)
    .order_by(_P.id, _S.study_date, _S.id, *by_number(_E.series_number), _E.id)
)
_OBJECTS = (
    sa.select(
        _I.series_pk,
        _I.instance_number,
        _I.content_date,
        _I.content_time,
        _I.arrived_ms,
        _I.sop_uid,
        _I.sop_class_uid,
        _I.transfer_syntax,
        _I.pack_id,
        _I.offset,
        _I.prefix_bytes,
        _I.size_bytes,
        _I.digest,
        sa.func.substr(_I.image, 1, HEAD_BYTES, type_=sa.LargeBinary),
    )
    .select_from(_FROM)
    .where(*_VISIBLE)
    .order_by(_I.series_pk, *by_number(_I.instance_number), _I.id)
)


class SeriesValues(NamedTuple):
    """One series with its study and patient, as the index has them; None where nothing was sent."""

    series_pk: int
    patient_pk: int
    patient_name: str | None
    patient_id: str | None
    birth_date: str | None
    sex: str | None
    study_uid: str
    study_date: str | None
    study_time: str | None
    study_id: str | None
    accession: str | None
    study_description: str | None
    series_uid: str
    modality: str | None
    series_number: str | None
    series_description: str | None
    series_date: str | None


@dataclass(frozen=True, slots=True)
class ObjectValues:
    """One object, where it lies, and what the index has of its own values."""

    stored: StoredInstance  # without its frame table
    instance_number: str | None
    content_date: str | None
    content_time: str | None
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class SeriesContents:
    """One series and its objects, by instance number."""

    values: SeriesValues
    objects: tuple[ObjectValues, ...]


def contents(database: Database, study_uids: Iterable[str], series_uid: str | None = None) -> list[SeriesContents]:
    """Every series of these studies, or the one series, by patient, study date and series number.

    Hidden studies are not there; [] when nothing is. About 1 KB of memory for an object. Raises DatabaseUnavailable.
    """
    bound: dict[str, Any] = {"studies": list(study_uids)}
    series, objects = _SERIES, _OBJECTS
    if series_uid is not None:
        series, objects = (query.where(_E.series_uid == series_uid) for query in (series, objects))
    with database.read() as connection:
        rows: Sequence[SeriesValues] = [SeriesValues._make(row) for row in connection.execute(series, bound)]
        by_pk = {row.series_pk: row for row in rows}
        found = {pk: tuple(_objects(group, by_pk[pk])) for pk, group in _grouped(connection, objects, bound, by_pk)}
    return [SeriesContents(row, found[row.series_pk]) for row in rows if found.get(row.series_pk)]


def _grouped(
    connection: sa.Connection, query: sa.Select[Any], bound: dict[str, Any], known: dict[int, SeriesValues]
) -> Iterator[tuple[int, Iterator[Any]]]:
    """The rows of each series that is known; one that came since is left for the next time."""
    for pk, group in groupby(connection.execute(query, bound), key=lambda row: int(row[0])):
        if pk in known:
            yield pk, group


def _objects(rows: Iterator[Any], series: SeriesValues) -> Iterator[ObjectValues]:
    for _, number, date, time, arrived_ms, *where in rows:
        where_and_what: tuple[Any, ...] = (series.study_uid, series.series_uid, *where)
        stored = StoredInstance(*where_and_what)
        yield ObjectValues(stored, number, date, time, arrived_ms)
