"""Question 6: objects that wait for a person."""

from __future__ import annotations

from fileroom.accountability.clauses import INTEGRITY
from fileroom.evidence.check import HOUR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_most

CHECK = Check(
    id="unmatched-queue",
    question=6,
    title="objects that wait for a person",
    claim="nothing has waited for a person longer than 3 days",
    observes="conflicts, and objects held because a study was claimed by two patients or sites",
    passes_when="the oldest has waited no longer than 72 hours",
    fresh_for_seconds=HOUR,
    owner=Role.DATA,
    clauses=INTEGRITY,
    source=Source.MEASURED,
    judge=all_of(
        at_most("oldest_hours", 72, "the oldest has waited for {} hours: fileroom conflicts"),
    ),
)

PASSES: Facts = {"waiting": 2, "oldest_hours": 5}
FAILS: Facts = {"waiting": 2, "oldest_hours": 80}
