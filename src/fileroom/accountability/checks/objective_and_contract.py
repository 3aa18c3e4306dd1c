"""Question 4: promise equals contract."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.evidence.check import YEAR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, true

CHECK = Check(
    id="objective-and-contract",
    question=4,
    title="promise equals contract",
    claim="the availability that is measured against is the one in the contract",
    observes="the objective that is set, and the contract's clause",
    passes_when="they are equal",
    fresh_for_seconds=YEAR,
    owner=Role.SYSTEM,
    clauses=SUPPLIER,
    source=Source.MEASURED,
    judge=all_of(
        true("equal", "the objective is not the contract's"),
    ),
    waits_for="No contract clause is recorded yet",
)

PASSES: Facts = {"equal": True}
FAILS: Facts = {"equal": False}
