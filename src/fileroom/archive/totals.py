"""How much is here, for pages that ask again and again: counting reads every study's row, so it is done seldom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.select import visible
from fileroom.database import Database

SHARE = 20  # of the time, one part at most is spent counting
UNSEEN_SECONDS = 30.0  # after so long it is counted anew even when nothing seems to have changed
_AT_ONCE_SECONDS = 0.005  # counting that takes no longer is done whenever something changed


@dataclass(frozen=True, slots=True)
class Totals:
    """What is here, hidden studies apart."""

    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int
    again_seconds: float = 0.0  # more came since, and is counted in so long; 0: this is all


class Counting:
    """Totals that are right, or say when they will be. Thread-safe: who asks while it is counted waits for it."""

    def __init__(
        self, count: Callable[[], Totals], signs: Callable[[], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`signs`: cheap to ask, and something else whenever the totals may be."""
        self._count = count
        self._signs = signs
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[Totals, object] | None = None
        self._counted = 0.0  # when counting ended
        self._pause = 0.0  # before it is counted again

    def now(self) -> Totals:
        """What is here. Raises DatabaseUnavailable."""
        with self._lock:
            signs, passed = self._signs(), self._clock() - self._counted
            if self._kept is not None:
                totals, seen = self._kept
                if signs == seen and passed < max(UNSEEN_SECONDS, self._pause):
                    return totals
                if passed < self._pause:
                    return replace(totals, again_seconds=self._pause - passed)
            begin = self._clock()
            totals = self._count()
            self._counted = self._clock()
            took = self._counted - begin
            self._pause = SHARE * took if took > _AT_ONCE_SECONDS else 0.0
            self._kept = totals, signs  # asked before counting: what came in between is counted again, never missed
            return totals


def counting(database: Database) -> Counting:
    """The totals of an archive."""
    return Counting(lambda: count(database), lambda: signs(database))


def count(database: Database) -> Totals:
    """What is here, counted now. Raises DatabaseUnavailable."""
    study = schema.study.c
    sums = [sa.func.coalesce(sa.func.sum(c), 0) for c in (study.series_count, study.instance_count, study.size_bytes)]
    patients = sa.func.count(sa.distinct(study.patient_pk))
    with database.read() as connection:
        row = connection.execute(sa.select(patients, sa.func.count(), *sums).where(visible())).one()
    return Totals(*(int(value) for value in row))


def signs(database: Database) -> tuple[object, ...]:
    """What changes when objects arrive or are kept apart, are decided about, hidden, brought back or taken out.

    Raises DatabaseUnavailable.
    """
    asked = (
        sa.func.max(schema.instance.c.id),
        sa.func.max(schema.held.c.id),
        sa.func.max(schema.held_decision.c.id),
        sa.func.max(schema.hidden_study.c.hidden_ms),
        sa.func.count(schema.hidden_study.c.study_uid),
        sa.func.count(schema.removed_pack.c.id),
    )
    with database.read() as connection:
        return tuple(connection.execute(sa.select(*(sa.select(one).scalar_subquery() for one in asked))).one())
