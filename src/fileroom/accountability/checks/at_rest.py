"""Question 3: encrypted disk."""

from __future__ import annotations

from fileroom.accountability.clauses import AT_REST
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, true

CHECK = Check(
    id="at-rest",
    question=3,
    title="encrypted disk",
    claim="the disk that holds the images is encrypted",
    observes="the block device below the packs",
    passes_when="it is an encrypted one",
    fresh_for_seconds=DAY,
    owner=Role.PRIVACY,
    clauses=AT_REST,
    source=Source.MEASURED,
    judge=all_of(
        true("encrypted", "the disk below the packs is not encrypted"),
    ),
)

PASSES: Facts = {"encrypted": True}
FAILS: Facts = {"encrypted": False}
