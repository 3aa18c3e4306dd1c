"""Question 1: where images are stored."""

from __future__ import annotations

from fileroom.accountability.clauses import INVENTORY
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="storage-regions",
    question=1,
    title="where images are stored",
    claim="images are stored only in the regions that were allowed",
    observes="the region of every storage place in use",
    passes_when="no place is outside the allowed regions",
    fresh_for_seconds=DAY,
    owner=Role.DATA,
    clauses=INVENTORY,
    source=Source.MEASURED,
    judge=all_of(
        at_least("places", 1, "no storage place reports its region"),
        none("outside", "{} storage places are outside the allowed regions"),
    ),
    waits_for="Fileroom stores on this machine's disk and cannot tell which region that is in",
)

PASSES: Facts = {"places": 2, "outside": 0}
FAILS: Facts = {"places": 2, "outside": 1}
