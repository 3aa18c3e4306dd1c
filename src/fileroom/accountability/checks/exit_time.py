"""Question 7: time to leave."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVING
from fileroom.evidence.check import MONTH, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, no_more_than

CHECK = Check(
    id="exit-time",
    question=7,
    title="time to leave",
    claim="at the measured speed everything is out within the notice period",
    observes="all bytes divided by the measured rate",
    passes_when="no longer than the notice period",
    fresh_for_seconds=MONTH,
    owner=Role.EXIT,
    clauses=LEAVING,
    source=Source.MEASURED,
    judge=all_of(
        no_more_than("days", "notice_days", "it would take {} days, the notice period is {}"),
    ),
    waits_for="Exits are not rehearsed by Fileroom yet",
)

PASSES: Facts = {"days": 12, "notice_days": 90}
FAILS: Facts = {"days": 120, "notice_days": 90}
