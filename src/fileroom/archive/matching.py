"""From one matching key to a WHERE clause (PS3.4 C.2.2.2).

A key becomes a `Match`: alternatives of tests, and apart from them the values to bind. Matches of the same `shape` make
the same SQL, so a statement is built and compiled once for each shape of question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.database import METADATA
from fileroom.dicom.attributes import Attribute, Level, Matching
from fileroom.dicom.names import fold_name
from fileroom.dicom.ranges import date_range, time_range
from fileroom.errors import BadRequest

KEY_CHARACTERS_MAX = 1024  # of one key that is not a list of UID
LIST_VALUES_MAX = 10_000  # values in one list

TABLES = {
    Level.PATIENT: schema.patient,
    Level.STUDY: schema.study,
    Level.SERIES: schema.series,
    Level.IMAGE: schema.instance,
}
_WILD = re.compile(r"[*?]")
_ESCAPED = re.compile(r"[%_~]")
_TRAILING_COMPONENTS = re.compile(r"(?:\^\*+)+\Z")
_INDEXED = frozenset(
    ("patient_name", "patient_id", "study_uid", "accession", "referring_name", "reading_name", "series_uid", "sop_uid")
)


class Form(StrEnum):
    """How a test compares its column with its values."""

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
class Test:
    """One comparison of a column; `values` are what it binds."""

    form: Form
    column: str  # "table.column"
    values: tuple[str, ...]

    @property
    def shape(self) -> tuple[str, str, int]:
        return (self.form, self.column, len(self.values))


@dataclass(frozen=True, slots=True)
class Match:
    """One key: true when every test of one alternative is."""

    alternatives: tuple[tuple[Test, ...], ...]
    selective: bool  # an index finds its few rows: better to start there than to walk the newest studies

    @property
    def shape(self) -> tuple[tuple[tuple[str, str, int], ...], ...]:
        return tuple(tuple(test.shape for test in tests) for tests in self.alternatives)

    def values(self) -> Iterator[str]:
        """What to bind, in the order `clause` takes it."""
        for tests in self.alternatives:
            for test in tests:
                yield from test.values


def match_key(attribute: Attribute, key: str) -> Match | None:
    """The match a key asks for; None when it asks for anything (universal). Raises BadRequest on a malformed key."""
    if attribute.matching is Matching.NONE or not key.strip(" *\0"):
        return None
    if "\0" in key or any(0xD800 <= ord(c) <= 0xDFFF for c in key):
        raise BadRequest(f"the key {attribute.keyword} holds a character that no value can hold")
    if attribute.matching is not Matching.UID and len(key) > KEY_CHARACTERS_MAX:
        raise BadRequest(f"the key {attribute.keyword} is longer than {KEY_CHARACTERS_MAX} characters")
    alternatives = tuple(_MAKERS[attribute.matching](attribute, key.strip(" ")))
    if not alternatives:
        return None
    return Match(alternatives, attribute.column in _INDEXED and all(_finds(tests) for tests in alternatives))


def clause(found: Match, bind: Callable[[], sa.BindParameter[str]]) -> sa.ColumnElement[bool]:
    """The WHERE clause; `bind` makes the next parameter, in the order of `Match.values`."""
    return sa.or_(
        *[sa.and_(*[_condition(test, [bind() for _ in test.values]) for test in tests]) for tests in found.alternatives]
    )


def _condition(test: Test, p: list[sa.BindParameter[str]]) -> sa.ColumnElement[bool]:
    table, _, name = test.column.partition(".")
    column: sa.ColumnElement[str] = METADATA.tables[table].c[name]
    slash = sa.literal("\\")
    match test.form:
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


def _finds(tests: Sequence[Test]) -> bool:
    return any(test.form in (Form.EQUAL, Form.ONE_OF, Form.BELOW) for test in tests)


def _column(attribute: Attribute, suffix: str = "") -> str:
    return f"{TABLES[attribute.level].name}.{attribute.column}{suffix}"


def _values(attribute: Attribute, key: str) -> list[str]:
    values = list(dict.fromkeys(value for piece in key.split("\\") if (value := piece.strip(" "))))
    if len(values) > LIST_VALUES_MAX:
        raise BadRequest(f"the key {attribute.keyword} lists more than {LIST_VALUES_MAX} values")
    return values


def _uid(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    values = _values(attribute, key)
    if len(values) == 1:
        yield (Test(Form.EQUAL, _column(attribute), (values[0],)),)
        return
    if values:
        size = 1 << (len(values) - 1).bit_length()  # lists of like length share one statement
        yield (Test(Form.ONE_OF, _column(attribute), (*values, *values[-1:] * (size - len(values)))),)


def _text(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    for value in _values(attribute, key):
        yield tuple(_pattern(_column(attribute), value))


def _pattern(column: str, value: str) -> Iterator[Test]:
    """Tests for a single value with wildcards: a range over its literal beginning, which an index can answer, and
    the whole pattern where the beginning does not say it all."""
    wild = _WILD.search(value)
    if wild is None:
        yield Test(Form.EQUAL, column, (value,))
        return
    start, rest = value[: wild.start()], value[wild.start() :]
    yield from _starting(column, start)
    if rest.strip("*") or not start:
        yield Test(Form.LIKE, column, (like_pattern(value),))


def _starting(column: str, start: str) -> Iterator[Test]:
    if start:
        yield Test(Form.AT_LEAST, column, (start,))
        if (end := after_prefix(start)) is not None:
            yield Test(Form.BELOW, column, (end,))


def _name(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    """A person name: the alphabetic group on the folded column, the others wherever they stand.

    A key of one group matches any group: written in Latin letters the alphabetic one, else all three.
    """
    for value in _values(attribute, key):
        alphabetic, *others = fold_name(value).split("=")
        groups = tuple(
            Test(Form.GROUP_LIKE, _column(attribute), (f"%={like_pattern(group)}=%",)) for group in others if group
        )
        tests = tuple(_alphabetic(_column(attribute, "_fold"), alphabetic)) if alphabetic.strip("*") else ()
        if tests or groups:
            yield tests + groups
        if not others and any(unicodedata.east_asian_width(c) in "WFH" for c in value):
            yield (Test(Form.GROUP_LIKE, _column(attribute), (f"%={like_pattern(value.rstrip('^'))}=%",)),)
        if attribute.column == "reading_name" and tests:  # the one name that may have several values
            yield (Test(Form.ANY_LIKE, _column(attribute, "_fold"), (f"%\\{like_pattern(alphabetic)}\\%",)),)


def _alphabetic(column: str, value: str) -> Iterator[Test]:
    """Tests on a folded name, which may go on with `=` and the other groups."""
    trimmed = _TRAILING_COMPONENTS.sub("^*", value)
    patterns = [like_pattern(trimmed)]
    if trimmed.endswith("^*"):  # SMITH^* also finds SMITH alone: components that are not there are empty (PS3.5 6.2)
        trimmed = trimmed[:-2]
        patterns.append(like_pattern(trimmed))
    wild = _WILD.search(trimmed)
    start = trimmed if wild is None else trimmed[: wild.start()]
    yield from _starting(column, start)
    if len(patterns) == 2 or wild is None or trimmed[wild.start() :].strip("*") or not start:
        yield Test(Form.LIKE, column, (*patterns, patterns[-1] + "=%"))


def _date(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    if _WILD.search(key):
        yield from _text(attribute, key)
        return
    low, high = date_range(key)
    yield tuple(_between(_column(attribute), low, high, Form.AT_LEAST, Form.AT_MOST))


def _time(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    if _WILD.search(key):
        yield from _text(attribute, key)
        return
    low, high = time_range(key)
    yield tuple(_between(_column(attribute), low, high, Form.TIME_AT_LEAST, Form.TIME_AT_MOST))


def _between(column: str, low: str, high: str, at_least: Form, at_most: Form) -> Iterator[Test]:
    if low and low == high and at_least is Form.AT_LEAST:
        yield Test(Form.EQUAL, column, (low,))
        return
    if low:
        yield Test(at_least, column, (low,))
    if high:
        yield Test(at_most, column, (high,))


def _number(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    """Equal as numbers where both are (007 is 7), else as text."""
    for value in _values(attribute, key):
        digits = value.lstrip("+")
        if not digits.isascii() or not digits.isdigit():
            yield tuple(_pattern(_column(attribute), value))
        else:
            yield (Test(Form.NUMBER, _column(attribute), (value, digits.lstrip("0"))),)


def _any(attribute: Attribute, key: str) -> Iterator[tuple[Test, ...]]:
    """One value among several. A `*` inside may reach over the next value."""
    for value in _values(attribute, key):
        yield (Test(Form.ANY_LIKE, _column(attribute), (f"%\\{like_pattern(value)}\\%",)),)


_MAKERS: dict[Matching, Callable[[Attribute, str], Iterator[tuple[Test, ...]]]] = {
    Matching.UID: _uid,
    Matching.TEXT: _text,
    Matching.NAME: _name,
    Matching.DATE: _date,
    Matching.TIME: _time,
    Matching.NUMBER: _number,
    Matching.ANY: _any,
}


def like_pattern(value: str) -> str:
    """A value with `*` and `?` as a LIKE pattern with `~` as its escape."""
    return _ESCAPED.sub(lambda m: "~" + m[0], value).replace("*", "%").replace("?", "_")


def after_prefix(prefix: str) -> str | None:
    """The least text, by code point, above every text that begins with `prefix`; None when there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            following = 0xE000 if last == 0xD7FF else last + 1  # surrogates are no characters
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return None
