"""Question 4: backups cannot be deleted."""

from __future__ import annotations

from fileroom.accountability.clauses import BACKUP
from fileroom.evidence.check import MONTH, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, true

CHECK = Check(
    id="backup-deletion-refused",
    question=4,
    title="backups cannot be deleted",
    claim="the production system tried to delete a backup and was refused",
    observes="a deletion really tried with the production identity",
    passes_when="it was refused, and the backup is still there",
    fresh_for_seconds=MONTH,
    owner=Role.BACKUP,
    clauses=BACKUP,
    source=Source.MEASURED,
    judge=all_of(
        true("refused", "the deletion was not refused"),
        true("still_there", "the backup is gone"),
    ),
    waits_for="Restores are not rehearsed by Fileroom yet",
)

PASSES: Facts = {"refused": True, "still_there": True}
FAILS: Facts = {"refused": False, "still_there": False}
