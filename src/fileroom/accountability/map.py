"""The kept responsibility maps: proposing, accepting, deciding. Each act is a row, and a line of the ledger with it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fileroom import errors
from fileroom.accountability import canonical, decision, map_schema, rows, versions
from fileroom.accountability.decision import Decision, GoLive, may_go_live
from fileroom.accountability.facts import Facts
from fileroom.accountability.gaps import Gap, gaps
from fileroom.accountability.rows import TITLES, Person, Role, Row
from fileroom.accountability.versions import Acceptance, Version
from fileroom.audit import ledger
from fileroom.audit.event import Event, Kind
from fileroom.database import Database, Ids


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept about one system's map, the oldest first."""

    versions: tuple[Version, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def newest(self) -> Version | None:
        """The last one proposed, accepted or not."""
        return self.versions[-1] if self.versions else None

    @property
    def persons(self) -> dict[str, str]:
        """Who answers for each role, by name, as proposed last; whether they accepted is a gap of its own."""
        return {} if self.newest is None else {row.role.value: row.person.name for row in self.newest.rows}

    def in_force(self, now_ms: int) -> Version | None:
        """The newest that everybody in it accepted."""
        return versions.in_force(self.versions, self.acceptances, now_ms)

    def decided(self, subject: str = "") -> Decision | None:
        """The newest decision about a subject."""
        return next((one for one in reversed(self.decisions) if one.subject == subject), None)

    def gaps(self, facts: Facts, now_ms: int, subject: str = "") -> tuple[Gap, ...]:
        """What is open on the newest version: a change that nobody accepted is open, too."""
        if self.newest is None:
            return gaps(Version(0, "", (), 0, ""), (), facts, now_ms)
        decided = self.decided(subject)
        return gaps(self.newest, self.acceptances, facts, now_ms, None if decided is None else decided.release)

    def may_go_live(self, facts: Facts, now_ms: int, subject: str = "") -> GoLive:
        """Whether a site or a wave may go live, with the reasons."""
        open_gaps = self.gaps(facts, now_ms, subject)
        return may_go_live(self.decided(subject), self.in_force(now_ms), open_gaps, now_ms, subject)


class Maps:
    """The responsibility maps of this system and of outside ones. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = Ids()

    def kept(self, system: str = "") -> Kept:
        """Everything about one system. Raises DamagedLedger when a row is not what was written."""
        with self._database.read() as connection:
            return _kept(connection, system)

    def propose(self, row: Row, by: str, system: str = "", seen: int | None = None) -> Version:
        """Put a row on the map: a new version, in which all other rows are as they were.

        `seen`: the version the change was made from. Raises BadRequest, Superseded when it is no longer the newest.
        """
        row = rows.checked(row)
        now_ms = int(time.time() * 1000)
        try:
            with self._database.write() as connection:
                newest = _kept(connection, system).newest
                _check_seen(newest, seen)
                others = () if newest is None else tuple(one for one in newest.rows if one.role is not row.role)
                order = list(Role)
                made = Version(
                    1 if newest is None else newest.number + 1,
                    system,
                    tuple(sorted((*others, row), key=lambda one: order.index(one.role))),
                    now_ms,
                    by,
                )
                _insert(
                    connection,
                    map_schema.map_version,
                    {"id": self._ids.next(), "system": system, "number": made.number},
                    versions.plain(made),
                )
                _tell(connection, by, now_ms, f"map: {row.role} proposed, version {made.number}, {made.digest}")
        except IntegrityError as error:
            raise _superseded() from error
        return made

    def accept(self, role: Role, person: Person, how: str, by: str, system: str = "", seen: str = "") -> Acceptance:
        """Record that the person named accepts the newest row of that role.

        `seen`: the digest of the row that they read, where that is known. Raises NotFound without such a row,
        Forbidden for anybody but the person named, Superseded when the row was changed meanwhile.
        """
        how, now_ms = rows.text(how, "how it was accepted"), int(time.time() * 1000)
        with self._database.write() as connection:
            newest = _kept(connection, system).newest
            row = None if newest is None else newest.row(role)
            if row is None:
                raise errors.NotFound(f"{TITLES[role]}: nobody is named yet", hint=f"fileroom map set {role}")
            if row.person.mail.casefold() != person.mail.casefold() or (row.person.id and row.person.id != person.id):
                raise errors.Forbidden(
                    f"{TITLES[role]}: only {row.person.name} can accept this", hint="nobody accepts for somebody else"
                )
            if seen and seen != row.digest:
                raise _superseded()
            made = Acceptance(role, row.digest, row.person, how, now_ms, by)
            _insert(connection, map_schema.map_acceptance, {"id": self._ids.next(), "system": system}, _plain(made))
            _tell(connection, by, now_ms, f"map: {role} accepted by {row.person.mail}, {row.digest}")
        return made

    def decide(self, made: Decision, facts: Facts, by: str) -> Decision:
        """Record a decision about the newest version of a map; time, map and who reviewed are filled in here.

        Raises NotFound without a map, and what `decision.checked` does.
        """
        now_ms = int(time.time() * 1000)
        with self._database.write() as connection:
            kept = _kept(connection, made.system)
            version = kept.newest
            if version is None:
                raise errors.NotFound("there is no map to decide about", hint="fileroom map set ROLE")
            reviewer = version.row(Role.EVIDENCE)
            made = replace(
                made,
                at_ms=now_ms,
                map_number=version.number,
                map_digest=version.digest,
                reviewed_by=made.reviewed_by if reviewer is None else reviewer.person,
            )
            # what the decision accepts is what is open for it: it names the release that runs
            found = gaps(version, kept.acceptances, facts, now_ms, made.release)
            decision.checked(made, version, kept.acceptances, found)
            document = decision.plain(made)
            _insert(connection, map_schema.decision, {"id": self._ids.next(), "system": made.system}, document)
            _tell(connection, by, now_ms, f"decision: {made.verdict} by {made.by.mail}, {canonical.digest(document)}")
        return made


def _plain(acceptance: Acceptance) -> dict[str, object]:
    return asdict(acceptance) | {"role": acceptance.role.value}


def _kept(connection: sa.Connection, system: str) -> Kept:
    accepted = [
        Acceptance(**one | {"role": Role(one["role"]), "person": Person(**one["person"])})
        for one in _documents(connection, map_schema.map_acceptance, system)
    ]
    return Kept(
        tuple(
            sorted(
                map(versions.read, _documents(connection, map_schema.map_version, system)), key=lambda one: one.number
            )
        ),
        tuple(accepted),
        tuple(map(decision.read, _documents(connection, map_schema.decision, system))),
    )


def _documents(connection: sa.Connection, table: sa.Table, system: str) -> list[dict[str, Any]]:
    found = []
    wanted = sa.select(table.c.document, table.c.digest).where(table.c.system == system).order_by(table.c.id)
    for text, digest in connection.execute(wanted):
        try:
            told: Any = canonical.parsed(text.encode())
            good = isinstance(told, dict) and canonical.digest(told) == digest
        except canonical.NotCanonical:
            good = False
        if not good:
            raise errors.DamagedLedger(f"a row of {table.name} is not what was written", hint="fileroom audit verify")
        found.append(told)
    return found


def _insert(connection: sa.Connection, table: sa.Table, row: dict[str, object], document: dict[str, object]) -> None:
    told = {"document": canonical.canonical(document).decode(), "digest": canonical.digest(document)}
    connection.execute(sa.insert(table), [row | told])


def _tell(connection: sa.Connection, who: str, now_ms: int, detail: str) -> None:
    ledger.append(connection, [Event(Kind.SETTING, now_ms, who, where="command line", detail=detail)])


def _check_seen(newest: Version | None, seen: int | None) -> None:
    if seen is not None and seen != (0 if newest is None else newest.number):
        raise _superseded()


def _superseded() -> errors.Superseded:
    return errors.Superseded("somebody else changed the map meanwhile", hint="read it again, then change it")
