"""Question 6: training before access."""

from __future__ import annotations

from fileroom.accountability.clauses import TRAINING
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="training-first",
    question=6,
    title="training before access",
    claim="nobody worked with images before being trained",
    observes="the first access of each person against the date of training",
    passes_when="nobody's first access came before",
    fresh_for_seconds=DAY,
    owner=Role.DOWNTIME,
    clauses=TRAINING,
    source=Source.MEASURED,
    judge=all_of(
        at_least("people", 1, "nobody is recorded"),
        none("untrained", "{} people had access before they were trained"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"people": 7, "untrained": 0}
FAILS: Facts = {"people": 7, "untrained": 1}
