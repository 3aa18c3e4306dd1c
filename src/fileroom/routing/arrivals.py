"""What has arrived and is complete enough to be forwarded, learnt from the index alone.

A series has arrived when nothing more came to it for the quiet time. What comes later has its turn later. An object's
turn comes once: `forward_progress` and `forward_series` say how far it has come, in the keys that rise with time. A
held object that a person accepts arrives with that decision.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fileroom.archive import schema as archive
from fileroom.archive.retrieve import ORDER
from fileroom.archive.verdicts import Verdict
from fileroom.database import Database
from fileroom.routing import schema
from fileroom.routing.rulebook import FACTS
from fileroom.routing.rules import SeriesFacts

_log = logging.getLogger("fileroom.routing")

# Two writers may commit their keys out of order, by as much as one waits for the other.
LOOK_BACK_SECONDS = 60
_LOOK_BACK = LOOK_BACK_SECONDS * 1000 << 22  # as keys: see database.Ids
_SERIES_MAX = 100_000  # remembered; of those beyond, what is complete is looked at again

_I, _E, _S = archive.instance.c, archive.series.c, archive.study.c
_D, _P, _F = archive.held_decision.c, schema.forward_progress.c, schema.forward_series.c

# Grouped by an expression: by the column, SQLite would walk its whole index to save the sorting of a few rows
_SERIES_KEY = (_I.series_pk + 0).label("series_key")
_NEW = (
    sa.select(_SERIES_KEY, sa.func.min(_I.id).label("low"), sa.func.max(_I.id).label("high"))
    .where(_I.id > sa.bindparam("after"))
    .group_by(_SERIES_KEY)
    .subquery()
)
_GROWN = sa.select(_NEW.c.series_key, _E.instance_count, _NEW.c.low, _NEW.c.high).select_from(
    _NEW.join(archive.series, _E.id == _NEW.c.series_key)
)
_ACCEPTED = (
    sa.select(_D.id, _I.series_pk, _I.id)
    .select_from(archive.held_decision.join(archive.instance, _I.id == _D.held_id))
    .where(_D.id > sa.bindparam("after"), _D.verdict == Verdict.ACCEPT.value)
    .order_by(_D.id)
)
_OBJECTS: sa.Select[Any] = sa.select(
    _S.study_uid, _E.series_uid, _E.instance_count, _S.hidden, _I.id, _I.sop_uid, _I.source, *FACTS
).select_from(archive.IN_STUDIES)


@dataclass(frozen=True, slots=True)
class ArrivedObject:
    """One object whose turn has come."""

    key: int  # by when it came
    sop_uid: str
    source: str


@dataclass(frozen=True, slots=True)
class ArrivedSeries:
    """What is new of one series. Without objects when there is nothing new after all, or its study is hidden."""

    study_uid: str
    series_uid: str
    facts: SeriesFacts
    objects: tuple[ArrivedObject, ...]
    through: int  # every object of it up to this key has had its turn with these
    count: int  # objects the series holds


@dataclass(slots=True)
class _Growing:
    """A series that something came to."""

    low: int  # no key of what is new is smaller
    since: float  # monotonic, of the last look that saw it grow
    accepted: dict[int, int] = field(default_factory=dict)  # instance key to the decision's


class Arrivals:
    """Follows the index. Owned by one thread. Every method raises DatabaseUnavailable."""

    def __init__(self, database: Database, quiet_seconds: float) -> None:
        self._database = database
        self._quiet_seconds = quiet_seconds
        self._through = 0  # everything up to this key has had its turn
        self._last = 0  # the newest key seen, of instances and decisions
        self._decisions: set[int] = set()  # seen, of those that are looked at again
        self._growing: dict[int, _Growing] = {}  # by series key
        self._counts: dict[int, int] = {}  # series key to the objects it held at the last look

    def begin(self, since: int) -> None:
        """Start over at what is written down, or at `since` when that is later."""
        with self._database.read() as connection:
            written = connection.execute(sa.select(_P.through)).scalar()
        self._through = self._last = max(written or 0, since)
        for kept in (self._decisions, self._growing, self._counts):
            kept.clear()

    def look(self) -> None:
        """See what came since the last look."""
        now = time.monotonic()
        after = {"after": max(self._through, self._last - _LOOK_BACK)}
        with self._database.read() as connection:
            grown = connection.execute(_GROWN, after).all()
            accepted = connection.execute(_ACCEPTED, after).all()
        for series_key, count, low, high in grown:
            self._last = max(self._last, high)
            if self._counts.get(series_key) != count:
                self._counts[series_key] = count
                self._grew(series_key, low, now)
        for decision, series_key, key in accepted:
            self._last = max(self._last, decision)
            if decision not in self._decisions:
                self._decisions.add(decision)
                self._grew(series_key, decision, now).accepted[key] = decision
        if len(self._counts) > _SERIES_MAX:
            kept = {row[0] for row in grown} | self._growing.keys()
            self._counts = {key: count for key, count in self._counts.items() if key in kept}

    def _grew(self, series_key: int, low: int, now: float) -> _Growing:
        growing = self._growing.setdefault(series_key, _Growing(low, now))
        growing.low, growing.since = min(growing.low, low), now
        return growing

    def complete(self) -> list[int]:
        """Keys of the series that nothing came to for the quiet time, the longest quiet first."""
        until = time.monotonic() - self._quiet_seconds
        quiet = [(growing.since, key) for key, growing in self._growing.items() if growing.since <= until]
        return [key for _, key in sorted(quiet)]

    def read(self, series_key: int) -> ArrivedSeries | None:
        """What is new of a series; None when it is no longer here."""
        growing = self._growing[series_key]
        with self._database.read() as connection:
            first = connection.execute(_OBJECTS.where(_E.id == series_key).limit(1)).first()
            if first is None:
                return None
            named = sa.and_(_F.study_uid == first.study_uid, _F.series_uid == first.series_uid)
            mark = connection.execute(sa.select(_F.through, _F.objects).where(named)).first()
            through, objects = (mark.through, mark.objects) if mark is not None else (self._through, 0)
            rows = self._rows(connection, series_key, max(through, self._through), growing)
            if through > self._through and objects + len(rows) < first.instance_count:
                # Something came late, with a key among those that have had their turn: which, cannot be told. Sending
                # twice is harmless, not sending is not.
                _log.warning("objects came out of order, their series is forwarded again")
                rows = self._rows(connection, series_key, self._through, growing)
        found = [ArrivedObject(growing.accepted.get(row.id, row.id), row.sop_uid, row.source) for row in rows]
        return ArrivedSeries(
            first.study_uid,
            first.series_uid,
            SeriesFacts(*tuple(first)[7:]),
            () if first.hidden else tuple(found),
            max([through, *(one.key for one in found)]),
            first.instance_count,
        )

    @staticmethod
    def _rows(connection: sa.Connection, series_key: int, after: int, growing: _Growing) -> Sequence[Any]:
        decided = [key for key, decision in growing.accepted.items() if decision > after]
        new = sa.or_(_I.id > after, _I.id.in_(decided)) if decided else _I.id > after
        return connection.execute(_OBJECTS.where(_E.id == series_key, new).order_by(*ORDER)).all()

    def write(self, connection: sa.Connection, arrived: ArrivedSeries) -> None:
        """Write down, in the caller's transaction, that these objects have had their turn."""
        named = {"study_uid": arrived.study_uid, "series_uid": arrived.series_uid}
        connection.execute(sa.delete(schema.forward_series).filter_by(**named))
        row = {**named, "through": arrived.through, "objects": arrived.count}
        connection.execute(sa.insert(schema.forward_series), [row])

    def done(self, series_key: int) -> None:
        """Its turn is over, and written down."""
        del self._growing[series_key]

    def advance(self) -> None:
        """Write down how far everything has come, and forget what lies behind."""
        through = min([self._last - _LOOK_BACK, *(growing.low - 1 for growing in self._growing.values())])
        if through <= self._through:
            return
        with self._database.write() as connection:
            if not connection.execute(sa.update(schema.forward_progress).values(through=through)).rowcount:
                connection.execute(sa.insert(schema.forward_progress), [{"id": 1, "through": through}])
            connection.execute(sa.delete(schema.forward_series).where(_F.through <= through))
        self._through = through
        self._decisions = {decision for decision in self._decisions if decision > through}
