"""Question 2: access review."""

from __future__ import annotations

from fileroom.accountability.clauses import ACCESS
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, none

CHECK = Check(
    id="access-review",
    question=2,
    title="access review",
    claim=(
        "the last access review was finished in time, nobody decided about themselves, and what was "
        "taken away no longer works"
    ),
    observes="the newest review: its frozen list, its decisions, and a sign-in tried for what was revoked",
    passes_when="nothing is pending at the due date, no decider is the subject, every revocation was proven",
    fresh_for_seconds=92 * DAY,
    owner=Role.ACCESS,
    clauses=ACCESS,
    source=Source.MEASURED,
    judge=all_of(
        none("pending", "{} grants wait for a decision"),
        none("self_decided", "{} people decided about themselves"),
        none("still_working", "{} revoked grants still work"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"pending": 0, "self_decided": 0, "still_working": 0}
FAILS: Facts = {"pending": 0, "self_decided": 1, "still_working": 0}
