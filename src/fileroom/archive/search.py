"""Finding patients, studies, series, instances: the one search behind C-FIND and QIDO-RS (PS3.4 C.4.1, PS3.18 10.6)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fileroom.archive.conditions import Match
from fileroom.archive.matching import match_key
from fileroom.archive.rows import SHAPES, Row
from fileroom.archive.select import bound, orders, place_of, statement_of
from fileroom.database import Database, Prepared
from fileroom.dicom.attributes import BY_KEYWORD, Level
from fileroom.errors import BadRequest

__all__ = ["Query", "Row", "Search"]

_CHUNK_FIRST, _CHUNK = 200, 500  # rows read at a time; the first without a limit are few: answers come soon
_CHUNK_FOUND = 2000  # and where each reading has to sort all that are left
_STATEMENTS_MAX = 500  # compiled statements kept
_KEPT_VALUES_MAX = 512  # a statement that binds more is not: a megabyte each, for lists that hardly come twice


@dataclass(frozen=True, slots=True)
class Query:
    """One question. A key of an attribute that lies below the level, or is never matched, does not narrow it."""

    level: Level
    keys: Mapping[str, str] = field(default_factory=dict)  # keyword to the DICOM matching value; "" is universal
    root: str = "study"  # "patient" or "study": which information model it came by
    limit: int | None = None  # most rows to answer; None: all, read in chunks
    offset: int = 0  # rows to leave out first; counted in an order that new arrivals change only at its front


class Search:
    """Answers questions from the index. Thread-safe; never blocks writers.

    Newest studies first (by study date, then by arrival; studies without a date last), within a study in order of
    arrival; patients by arrival, the latest first. Hidden studies, and patients with no others, never appear.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements: OrderedDict[object, Prepared] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, query: Query) -> Iterator[Row]:
        """The matching rows, read as they are consumed, no connection held in between.

        Raises BadRequest before the first row when a key is malformed, DatabaseUnavailable.
        """
        if query.offset < 0 or (query.limit is not None and query.limit < 0):
            raise BadRequest("limit and offset are not negative")
        matches: dict[str, Match] = {}
        for keyword, value in query.keys.items():
            attribute = BY_KEYWORD.get(keyword)
            if attribute is not None and attribute.level <= query.level and (m := match_key(attribute, value)):
                matches[keyword] = m
        shape = SHAPES[query.level]
        return (Row(shape, values) for values in self._rows(query, matches, orders(query.level, matches)))

    def _rows(self, query: Query, matches: dict[str, Match], ways: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
        left, skip = query.limit, query.offset
        for order in ways:
            place, size, found = None, _CHUNK_FIRST, 0
            while left is None or left > 0:
                wanted = size if left is None else min(left, max(size, _CHUNK))
                rows = self._prepared(query.level, matches, order, place is not None).rows(
                    bound(matches, place, wanted, skip)
                )
                yield from rows
                found += len(rows)
                if left is not None:
                    left -= len(rows)
                if len(rows) < wanted or left == 0:
                    break
                size = min(2 * size, _CHUNK_FOUND if order == "found" else _CHUNK)
                place, skip = place_of(query.level, rows[-1]), 0
            if skip and not found and order != ways[-1]:
                skip -= min(
                    skip, self._prepared(query.level, matches, order, None).rows(bound(matches, None, 0, 0))[0][0]
                )
            else:
                skip = 0

    def _prepared(self, level: Level, matches: dict[str, Match], order: str, going_on: bool | None) -> Prepared:
        """The statement for a question of this shape; `going_on` after a place, None: its count."""
        key = (level, order, going_on, tuple((keyword, m.shape) for keyword, m in matches.items()))
        with self._lock:
            if (known := self._statements.get(key)) is not None:
                self._statements.move_to_end(key)
                return known
        made = Prepared(self._database, statement_of(level, matches, order, going_on))
        if sum(1 for m in matches.values() for _ in m.values()) > _KEPT_VALUES_MAX:
            return made
        with self._lock:
            self._statements[key] = made
            while len(self._statements) > _STATEMENTS_MAX:
                self._statements.popitem(last=False)
        return made
