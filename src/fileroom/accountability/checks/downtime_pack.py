"""Question 6: downtime pack."""

from __future__ import annotations

from fileroom.accountability.clauses import DOWNTIME
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_most, true

CHECK = Check(
    id="downtime-pack",
    question=6,
    title="downtime pack",
    claim="the pack for downtime is of today and was opened on a downtime workstation",
    observes="worklist, priors, contacts and forms, opened on the workstation meant for it",
    passes_when="no older than 24 hours, and it opened",
    fresh_for_seconds=DAY,
    owner=Role.DOWNTIME,
    clauses=DOWNTIME,
    source=Source.MEASURED,
    judge=all_of(
        at_most("age_hours", 24, "it is {} hours old"),
        true("opened", "it was not opened on a downtime workstation"),
    ),
    waits_for="Downtime packs and drills are not part of Fileroom yet",
)

PASSES: Facts = {"age_hours": 3, "opened": True}
FAILS: Facts = {"age_hours": 30, "opened": True}
