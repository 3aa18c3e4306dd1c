"""Versions of a responsibility map, and where each row is in its life. All of it is computed from dates when read.

proposed -> accepted, by the person named -> active, once every row is -> due, 30 days before its review -> overdue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from fileroom.accountability import canonical, rows
from fileroom.accountability.rows import REQUIRED, TITLES, Person, Role, Row
from fileroom.errors import BadRequest

DUE_DAYS = 30  # before the review


class Status(StrEnum):
    """Where a row is in its life."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person said: I answer for this."""

    role: Role
    row_digest: str  # of the row as it was then
    person: Person
    how: str  # signed on paper, signed in with a second factor, ...
    at_ms: int  # since 1970 UTC
    recorded_by: str  # who wrote it down


@dataclass(frozen=True, slots=True)
class Version:
    """The map as somebody proposed it."""

    number: int  # from 1; each change makes the next
    system: str  # empty: this one; else the outside system's name
    rows: tuple[Row, ...]  # in the order of Role
    made_ms: int
    made_by: str

    def row(self, role: Role) -> Row | None:
        """The role's row, if it has one."""
        return next((row for row in self.rows if row.role is role), None)

    @property
    def digest(self) -> str:
        """What a decision names."""
        return canonical.digest(plain(self))


def plain(version: Version) -> dict[str, object]:
    """The version as JSON values."""
    return {
        "number": version.number,
        "system": version.system,
        "made_ms": version.made_ms,
        "made_by": version.made_by,
        "rows": [rows.plain(row) for row in version.rows],
    }


def read(told: Mapping[str, object]) -> Version:
    """The version that `plain` told. Raises BadRequest."""
    try:
        found = tuple(rows.read(row) for row in told["rows"])  # type: ignore[attr-defined]
        number, made_ms = told["number"], told["made_ms"]
        if type(number) is not int or type(made_ms) is not int:
            raise TypeError
        return Version(number, str(told["system"]), found, made_ms, str(told["made_by"]))
    except (KeyError, TypeError) as error:
        raise BadRequest("not a responsibility map") from error


def day(now_ms: int) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date()


def acceptance_of(row: Row, acceptances: Iterable[Acceptance], now_ms: int) -> Acceptance | None:
    """The first acceptance of this very row by its person. One of a time that has not come does not count."""
    good = (
        one
        for one in acceptances
        if one.role is row.role and one.row_digest == row.digest and one.at_ms <= now_ms and one.person == row.person
    )
    return min(good, key=lambda one: one.at_ms, default=None)


def missing(version: Version) -> tuple[Role, ...]:
    """The roles every map has to have, and this one has not."""
    return tuple(role for role in REQUIRED if version.row(role) is None)


def complete(version: Version, acceptances: Iterable[Acceptance], now_ms: int) -> bool:
    """Whether every role that has to be there is, and every row is accepted by its person."""
    known = tuple(acceptances)
    return not missing(version) and all(acceptance_of(row, known, now_ms) is not None for row in version.rows)


def status(row: Row, version: Version, acceptances: Iterable[Acceptance], now_ms: int) -> Status:
    """Where a row of that version is now. A row that nobody accepted is proposed, however late it is."""
    known = tuple(acceptances)
    if acceptance_of(row, known, now_ms) is None:
        return Status.PROPOSED
    today = day(now_ms)
    if today > row.next_review:
        return Status.OVERDUE
    if not complete(version, known, now_ms):
        return Status.ACCEPTED
    return Status.DUE if today >= row.next_review - timedelta(days=DUE_DAYS) else Status.ACTIVE


def in_force(versions: Iterable[Version], acceptances: Iterable[Acceptance], now_ms: int) -> Version | None:
    """The newest version that everybody in it accepted. A proposed one replaces nothing."""
    known = tuple(acceptances)
    good = (one for one in versions if one.made_ms <= now_ms and complete(one, known, now_ms))
    return max(good, key=lambda one: one.number, default=None)


def diff(older: Version, newer: Version) -> tuple[str, ...]:
    """What changed, a sentence a line, in the order of the roles."""
    lines: list[str] = []
    for role in Role:
        before, after = older.row(role), newer.row(role)
        if before is None and after is not None:
            lines.append(f"{TITLES[role]}: new, {after.person.name} ({after.organisation})")
        elif before is not None and after is None:
            lines.append(f"{TITLES[role]}: taken out, was {before.person.name}")
        elif before is not None and after is not None:
            lines += _changes(before, after)
    return tuple(lines)


def _changes(before: Row, after: Row) -> list[str]:
    old, new = rows.plain(before), rows.plain(after)
    lines = []
    for name in new:
        if old[name] != new[name]:
            what = name.replace("_", " ")
            lines.append(f"{TITLES[after.role]}: {what}: {_shown(old[name])} -> {_shown(new[name])}")
    return lines


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['name']} <{value['mail']}>" if "mail" in value else ", ".join(filter(None, value.values()))
    if isinstance(value, list):
        return "; ".join(map(_shown, value)) or "none"
    return str(value) if value else "none"
