"""Question 5: faults reach their owner."""

from __future__ import annotations

from fileroom.accountability.clauses import INCIDENT
from fileroom.evidence.check import YEAR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="incident-routing",
    question=5,
    title="faults reach their owner",
    claim="a rehearsed fault at each place reached the one who owns that place",
    observes="faults rehearsed at modality, network, gateway, archive and viewer",
    passes_when="each reached its owner",
    fresh_for_seconds=YEAR,
    owner=Role.SUPPORT,
    clauses=INCIDENT,
    source=Source.MEASURED,
    judge=all_of(
        at_least("rehearsed", 5, "only {} of the 5 places were rehearsed"),
        none("misrouted", "{} went to somebody else"),
    ),
    waits_for="Support calls and vendor sessions are not recorded in Fileroom yet",
)

PASSES: Facts = {"rehearsed": 5, "misrouted": 0}
FAILS: Facts = {"rehearsed": 5, "misrouted": 1}
