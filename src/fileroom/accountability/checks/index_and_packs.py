"""Question 1: index against packs, both ways."""

from __future__ import annotations

from fileroom.accountability.clauses import INTEGRITY
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, none

CHECK = Check(
    id="index-and-packs",
    question=1,
    title="index against packs, both ways",
    claim="every object in the index lies in a pack, and every object in a pack is in the index",
    observes="every pack read from end to end, and every row of the index looked for in it",
    passes_when="no object is missing on either side, and no pack is gone, short or unknown",
    fresh_for_seconds=DAY,
    owner=Role.DATA,
    clauses=INTEGRITY,
    source=Source.MEASURED,
    judge=all_of(
        none("missing", "{} objects of the index are not to be found in the packs"),
        none("unindexed", "{} objects in the packs are not in the index"),
        none("packs_lost", "{} packs are gone, short or unknown"),
    ),
)

PASSES: Facts = {"missing": 0, "unindexed": 0, "packs_lost": 0, "objects": 12}
FAILS: Facts = {"missing": 1, "unindexed": 0, "packs_lost": 0, "objects": 11}
