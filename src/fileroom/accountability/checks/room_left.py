"""Question 4: room on the disk."""

from __future__ import annotations

from fileroom.accountability.clauses import AVAILABILITY
from fileroom.evidence.check import HOUR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, no_more_than

CHECK = Check(
    id="room-left",
    question=4,
    title="room on the disk",
    claim="there is room for more images",
    observes="the free space where the packs lie",
    passes_when="more than 5 % and more than the server's own limit is free",
    fresh_for_seconds=HOUR,
    owner=Role.SYSTEM,
    clauses=AVAILABILITY,
    source=Source.MEASURED,
    judge=all_of(
        no_more_than("needed_bytes", "free_bytes", "{} bytes are needed, {} are free"),
    ),
)

PASSES: Facts = {"needed_bytes": 100, "free_bytes": 200}
FAILS: Facts = {"needed_bytes": 100, "free_bytes": 50}
