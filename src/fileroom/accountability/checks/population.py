"""Question 2: who may get in."""

from __future__ import annotations

from fileroom.accountability.clauses import ACCESS
from fileroom.evidence.check import HOUR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="population",
    question=2,
    title="who may get in",
    claim="every person, service account, key and AE title that may get in is counted and has an owner",
    observes="the table of grants: people, service accounts, keys, AE titles",
    passes_when="each has an owner",
    fresh_for_seconds=HOUR,
    owner=Role.ACCESS,
    clauses=ACCESS,
    source=Source.MEASURED,
    judge=all_of(
        at_least("grants", 1, "no grant was found"),
        none("ownerless", "{} of them belong to nobody"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"grants": 20, "ownerless": 0}
FAILS: Facts = {"grants": 20, "ownerless": 1}
