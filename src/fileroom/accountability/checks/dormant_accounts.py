"""Question 2: accounts nobody uses."""

from __future__ import annotations

from fileroom.accountability.clauses import LEAVERS
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="dormant-accounts",
    question=2,
    title="accounts nobody uses",
    claim="no account that nobody used for 90 days is still open",
    observes="the last use of every account",
    passes_when="no open account is unused for longer than 90 days",
    fresh_for_seconds=7 * DAY,
    owner=Role.ACCESS,
    clauses=LEAVERS,
    source=Source.MEASURED,
    judge=all_of(
        at_least("accounts", 1, "no account was found"),
        none("dormant", "{} open accounts were not used for 90 days"),
    ),
    waits_for="There is no sign-in yet, so there are no people and grants to look at",
)

PASSES: Facts = {"accounts": 5, "dormant": 0}
FAILS: Facts = {"accounts": 5, "dormant": 1}
