"""The seven answers of one archive now: results, sentences, and the document that programs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fileroom import errors
from fileroom.accountability.observing import OBSERVERS, NotObservable, Place
from fileroom.accountability.questions import QUESTIONS, Question
from fileroom.accountability.registry import all_checks
from fileroom.accountability.sentences import Persons, Proof, Sentence, sentences
from fileroom.archive import schema
from fileroom.audit.actor import now_ms
from fileroom.database import Database
from fileroom.evidence.book import Book
from fileroom.evidence.check import Check, Status
from fileroom.evidence.observation import OUTAGE
from fileroom.evidence.result import Result


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what is said to it."""

    question: Question
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """All seven at one moment."""

    as_of_ms: int
    answers: tuple[Answer, ...]
    checks: tuple[tuple[Check, Result], ...]  # in the order of the questions

    def count(self, status: Status) -> int:
        """How many checks say this."""
        return sum(found.status is status for _, found in self.checks)

    @property
    def all_proven(self) -> bool:
        """Whether nothing is left unproven."""
        return all(one.proof is Proof.PROVEN for answer in self.answers for one in answer.sentences)


def open_book(database: Database, home: Path, clock: Callable[[], int] = now_ms) -> Book:
    """The archive's book of observations. Raises BadSetting while the archive has no identity yet."""
    with database.read() as connection:
        identity = connection.execute(sa.select(schema.archive.c.id)).scalar()
    if identity is None:
        raise errors.BadSetting("this archive was never started", hint="fileroom serve gives it its identity")
    return Book(database, home, str(identity), clock)


def answer(book: Book, site: str, checks: Sequence[Check] | None = None, persons: Persons | None = None) -> Answers:
    """Judge everything now. Raises DatabaseUnavailable, DamagedLedger."""
    known = list(all_checks() if checks is None else checks)
    found = book.results(known, site)
    by_id, results = {check.id: check for check in known}, {one.check_id: one for one in found}
    answers = tuple(Answer(one, tuple(sentences(one, by_id, results, persons))) for one in QUESTIONS)
    return Answers(book.now_ms(), answers, tuple(zip(known, found, strict=True)))


def observe(book: Book, check: Check, place: Place) -> None:
    """Look now, and write down what was seen, or why nothing could be.

    Raises BadRequest for a check that this process cannot look at, DamagedLedger, StorageFull, DatabaseUnavailable.
    """
    observer = OBSERVERS.get(check.id)
    if observer is None:
        raise errors.BadRequest(f"{check.id} cannot be looked at yet", hint=check.waits_for)
    seen_ms = book.now_ms()
    try:
        facts = observer(place)
    except NotObservable as why:
        facts = {OUTAGE: str(why)}
    except errors.FileroomError as error:
        facts = {OUTAGE: str(error)}
    except OSError as error:
        facts = {OUTAGE: error.strerror or type(error).__name__}
    book.record(check.id, place.settings.site, facts, observed_ms=seen_ms)


def document(found: Answers, told: Mapping[str, object] | None) -> dict[str, Any]:
    """The answers as `--json` gives them; the form is stable. `told`: the responsibility map, as a statement has it."""
    return {
        "questions": [
            {
                "number": one.question.number,
                "title": one.question.title,
                "sentences": [
                    {"text": said.text, "status": str(said.proof), "checks": list(said.checks)}
                    for said in one.sentences
                ],
            }
            for one in found.answers
        ],
        "checks": [
            {
                "id": check.id,
                "status": str(result.status),
                "observed_at": iso(result.observed_ms),
                "valid_until": iso(result.valid_until_ms),
                "grade": result.grade,
                "owner": str(check.owner),
            }
            for check, result in found.checks
        ],
        "map": told,
    }


def iso(time_ms: int | None) -> str | None:
    """Milliseconds since 1970 UTC as RFC 3339; a time after the year 9999 has none."""
    if time_ms is None or not 0 <= time_ms < 253_402_300_800_000:
        return None
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
