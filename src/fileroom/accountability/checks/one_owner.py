"""Question 5: one owner for each task."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="one-owner",
    question=5,
    title="one owner for each task",
    claim="every row of the responsibility map says whose work it is, once",
    observes="the rows of the responsibility map",
    passes_when="each has exactly one owner value",
    fresh_for_seconds=DAY,
    owner=Role.SUPPORT,
    clauses=SUPPLIER,
    source=Source.MEASURED,
    judge=all_of(
        at_least("rows", 1, "the map is empty"),
        none("unclear", "{} rows do not say whose work it is"),
    ),
    waits_for="The responsibility map has not been filled in yet",
)

PASSES: Facts = {"rows": 9, "unclear": 0}
FAILS: Facts = {"rows": 9, "unclear": 1}
