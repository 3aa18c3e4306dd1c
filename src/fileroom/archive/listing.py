"""The list of studies as a person narrows and sorts it: by the beginnings of words, modality and date."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.matching import after_prefix
from fileroom.archive.recent import QUIET_SECONDS
from fileroom.archive.select import visible
from fileroom.archive.words import asked_dates, asked_words, modality_word
from fileroom.database import Database

LINES_MAX = 500  # of one answer
_MODALITIES_MAX = 100
# Studies that the words find: up to these, look them up and sort; more: walk the list in its order and test each
_FEW = 8000

_P, _S, _W = schema.patient.c, schema.study.c, schema.study_word.c


class Order(StrEnum):
    """What the list is sorted by."""

    DATE = "date"  # study date, then arrival
    PATIENT = "patient"  # name, folded
    PATIENT_ID = "id"
    ACCESSION = "accession"
    ARRIVED = "arrived"


_COLUMNS: dict[Order, sa.Column[Any]] = {
    Order.DATE: _S.study_date,
    Order.PATIENT: _P.patient_name_fold,
    Order.PATIENT_ID: _P.patient_id,
    Order.ACCESSION: _S.accession,
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which studies the list shows. Empty values narrow nothing."""

    text: str = ""  # words; a study has one that begins with each
    modality: str = ""
    from_date: str = ""  # DA, inclusive
    to_date: str = ""  # DA, inclusive


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which line the list goes on."""

    value: str | None  # what that line is sorted by; None: it has none
    study_pk: int


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One line of the list."""

    study_pk: int
    study_uid: str
    patient_name: str | None
    patient_id: str | None
    birth_date: str | None
    sex: str | None
    study_date: str | None
    study_time: str | None
    modalities: str
    study_description: str | None
    accession: str | None
    series_count: int
    instance_count: int
    arrived_ms: int
    arriving: bool  # its last object came less than QUIET_SECONDS ago
    place: Place


_SELECTED = (
    _S.id,
    _S.study_uid,
    _P.patient_name,
    _P.patient_id,
    _P.birth_date,
    _P.sex,
    _S.study_date,
    _S.study_time,
    _S.modalities,
    _S.study_description,
    _S.accession,
    _S.series_count,
    _S.instance_count,
    _S.arrived_ms,
    _S.updated_ms,
    _P.patient_name_fold,
)
_AT = {column: n for n, column in enumerate(_SELECTED)}


def list_studies(
    database: Database,
    narrowing: Narrowing,
    order: Order = Order.DATE,
    *,
    descending: bool = True,
    after: Place | None = None,
    limit: int = 100,
) -> list[StudyLine]:
    """The next lines, at most `limit`; studies without the value that is sorted by come last, either way.

    Raises BadRequest for a limit over LINES_MAX, DatabaseUnavailable.
    """
    if not 0 < limit <= LINES_MAX:
        raise errors.BadRequest(f"a list has 1 to {LINES_MAX} lines")
    with database.read() as connection:
        words, sparse = _words(connection, narrowing)
        conditions = [visible(), *words, *_dates(narrowing)]
        found: list[Any] = []
        column = _COLUMNS.get(order)
        if column is None:
            found = _page(connection, conditions, None, descending, after, limit, sparse)
        else:
            if after is None or after.value is not None:
                present = [*conditions, column.is_not(None)]
                found = _page(connection, present, column, descending, after, limit, sparse)
                after = None
            if len(found) < limit:
                absent = [*conditions, column.is_(None)]
                found += _page(connection, absent, None, descending, after, limit - len(found), sparse)
    quiet_ms = int(time.time() * 1000) - QUIET_SECONDS * 1000
    return [_line(row, None if column is None else row[_AT[column]], quiet_ms) for row in found]


def modalities_here(database: Database) -> list[str]:
    """The modalities that the list can be narrowed to, by name. Raises DatabaseUnavailable."""
    names: list[str] = []
    mark, end = modality_word(""), after_prefix(modality_word(""))
    with database.read() as connection:
        word = mark
        while len(names) < _MODALITIES_MAX:  # from one to the next: the index holds each once a study
            query = sa.select(sa.func.min(_W.word)).where(_W.word > word, _W.word < end)
            word = connection.execute(query).scalar() or ""
            if not word:
                break
            names.append(word.removeprefix(mark))
    return names


def study_total(database: Database) -> int:
    """How many studies are listed when nothing narrows. Raises DatabaseUnavailable."""
    hidden = sa.select(sa.func.count()).where(_S.study_uid.in_(sa.select(schema.hidden_study.c.study_uid)))
    with database.read() as connection:
        everything = connection.execute(sa.select(sa.func.count()).select_from(schema.study)).scalar_one()
        return everything - connection.execute(hidden).scalar_one()


def _words(connection: sa.Connection, narrowing: Narrowing) -> tuple[list[sa.ColumnElement[bool]], bool]:
    """The conditions that words and modality set, and whether together they find few studies."""
    ranges = []
    conditions: list[sa.ColumnElement[bool]] = []
    for word in asked_words(narrowing.text):
        begins = _begins(word)
        dates = asked_dates(word)
        if dates is None:
            ranges.append(begins)
            continue
        meant: sa.ColumnElement[bool] = sa.and_(_S.study_date >= dates[0], _S.study_date <= dates[1])
        if connection.execute(sa.select(_W.study_pk).where(*begins).limit(1)).first():
            meant = sa.or_(meant, sa.select(1).where(_W.study_pk == _S.id, *begins).exists())
        conditions.append(meant)
    if narrowing.modality:
        ranges.append([_W.word == modality_word(narrowing.modality)])
    if not ranges:
        return conditions, False
    asked = [sa.select(_W.study_pk).where(*begins) for begins in ranges]
    together = sa.intersect(*asked) if len(asked) > 1 else asked[0]
    sample = together.limit(_FEW + 1).subquery()
    if connection.execute(sa.select(sa.func.count()).select_from(sample)).scalar_one() <= _FEW:
        return [_S.id.in_(together), *conditions], True
    tests = [sa.select(1).where(_W.study_pk == _S.id, *begins).exists() for begins in ranges]
    return [*conditions, *tests], False


def _begins(word: str) -> list[sa.ColumnElement[bool]]:
    end = after_prefix(word)
    return [_W.word >= word] if end is None else [_W.word >= word, _W.word < end]


def _dates(narrowing: Narrowing) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if narrowing.from_date:
        conditions.append(_S.study_date >= narrowing.from_date)
    if narrowing.to_date:
        conditions.append(_S.study_date <= narrowing.to_date)
    return conditions


def _page(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    column: sa.Column[Any] | None,
    descending: bool,
    after: Place | None,
    limit: int,
    sparse: bool,
) -> list[Any]:
    """One reading in one order; by arrival when there is no column.

    `sparse`: the sort key is hidden in an expression, so that no planner walks the whole list in its order for the few
    that a word finds.
    """
    key: sa.ColumnElement[Any] = sa.func.coalesce(_S.id, 0) if sparse else _S.id
    value: sa.ColumnElement[Any] | None = column
    if column is not None and sparse:
        value = sa.func.coalesce(column, "")
    where = list(conditions)
    if after is not None:
        beyond = key < after.study_pk if descending else key > after.study_pk
        if value is not None:
            further = value < after.value if descending else value > after.value
            outer = value <= after.value if descending else value >= after.value
            beyond = sa.and_(outer, sa.or_(further, sa.and_(value == after.value, beyond)))
        where.append(beyond)
    ordering = [key.desc() if descending else key.asc()]
    if value is not None:
        ordering.insert(0, value.desc() if descending else value.asc())
    # walking by what a patient has can only begin with the patients; everything else begins with the studies
    by_patient = column is not None and column.table is schema.patient and not sparse
    tied = _S.patient_pk == (sa.func.coalesce(_P.id, 0) if by_patient else _P.id)
    tables = schema.patient.join(schema.study, tied)
    query = sa.select(*_SELECTED).select_from(tables).where(*where).order_by(*ordering).limit(limit)
    return list(connection.execute(query).all())


def _line(row: Any, value: str | None, quiet_ms: int) -> StudyLine:
    return StudyLine(
        study_pk=row.id,
        study_uid=row.study_uid,
        patient_name=row.patient_name,
        patient_id=row.patient_id,
        birth_date=row.birth_date,
        sex=row.sex,
        study_date=row.study_date,
        study_time=row.study_time,
        modalities=row.modalities,
        study_description=row.study_description,
        accession=row.accession,
        series_count=row.series_count,
        instance_count=row.instance_count,
        arrived_ms=row.arrived_ms,
        arriving=row.updated_ms > quiet_ms,
        place=Place(value, row.id),
    )
