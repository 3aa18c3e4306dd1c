"""Conditions on the index's columns, and the SQL they make.

A `Match` holds alternatives of conditions, and apart from them the values to bind. Matches of the same `shape` make the
same SQL, so a statement is built and compiled once for each shape of question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.database import METADATA
from fileroom.dicom.attributes import Level

TABLES = {
    Level.PATIENT: schema.patient,
    Level.STUDY: schema.study,
    Level.SERIES: schema.series,
    Level.IMAGE: schema.instance,
}


class Form(StrEnum):
    """How a condition compares its column with its values."""

    EQUAL = "equal"
    ONE_OF = "one_of"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BELOW = "below"
    LIKE = "like"
    TIME_AT_LEAST = "time_at_least"
    TIME_AT_MOST = "time_at_most"
    NUMBER = "number"
    ANY_LIKE = "any_like"
    GROUP_LIKE = "group_like"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a column; `values` are what it binds."""

    form: Form
    column: str  # "table.column"
    values: tuple[str, ...]

    @property
    def shape(self) -> tuple[str, str, int]:
        return (self.form, self.column, len(self.values))


@dataclass(frozen=True, slots=True)
class Match:
    """One key: true when every condition of one alternative is."""

    alternatives: tuple[tuple[Condition, ...], ...]
    selective: bool  # an index finds its few rows: better to start there than to walk the newest studies

    @property
    def shape(self) -> tuple[tuple[tuple[str, str, int], ...], ...]:
        return tuple(tuple(condition.shape for condition in conditions) for conditions in self.alternatives)

    def values(self) -> Iterator[str]:
        """What to bind, in the order `clause` takes it."""
        for conditions in self.alternatives:
            for condition in conditions:
                yield from condition.values


def clause(found: Match, bind: Callable[[], sa.BindParameter[str]]) -> sa.ColumnElement[bool]:
    """The WHERE clause; `bind` makes the next parameter, in the order of `Match.values`."""
    return sa.or_(
        *[
            sa.and_(*[_condition(condition, [bind() for _ in condition.values]) for condition in conditions])
            for conditions in found.alternatives
        ]
    )


def _condition(condition: Condition, p: list[sa.BindParameter[str]]) -> sa.ColumnElement[bool]:
    table, _, name = condition.column.partition(".")
    column: sa.ColumnElement[str] = METADATA.tables[table].c[name]
    slash = sa.literal("\\")
    match condition.form:
        case Form.EQUAL:
            return column == p[0]
        case Form.ONE_OF:
            return column.in_(p)
        case Form.AT_LEAST:
            return column >= p[0]
        case Form.AT_MOST:
            return column <= p[0]
        case Form.BELOW:
            return column < p[0]
        case Form.LIKE:
            return sa.or_(*[column.like(pattern, escape="~") for pattern in p])
        case Form.TIME_AT_LEAST:
            return _full_time(column) >= p[0]
        case Form.TIME_AT_MOST:
            return _full_time(column) <= p[0]
        case Form.NUMBER:
            return sa.or_(column == p[0], sa.func.ltrim(column, "+0 ") == p[1])
        case Form.ANY_LIKE:
            return (slash + column + slash).like(p[0], escape="~")
        case Form.GROUP_LIKE:
            return (column + sa.literal("=")).like(p[0], escape="~")


def _full_time(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A TM column as HHMMSS.FFFFFF, missing parts as zeros."""
    bare = sa.func.replace(column, ":", "", type_=sa.Text)
    return bare + sa.func.substr("000000.000000", sa.func.length(bare) + 1, type_=sa.Text)
