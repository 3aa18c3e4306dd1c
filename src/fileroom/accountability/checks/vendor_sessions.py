"""Question 5: vendor sessions."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, none

CHECK = Check(
    id="vendor-sessions",
    question=5,
    title="vendor sessions",
    claim="every session of a vendor had a ticket and a time limit",
    observes="the sessions of vendors",
    passes_when="none was without a ticket or without a limit",
    fresh_for_seconds=7 * DAY,
    owner=Role.SUPPORT,
    clauses=SUPPLIER,
    source=Source.MEASURED,
    judge=all_of(
        none("without_ticket", "{} sessions had no ticket"),
        none("without_limit", "{} sessions had no time limit"),
    ),
    waits_for="Support calls and vendor sessions are not recorded in Fileroom yet",
)

PASSES: Facts = {"without_ticket": 0, "without_limit": 0}
FAILS: Facts = {"without_ticket": 1, "without_limit": 0}
