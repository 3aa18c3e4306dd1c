"""The SELECT behind a search: which rows, in which order, from where on."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.conditions import TABLES, Match, clause
from fileroom.archive.rows import SELECTED, SHAPES
from fileroom.dicom.attributes import Level


class Place(NamedTuple):
    """Where in the order of answers the last row stood."""

    study_date: str
    keys: tuple[int, ...]  # row keys from the study (or patient) down


def orders(level: Level, matches: dict[str, Match]) -> tuple[str, ...]:
    """How to read: `found` sorts the few rows an index finds; `dated`, then `undated`, walk the studies newest first.

    Left to themselves, planners walk when they should look up as soon as there is a limit, and the other way round.
    """
    if level is Level.PATIENT or any(m.selective for m in matches.values()):
        return ("found",)
    return ("dated",) if "StudyDate" in matches else ("dated", "undated")


def statement_of(level: Level, matches: dict[str, Match], order: str, going_on: bool | None) -> sa.Select[Any]:
    if going_on is None:
        return _narrowed(sa.select(sa.func.count()), level, matches, order)
    statement = _narrowed(sa.select(*SELECTED[level]), level, matches, order)
    keys = [TABLES[at].c.id for at in Level if Level.STUDY <= at <= level] or [schema.patient.c.id]
    date = _order_date(order)
    if going_on:
        statement = statement.where(_after(keys, date, order))
    ordering: list[sa.ColumnElement[Any]] = [keys[0].desc(), *keys[1:]]
    if level is not Level.PATIENT and order != "undated":
        ordering.insert(0, date.desc())
    return statement.order_by(*ordering).limit(sa.bindparam("row_limit", 0)).offset(sa.bindparam("row_offset", 0))


def _narrowed(statement: sa.Select[Any], level: Level, matches: dict[str, Match], order: str) -> sa.Select[Any]:
    """FROM and WHERE: the one place that says which rows a question may see. A grant belongs into `_visible`."""
    patient, study, series, instance = schema.patient, schema.study, schema.series, schema.instance
    if level is Level.PATIENT:
        mine = sa.select(study.c.id).where(study.c.patient_pk == patient.c.id, visible())
        statement = statement.select_from(patient).where(mine.exists())
    else:
        tables: sa.FromClause = study.join(patient, patient.c.id == study.c.patient_pk)
        if level >= Level.SERIES:
            tables = tables.join(series, series.c.study_pk == _from_above(study.c.id, order))
        if level is Level.IMAGE:
            tables = tables.join(instance, instance.c.series_pk == _from_above(series.c.id, order))
        statement = statement.select_from(tables).where(visible())
    if order == "dated":
        statement = statement.where(study.c.study_date >= "")
    elif order == "undated":
        statement = statement.where(study.c.study_date.is_(None))
    counter = iter(range(1 << 30))
    for found in matches.values():
        statement = statement.where(clause(found, lambda: sa.bindparam(f"v{next(counter)}", type_=sa.Text)))
    return statement


def visible() -> sa.ColumnElement[bool]:
    """Which studies an asker may know of."""
    return ~schema.study.c.hidden


def _from_above(key: sa.Column[int], order: str) -> sa.ColumnElement[int]:
    """The key to join on; when walking, as an expression that can only be followed downward from the newest study."""
    return key if order == "found" else sa.func.coalesce(key, 0)


def _order_date(order: str) -> sa.ColumnElement[str]:
    """The date to sort by. As an expression no index has it, so the planner must look up what the keys name."""
    date = schema.study.c.study_date
    return sa.func.coalesce(date, "") if order == "found" else date


def _after(keys: list[sa.Column[int]], date: sa.ColumnElement[str], order: str) -> sa.ColumnElement[bool]:
    """Rows behind the place bound as k0, k1, ... and, but for patients, last_date."""
    bound = [sa.bindparam(f"k{n}", type_=sa.BigInteger) for n in range(len(keys))]
    after: sa.ColumnElement[bool] = keys[-1] > bound[-1] if len(keys) > 1 else keys[0] < bound[0]
    for n in range(len(keys) - 2, -1, -1):
        ahead = keys[n] > bound[n] if n else keys[n] < bound[n]
        after = sa.or_(ahead, sa.and_(keys[n] == bound[n], after))
    if keys[0].table is schema.patient or order == "undated":
        return after
    last = sa.bindparam("last_date", type_=sa.Text)
    return sa.and_(date <= last, sa.or_(date < last, after))


def bound(matches: dict[str, Match], place: Place | None, limit: int, offset: int) -> dict[str, object]:
    values: dict[str, object] = {"row_limit": limit, "row_offset": offset}
    count = 0
    for found in matches.values():
        for value in found.values():
            values[f"v{count}"] = value
            count += 1
    if place is not None:
        values["last_date"] = place.study_date
        values.update((f"k{n}", key) for n, key in enumerate(place.keys))
    return values


def place_of(level: Level, values: tuple[Any, ...]) -> Place:
    by_name = SHAPES[level].by_name
    if level is Level.PATIENT:
        return Place("", (values[by_name["patient_pk"]],))
    names = ("study_pk", "series_pk", "instance_pk")[: level - Level.PATIENT]
    return Place(values[by_name["study_date"]] or "", tuple(values[by_name[name]] for name in names))
