"""Question 6: downtime rehearsed."""

from __future__ import annotations

from fileroom.accountability.clauses import DOWNTIME
from fileroom.evidence.check import YEAR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="downtime-drill",
    question=6,
    title="downtime rehearsed",
    claim="in the last rehearsed downtime, every study taken meanwhile was filed afterwards",
    observes="the studies acquired offline, and where they are now",
    passes_when="all are filed",
    fresh_for_seconds=YEAR,
    owner=Role.DOWNTIME,
    clauses=DOWNTIME,
    source=Source.MEASURED,
    judge=all_of(
        at_least("acquired", 1, "no study was acquired"),
        none("unreconciled", "{} studies were not filed"),
    ),
    waits_for="Downtime packs and drills are not part of Fileroom yet",
)

PASSES: Facts = {"acquired": 6, "unreconciled": 0}
FAILS: Facts = {"acquired": 6, "unreconciled": 1}
