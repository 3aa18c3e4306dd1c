"""Question 7: rehearsed exit."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVING
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none, true

CHECK = Check(
    id="exit-drill",
    question=7,
    title="rehearsed exit",
    claim="a sample was taken out and into another archive, and every UID and digest was equal",
    observes="Part 10 files, inventory, reports and ledger of a sample, imported into an independent archive",
    passes_when="the sets of UIDs and of digests are equal",
    fresh_for_seconds=92 * DAY,
    owner=Role.EXIT,
    clauses=LEAVING,
    source=Source.MEASURED,
    judge=all_of(
        at_least("objects", 1, "nothing was taken out"),
        none("differing", "{} objects differ or are missing"),
        true("independent", "the other archive was not an independent one"),
    ),
    waits_for="Exits are not rehearsed by Fileroom yet",
)

PASSES: Facts = {"objects": 500, "differing": 0, "independent": True}
FAILS: Facts = {"objects": 500, "differing": 1, "independent": True}
