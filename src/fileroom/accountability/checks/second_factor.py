"""Question 2: second factor in use."""

from __future__ import annotations

from fileroom.accountability.clauses import SECOND_FACTOR
from fileroom.evidence.check import HOUR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="second-factor",
    question=2,
    title="second factor in use",
    claim="every sign-in of a person in the last day used a second factor",
    observes="the sessions that people really had, not the setting",
    passes_when="no session went without",
    fresh_for_seconds=HOUR,
    owner=Role.ACCESS,
    clauses=SECOND_FACTOR,
    source=Source.MEASURED,
    judge=all_of(
        at_least("sessions", 1, "nobody signed in"),
        none("without", "{} sessions went without a second factor"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"sessions": 9, "without": 0}
FAILS: Facts = {"sessions": 9, "without": 1}
