"""Question 4: age of the backup."""

from __future__ import annotations

from fileroom.accountability.clauses import BACKUP
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_most, none

CHECK = Check(
    id="newest-backup",
    question=4,
    title="age of the backup",
    claim="the newest backup is no older than was agreed, and it is whole",
    observes="the newest backup of each store",
    passes_when="it lost nothing and is no older than 24 hours",
    fresh_for_seconds=DAY,
    owner=Role.BACKUP,
    clauses=BACKUP,
    source=Source.MEASURED,
    judge=all_of(
        none("lost", "{} packs are missing in it"),
        at_most("age_hours", 24, "it is {} hours old"),
    ),
    waits_for="The home does not record when it was backed up; only the copy itself carries its date (backup.json)",
)

PASSES: Facts = {"lost": 0, "age_hours": 5}
FAILS: Facts = {"lost": 0, "age_hours": 30}
