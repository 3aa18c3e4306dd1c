"""Question 3: trial entry in the ledger."""

from __future__ import annotations

from fileroom.accountability.clauses import AUDIT
from fileroom.evidence.check import HOUR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_most, none

CHECK = Check(
    id="audit-canary",
    question=3,
    title="trial entry in the ledger",
    claim="a trial view, export and deletion was found in the ledger within a minute, with every field",
    observes="a synthetic view, export and deletion, then looked for in the ledger",
    passes_when="each is there within 60 seconds and whole",
    fresh_for_seconds=HOUR,
    owner=Role.PRIVACY,
    clauses=AUDIT,
    source=Source.MEASURED,
    judge=all_of(
        none("lost", "{} of the trial acts are not in the ledger"),
        none("fields_missing", "{} fields are missing"),
        at_most("slowest_seconds", 60, "it took {} seconds"),
    ),
    waits_for="Trial acts for the ledger are not made by Fileroom yet",
)

PASSES: Facts = {"lost": 0, "fields_missing": 0, "slowest_seconds": 2}
FAILS: Facts = {"lost": 1, "fields_missing": 0, "slowest_seconds": 2}
