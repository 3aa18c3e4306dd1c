"""Question 3: ledger looked through."""

from __future__ import annotations

from fileroom.accountability.clauses import AUDIT
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, named, none

CHECK = Check(
    id="audit-review",
    question=3,
    title="ledger looked through",
    claim="a named person looked through the ledger and signed for it in the last week",
    observes="the newest review of the ledger",
    passes_when="it is signed, and nothing in it is open",
    fresh_for_seconds=7 * DAY,
    owner=Role.PRIVACY,
    clauses=AUDIT,
    source=Source.MEASURED,
    judge=all_of(
        named("reviewer", "nobody signed"),
        none("open", "{} questions are open"),
    ),
    waits_for="Reviews of the ledger cannot be signed in Fileroom yet",
)

PASSES: Facts = {"reviewer": "person 1", "open": 0}
FAILS: Facts = {"reviewer": "", "open": 0}
