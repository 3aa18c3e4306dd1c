"""Question 1: who sends here."""

from __future__ import annotations

from fileroom.accountability.clauses import INVENTORY
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="declared-flows",
    question=1,
    title="who sends here",
    claim="everybody who has sent images here over DICOM is on the list of peers",
    observes="the calling AE titles of what is stored, against the list of peers",
    passes_when="no sender is missing from the list",
    fresh_for_seconds=DAY,
    owner=Role.DATA,
    clauses=INVENTORY,
    source=Source.MEASURED,
    judge=all_of(
        at_least("peers", 1, "no peer is declared"),
        none("undeclared", "senders that are not on the list of peers: {}"),
    ),
)

PASSES: Facts = {"peers": 3, "undeclared": 0}
FAILS: Facts = {"peers": 3, "undeclared": 1}
