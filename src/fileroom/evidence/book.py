"""The book of observations of one archive: signs what is added, verifies what is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from fileroom import errors
from fileroom.audit.actor import now_ms
from fileroom.audit.checkpoints import Checkpoints
from fileroom.audit.note import Verifier
from fileroom.database import Database
from fileroom.evidence import schema
from fileroom.evidence.check import Check, Facts, Grade
from fileroom.evidence.observation import Observation, canonical, sign, verified_facts
from fileroom.evidence.result import Result, Seen, result

_C = schema.observation.c
_TRIES = 5


class Book:
    """Observations of one archive. Thread-safe."""

    def __init__(self, database: Database, home: Path, archive: str, clock: Callable[[], int] = now_ms) -> None:
        """`archive`: its identity, which every signature is over."""
        self._database = database
        self._keys = Checkpoints(database, home)
        self._archive = archive
        self._clock = clock

    def now_ms(self) -> int:
        """What the clock says, which results are judged by."""
        return self._clock()

    def record(
        self, check_id: str, site: str, facts: Facts, grade: Grade = Grade.MEASURED, observed_ms: int | None = None
    ) -> None:
        """Add an observation, signed; returns once it is durable.

        Raises ValueError for facts that are no JSON of texts and whole numbers, DamagedLedger without the key,
        StorageFull, DatabaseUnavailable.
        """
        text, signer = canonical(facts), self._keys.signer()
        for left in reversed(range(_TRIES)):
            try:
                with self._database.write() as connection:
                    last = connection.execute(
                        sa.select(sa.func.max(_C.number)).where(_C.check_id == check_id, _C.site == site)
                    ).scalar()
                    collected = self._clock()
                    seen = collected if observed_ms is None else observed_ms
                    one = Observation(self._archive, site, check_id, (last or 0) + 1, seen, collected, str(grade), text)
                    row = {name: getattr(one, name) for name in Observation.__slots__ if name != "archive"}
                    connection.execute(sa.insert(schema.observation), [{**row, "signature": sign(one, signer)}])
                return
            except sa.exc.IntegrityError:
                if not left:
                    raise errors.Busy("others write observations of this check", hint="try again") from None

    def history(self, check_id: str, site: str, limit: int) -> list[Seen]:
        """The newest observations, the newest first. Raises DatabaseUnavailable, DamagedLedger."""
        verifier = self._keys.verifier()
        with self._database.read() as connection:
            return self._seen(connection, verifier, check_id, site, limit)

    def results(self, checks: list[Check], site: str) -> list[Result]:
        """What each check says now. Raises DatabaseUnavailable, DamagedLedger."""
        verifier, now = self._keys.verifier(), self._clock()
        with self._database.read() as connection:
            return [result(check, self._seen(connection, verifier, check.id, site, 2), now) for check in checks]

    def _seen(
        self, connection: sa.Connection, verifier: Verifier | None, check_id: str, site: str, limit: int
    ) -> list[Seen]:
        rows = connection.execute(
            sa.select(schema.observation)
            .where(_C.check_id == check_id, _C.site == site)
            .order_by(_C.number.desc())
            .limit(limit)
        )
        return [self._read(row, verifier) for row in rows.mappings()]

    def _read(self, row: sa.RowMapping, verifier: Verifier | None) -> Seen:
        signed = {name: row[name] for name in Observation.__slots__ if name != "archive"}
        facts = verified_facts(Observation(self._archive, **signed), row["signature"], verifier)
        return Seen(row["number"], row["observed_ms"], row["collected_ms"], row["grade"], facts)
