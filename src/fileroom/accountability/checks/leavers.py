"""Question 2: people who left."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVERS
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_most

CHECK = Check(
    id="leavers",
    question=2,
    title="people who left",
    claim="the sessions and keys of people who left stopped working within an hour",
    observes="for each leaver: when the last session and key stopped working",
    passes_when="no more than 60 minutes for any of them",
    fresh_for_seconds=7 * DAY,
    owner=Role.ACCESS,
    clauses=LEAVERS,
    source=Source.MEASURED,
    judge=all_of(
        at_most("longest_minutes", 60, "one kept working for {} minutes"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"longest_minutes": 12}
FAILS: Facts = {"longest_minutes": 61}
