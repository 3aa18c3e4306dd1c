"""Question 7: leaving with one's own keys."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVING
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, true

CHECK = Check(
    id="own-credentials",
    question=7,
    title="leaving with one's own keys",
    claim="the exit was rehearsed with the customer's own credentials, without the vendor's help",
    observes="whose credentials the last rehearsed exit used",
    passes_when="the customer's, and nobody else's",
    fresh_for_seconds=92 * DAY,
    owner=Role.EXIT,
    clauses=LEAVING,
    source=Source.MEASURED,
    judge=all_of(
        true("own", "it needed somebody else's credentials"),
    ),
    waits_for="Exits are not rehearsed by Fileroom yet",
)

PASSES: Facts = {"own": True}
FAILS: Facts = {"own": False}
