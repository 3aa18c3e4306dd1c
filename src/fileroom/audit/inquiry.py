"""Questions to the ledger, as people ask them: what happened to this patient, to this study, by this person, when.

Lines about a patient or a study are found by what they are about. Other questions read lines, the newest first, and
stop after many: whoever asks may go on from there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from fileroom.audit import schema
from fileroom.audit.event import Event, Kind, NotALine, Outcome, read
from fileroom.audit.reading import LINE, Entry
from fileroom.audit.subjects import of_act, of_patient, of_study
from fileroom.database import Database

READ_MAX = 50_000  # lines, for one answer
_PAGE = 500
_ACTS_AT_ONCE = 200
_L, _A = schema.ledger.c, schema.ledger_about.c


@dataclass(frozen=True, slots=True)
class Asked:
    """What lines are wanted. Texts that are empty do not narrow."""

    patient_id: str = ""
    study_uid: str = ""
    who: str = ""
    kind: Kind | None = None
    since_ms: int = 0
    until_ms: int = 1 << 53  # before this

    def wants(self, event: Event) -> bool:
        """Whether a line is one of them."""
        return (
            self.since_ms <= event.at_ms < self.until_ms
            and (not self.patient_id or event.patient_id == self.patient_id)
            and (not self.study_uid or event.study_uid == self.study_uid)
            and (not self.who or event.who == self.who)
            and (self.kind is None or event.kind is self.kind)
        )

    @property
    def subject(self) -> str:
        """What to find lines by; empty when they have to be read one after the other."""
        if self.study_uid:
            return of_study(self.study_uid)
        return of_patient(self.patient_id) if self.patient_id else ""


class Happening(NamedTuple):
    """One act: the line that says it began, and the one that says how it ended."""

    position: int
    event: Event | None  # None: the line cannot be read, see `fileroom audit verify`
    end: Event | None  # None: it is told in one line, or its end is not told (yet)


class Answer(NamedTuple):
    """Some acts, the newest first."""

    happenings: list[Happening]
    before: int | None  # ask for what is before this line to go on; None: there is no more


def find(database: Database, asked: Asked, *, before: int | None = None, limit: int = 100) -> Answer:
    """The newest acts that are wanted, before a line. Raises DatabaseUnavailable."""
    found: list[Entry] = []
    last, count = sys.maxsize if before is None else before, 0
    for entry in _newest(database, asked, last):
        last, count = entry.position, count + 1
        if entry.event is None or (asked.wants(entry.event) and not is_end(entry.event)):
            found.append(entry)
        if len(found) == limit or count == READ_MAX:
            return Answer(_with_ends(database, found), last)
    return Answer(_with_ends(database, found), None)


def all_lines(database: Database, asked: Asked) -> Iterator[Entry]:
    """Every line that is wanted, the newest first, those that say how an act ended too."""
    for entry in _newest(database, asked, sys.maxsize):
        if entry.event is None or asked.wants(entry.event):
            yield entry


def is_end(event: Event) -> bool:
    """Whether it only says how something ended that another line says has begun."""
    if event.outcome is Outcome.REFUSED:
        return event.objects is not None
    return bool(event.act) and event.outcome is not Outcome.BEGUN


def _newest(database: Database, asked: Asked, before: int) -> Iterator[Entry]:
    query = sa.select(_L.position, LINE).order_by(_L.position.desc()).limit(_PAGE)
    if subject := asked.subject:
        query = (
            sa.select(_A.position, LINE)
            .join_from(schema.ledger_about, schema.ledger, _L.position == _A.position)
            .where(_A.subject == subject)
            .order_by(_A.position.desc())
            .limit(_PAGE)
        )
    column = _A.position if subject else _L.position
    while True:
        with database.read() as connection:
            rows = connection.execute(query.where(column < before)).all()
        for position, line in rows:
            yield Entry(position, _event(line), line)
        if len(rows) < _PAGE:
            return
        before = rows[-1][0]


def _event(line: bytes) -> Event | None:
    try:
        return read(line)
    except NotALine:
        return None


def _with_ends(database: Database, entries: Sequence[Entry]) -> list[Happening]:
    acts = {entry.event.act for entry in entries if entry.event is not None and entry.event.act}
    ends = _ends(database, sorted(acts))
    return [Happening(entry.position, entry.event, _end(entry.event, ends)) for entry in entries]


def _end(event: Event | None, ends: dict[tuple[str, str], Event]) -> Event | None:
    """How it ended: of this study, or of the act as a whole, which then held one object of it."""
    if event is None or not event.act:
        return None
    own = ends.get((event.act, event.study_uid))
    if own is not None:
        return own
    whole = ends.get((event.act, ""))
    return whole and whole._replace(objects=1, study_uid=event.study_uid, detail=event.detail)


def _ends(database: Database, acts: Sequence[str]) -> dict[tuple[str, str], Event]:
    found: dict[tuple[str, str], Event] = {}
    for at in range(0, len(acts), _ACTS_AT_ONCE):
        subjects = [of_act(act) for act in acts[at : at + _ACTS_AT_ONCE]]
        query = sa.select(LINE).join_from(schema.ledger_about, schema.ledger, _L.position == _A.position)
        with database.read() as connection:
            lines: Iterable[bytes] = connection.execute(query.where(_A.subject.in_(subjects))).scalars().all()
        for event in filter(None, map(_event, lines)):
            found[event.act, event.study_uid] = event
    return found
