"""One study as its page shows it: whose it is, what it holds, where it came from, what else there is of the patient."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.recent import QUIET_SECONDS
from fileroom.archive.retrieve import by_number
from fileroom.archive.select import visible
from fileroom.database import Database

OTHERS_MAX = 50  # other studies of the same patient that are listed

_I, _E, _S, _P = schema.instance.c, schema.series.c, schema.study.c, schema.patient.c
_OF_STUDY = schema.instance.join(schema.series, _E.id == _I.series_pk)


class StudyValues(NamedTuple):
    """A study and its patient, as the index has them; None where nothing was sent."""

    study_pk: int
    patient_pk: int
    site: str
    study_uid: str
    patient_name: str | None
    patient_id: str | None
    issuer: str | None
    birth_date: str | None
    sex: str | None
    patient_age: str | None
    study_date: str | None
    study_time: str | None
    study_id: str | None
    accession: str | None
    study_description: str | None
    referring_name: str | None
    reading_name: str | None
    modalities: str  # joined by backslash
    series_count: int
    instance_count: int
    size_bytes: int
    arrived_ms: int  # when its first object came, milliseconds since 1970 UTC
    updated_ms: int  # and its last


class SeriesValues(NamedTuple):
    """A series, as the index has it."""

    series_pk: int
    series_uid: str
    modality: str | None
    series_number: str | None
    series_description: str | None
    series_date: str | None
    series_time: str | None
    body_part: str | None
    laterality: str | None
    protocol_name: str | None
    manufacturer: str | None
    station_name: str | None
    institution_name: str | None
    instance_count: int


@dataclass(frozen=True, slots=True)
class SeriesHolds:
    """What the objects of a series are."""

    images: int  # objects with pixels
    frames: int  # of all of them
    classes: tuple[str, ...]  # their SOP Class UIDs
    views: tuple[tuple[str, str], ...]  # Image Laterality and View Position, "" when absent; of images that have one


@dataclass(frozen=True, slots=True)
class SeriesOverview:
    """A series and what it holds."""

    values: SeriesValues
    holds: SeriesHolds


class Origin(NamedTuple):
    """What came from one source."""

    source: str  # door:peer
    objects: int
    first_ms: int
    last_ms: int


class OtherStudy(NamedTuple):
    """Another study of the same patient."""

    study_uid: str
    study_date: str | None
    study_time: str | None
    modalities: str
    study_description: str | None
    accession: str | None
    series_count: int
    instance_count: int


@dataclass(frozen=True, slots=True)
class Overview:
    """A study, read at one moment."""

    study: StudyValues
    series: tuple[SeriesOverview, ...]  # by series number
    origins: tuple[Origin, ...]  # the first source first
    others: tuple[OtherStudy, ...]  # newest first, at most OTHERS_MAX
    others_count: int  # of all of them
    quiet_seconds: float  # since its last object came

    @property
    def arriving(self) -> bool:
        """Whether more of it may be on the way: something came less than QUIET_SECONDS ago."""
        return self.quiet_seconds < QUIET_SECONDS


def study_values(database: Database, study_uid: str) -> StudyValues | None:
    """One study; None when it is not here or hidden. Raises DatabaseUnavailable."""
    with database.read() as connection:
        return _study(connection, study_uid)


def study_overview(database: Database, study_uid: str) -> Overview | None:
    """One study with all its series; None when it is not here or hidden. Raises DatabaseUnavailable."""
    with database.read() as connection:
        study = _study(connection, study_uid)
        if study is None:
            return None
        others, count = _others(connection, study)
        return Overview(
            study=study,
            series=_series(connection, study.study_pk),
            origins=_origins(connection, study.study_pk),
            others=others,
            others_count=count,
            quiet_seconds=max(0.0, time.time() - study.updated_ms / 1000),
        )


def _study(connection: sa.Connection, study_uid: str) -> StudyValues | None:
    own = {"study_pk": _S.id, "patient_pk": _P.id, "site": _S.site}
    columns = [own[name] if name in own else _S[name] if name in _S else _P[name] for name in StudyValues._fields]
    query = sa.select(*columns).join(schema.patient, _P.id == _S.patient_pk)
    row = connection.execute(query.where(_S.study_uid == study_uid, visible())).first()
    return None if row is None else StudyValues(*row)


def _series(connection: sa.Connection, study_pk: int) -> tuple[SeriesOverview, ...]:
    columns = [_E.id, *(_E[name] for name in SeriesValues._fields[1:])]
    query = sa.select(*columns).where(_E.study_pk == study_pk).order_by(*by_number(_E.series_number), _E.id)
    held = _holds(connection, study_pk)
    nothing = SeriesHolds(0, 0, (), ())
    rows = [SeriesValues(*row) for row in connection.execute(query)]
    return tuple(SeriesOverview(row, held.get(row.series_pk, nothing)) for row in rows)


def _holds(connection: sa.Connection, study_pk: int) -> dict[int, SeriesHolds]:
    """By series key. The database counts alike objects together, so a series of thousands makes few rows."""
    alike = (_I.series_pk, _I.sop_class_uid, _I.frame_count, _I.image_laterality, _I.view_position)
    query = (
        sa.select(*alike, sa.func.count(), sa.func.count(_I.pack_id).filter(_I.image.is_not(None)))
        .select_from(_OF_STUDY)
        .where(_E.study_pk == study_pk)
        .group_by(*alike)
        .order_by(sa.func.min(_I.id))
    )
    rows: dict[int, list[Sequence[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault(row[0], []).append(row)
    return {pk: _held(alike_rows) for pk, alike_rows in rows.items()}


def _held(rows: list[Sequence[Any]]) -> SeriesHolds:
    classes: dict[str, None] = {}
    views: dict[tuple[str, str], None] = {}
    images = frames = 0
    for _, sop_class, frame_count, laterality, view, _count, with_pixels in rows:
        classes[sop_class] = None
        if laterality or view:
            views[laterality or "", view or ""] = None
        images += with_pixels
        frames += with_pixels * frames_said(frame_count)
    return SeriesHolds(images, frames, tuple(classes), tuple(views))


def frames_said(value: str | None) -> int:
    """Number of Frames as sent; 1 when it is absent or no number."""
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else 1


def _origins(connection: sa.Connection, study_pk: int) -> tuple[Origin, ...]:
    first, last = sa.func.min(_I.arrived_ms), sa.func.max(_I.arrived_ms)
    query = sa.select(_I.source, sa.func.count(), first, last).select_from(_OF_STUDY)
    query = query.where(_E.study_pk == study_pk).group_by(_I.source).order_by(first, _I.source)
    return tuple(Origin(*row) for row in connection.execute(query))


def _others(connection: sa.Connection, study: StudyValues) -> tuple[tuple[OtherStudy, ...], int]:
    same = (_S.patient_pk == study.patient_pk, _S.id != study.study_pk, visible())
    newest = (_S.study_date.is_(None), _S.study_date.desc(), _S.study_time.desc(), _S.id.desc())
    query = sa.select(*(_S[name] for name in OtherStudy._fields)).where(*same).order_by(*newest).limit(OTHERS_MAX)
    rows = tuple(OtherStudy(*row) for row in connection.execute(query))
    count = len(rows)
    if count == OTHERS_MAX:
        count = connection.execute(sa.select(sa.func.count()).select_from(schema.study).where(*same)).scalar_one()
    return rows, count
