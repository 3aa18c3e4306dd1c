"""Question 1: source list against what arrived."""

from __future__ import annotations

from fileroom.accountability.clauses import INTEGRITY
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="migration-manifest",
    question=1,
    title="source list against what arrived",
    claim="everything on the source archive's list arrived, and a named person decided every difference",
    observes="the source's list against what was received, for each wave",
    passes_when="no difference is left that nobody decided",
    fresh_for_seconds=DAY,
    owner=Role.DATA,
    clauses=INTEGRITY,
    source=Source.MEASURED,
    judge=all_of(
        at_least("listed", 1, "the source's list is empty"),
        none("undecided", "{} differences wait for a decision"),
    ),
    waits_for="Moving another archive in, wave by wave, is not part of Fileroom yet",
)

PASSES: Facts = {"listed": 40, "undecided": 0}
FAILS: Facts = {"listed": 40, "undecided": 2}
