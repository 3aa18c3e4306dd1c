"""Question 2: emergency access."""

from __future__ import annotations

from fileroom.accountability.clauses import AUDIT
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, none

CHECK = Check(
    id="break-glass",
    question=2,
    title="emergency access",
    claim="every emergency access was reviewed by somebody else within 72 hours",
    observes="the emergency accesses in the ledger, and their reviews",
    passes_when="none is unreviewed after 72 hours, none was reviewed by the same person",
    fresh_for_seconds=DAY,
    owner=Role.ACCESS,
    clauses=AUDIT,
    source=Source.MEASURED,
    judge=all_of(
        none("overdue", "{} emergency accesses were not reviewed in time"),
        none("self_reviewed", "{} were reviewed by the person who had the access"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"overdue": 0, "self_reviewed": 0}
FAILS: Facts = {"overdue": 1, "self_reviewed": 0}
