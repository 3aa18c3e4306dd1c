"""The answers in words: at most three sentences a question, made from results and from nothing else.

The first says what passes, and is the only one that can be proven. The second says what failed, is too old or was
waived; the third what nobody has looked at. A check that a question needs and that is missing counts as not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fileroom.accountability.questions import Question
from fileroom.evidence.check import Check, Status
from fileroom.evidence.result import Result


class Proof(StrEnum):
    """Whether a sentence is shown by evidence."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and the checks it rests on."""

    text: str
    proof: Proof
    checks: tuple[str, ...]
    seen_ms: int | None = None  # of what is proven: when the oldest of it was seen
    until_ms: int | None = None  # and when the first of it no longer counts


Persons = Mapping[str, str]  # role to the person who answers for it


def sentences(
    question: Question, checks: Mapping[str, Check], results: Mapping[str, Result], persons: Persons | None = None
) -> list[Sentence]:
    """The answer. `persons`: from the responsibility map, once there is one; what nobody answers for is not proven."""
    proven, wrong, unseen = [], [], []
    for name in question.checks:
        check, found = checks.get(name), results.get(name)
        if check is None or found is None:
            unseen.append(name)
        elif found.status is Status.PASS and found.observed_ms is not None and _owned(check, persons):
            proven.append(name)
        elif found.status is Status.NOT_EVALUATED:
            unseen.append(name)
        else:
            wrong.append(name)
    said = []
    if proven:
        claims = "; ".join(checks[name].claim for name in proven)
        seen = min(results[name].observed_ms or 0 for name in proven)
        until = min(results[name].valid_until_ms or 0 for name in proven)
        said.append(Sentence(f"{_capital(claims)}.", Proof.PROVEN, tuple(proven), seen, until))
    if wrong and all(results[name].status is Status.PASS for name in wrong):
        passed = "; ".join(checks[name].title for name in wrong)
        said.append(Sentence(f"It passed, and nobody answers for it: {passed}.", Proof.NOT_PROVEN, tuple(wrong)))
    elif wrong:
        faults = "; ".join(f"{checks[name].title} ({_fault(results[name])})" for name in wrong)
        said.append(Sentence(f"Not as promised: {faults}.", Proof.NOT_PROVEN, tuple(wrong)))
    if unseen:
        titles = [checks[name].title if name in checks else f"the check {name}, which is missing" for name in unseen]
        said.append(Sentence(f"Nobody has shown yet: {'; '.join(titles)}.", Proof.NOT_PROVEN, tuple(unseen)))
    return said


def _owned(check: Check, persons: Persons | None) -> bool:
    return persons is None or bool(persons.get(check.owner, "").strip())


def _fault(found: Result) -> str:
    if found.status is Status.PASS:
        return "it passed, and nobody answers for it"
    return found.why if found.status is Status.FAIL else f"{found.status}: {found.why}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
