"""Question 5: trial call to support."""

from __future__ import annotations

from fileroom.accountability.clauses import INCIDENT
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, no_more_than

CHECK = Check(
    id="test-call",
    question=5,
    title="trial call to support",
    claim="a trial call to support was answered in the stated time",
    observes="a trial call: how long until a person answered",
    passes_when="no longer than stated",
    fresh_for_seconds=90 * DAY,
    owner=Role.SUPPORT,
    clauses=INCIDENT,
    source=Source.MEASURED,
    judge=all_of(
        no_more_than("minutes", "stated_minutes", "it took {} minutes, {} are stated"),
    ),
    waits_for="Support calls and vendor sessions are not recorded in Fileroom yet",
)

PASSES: Facts = {"minutes": 9, "stated_minutes": 30}
FAILS: Facts = {"minutes": 45, "stated_minutes": 30}
