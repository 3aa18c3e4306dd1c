"""The objects of one series in the order people count them: a page of them, or all that have pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.image import HEAD_BYTES, unpack_image
from fileroom.archive.retrieve import by_number
from fileroom.archive.select import visible
from fileroom.database import Database

_I, _E, _S = schema.instance.c, schema.series.c, schema.study.c


class SeriesHead(NamedTuple):
    """What a series says of itself; None where nothing was sent."""

    series_pk: int
    series_uid: str
    modality: str | None
    series_number: str | None
    series_description: str | None
    protocol_name: str | None
    instance_count: int


class ObjectRow(NamedTuple):
    """One object of a series, as the index has it."""

    sop_uid: str
    sop_class_uid: str
    instance_number: str | None
    content_date: str | None
    content_time: str | None
    image_laterality: str | None
    view_position: str | None
    rows: str | None
    columns: str | None
    frame_count: str | None
    transfer_syntax: str
    size_bytes: int
    source: str
    arrived_ms: int


class Picture(NamedTuple):
    """One object that has pixels."""

    sop_uid: str
    frames: int
    instance_number: str | None
    rows: int
    columns: int


def series_head(database: Database, study_uid: str, series_uid: str) -> SeriesHead | None:
    """One series; None when it is not here or hidden. Raises DatabaseUnavailable."""
    columns = [_E.id, *(_E[name] for name in SeriesHead._fields[1:])]
    query = sa.select(*columns).join(schema.study, _S.id == _E.study_pk)
    query = query.where(_S.study_uid == study_uid, _E.series_uid == series_uid, visible())
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else SeriesHead(*row)


def series_objects(database: Database, series_pk: int, limit: int, offset: int) -> list[ObjectRow]:
    """Objects `offset` up to `offset + limit` by instance number. Raises DatabaseUnavailable."""
    query = sa.select(*(_I[name] for name in ObjectRow._fields)).where(_I.series_pk == series_pk)
    query = query.order_by(*by_number(_I.instance_number), _I.id).limit(limit).offset(offset)
    with database.read() as connection:
        return [ObjectRow(*row) for row in connection.execute(query)]


def series_pictures(database: Database, study_uid: str, series_uid: str) -> list[Picture]:
    """Every object of a series that has pixels, by instance number; about 0.3 KB each. Raises DatabaseUnavailable."""
    head = sa.func.substr(_I.image, 1, HEAD_BYTES, type_=sa.LargeBinary)
    query = sa.select(_I.sop_uid, _I.instance_number, head).select_from(schema.IN_STUDIES)
    query = query.where(_S.study_uid == study_uid, _E.series_uid == series_uid, visible(), _I.image.is_not(None))
    query = query.order_by(*by_number(_I.instance_number), _I.id)
    with database.read() as connection:
        return [_picture(*row) for row in connection.execute(query)]


def _picture(sop_uid: str, instance_number: str | None, head: Any) -> Picture:
    pixels = unpack_image(bytes(head)).pixels
    return Picture(sop_uid, max(1, pixels.frames), instance_number, pixels.rows, pixels.columns)
