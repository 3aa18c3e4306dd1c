"""Question 7: deletion proven."""

from __future__ import annotations

from fileroom.accountability.clauses import DELETION
from fileroom.evidence.check import YEAR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, none, true

CHECK = Check(
    id="deletion-proven",
    question=7,
    title="deletion proven",
    claim="a deleted study cannot be got back, and it is certified when the last backup with it ends",
    observes="a deleted study looked for in index, packs, caches and live backups",
    passes_when="found nowhere, with a certificate",
    fresh_for_seconds=YEAR,
    owner=Role.EXIT,
    clauses=DELETION,
    source=Source.MEASURED,
    judge=all_of(
        none("found", "it was found in {} places"),
        true("certified", "no certificate says when the last backup with it ends"),
    ),
    waits_for="Deleting a study for good is not part of Fileroom yet",
)

PASSES: Facts = {"found": 0, "certified": True}
FAILS: Facts = {"found": 1, "certified": True}
