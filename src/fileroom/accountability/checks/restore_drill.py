"""Question 4: rehearsed restore."""

from __future__ import annotations

from fileroom.accountability.clauses import RECOVERY
from fileroom.evidence.check import MONTH, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, no_more_than, none

CHECK = Check(
    id="restore-drill",
    question=4,
    title="rehearsed restore",
    claim=(
        "a restore was rehearsed without the production password, within the agreed times, and every digest was equal"
    ),
    observes="a restore on an isolated machine: time taken, time lost, digests",
    passes_when="digests equal, both times within what was agreed",
    fresh_for_seconds=MONTH,
    owner=Role.BACKUP,
    clauses=RECOVERY,
    source=Source.MEASURED,
    judge=all_of(
        at_least("objects", 1, "nothing was restored"),
        none("differing", "{} objects differ"),
        no_more_than("rto_minutes", "rto_agreed_minutes", "it took {} minutes, {} were agreed"),
        no_more_than("rpo_minutes", "rpo_agreed_minutes", "{} minutes were lost, {} were agreed"),
    ),
    waits_for="Restores are not rehearsed by Fileroom yet",
)

PASSES: Facts = {
    "objects": 9,
    "differing": 0,
    "rto_minutes": 30,
    "rto_agreed_minutes": 240,
    "rpo_minutes": 10,
    "rpo_agreed_minutes": 60,
}
FAILS: Facts = {
    "objects": 9,
    "differing": 0,
    "rto_minutes": 300,
    "rto_agreed_minutes": 240,
    "rpo_minutes": 10,
    "rpo_agreed_minutes": 60,
}
