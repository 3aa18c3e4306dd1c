"""Question 3: list of running software."""

from __future__ import annotations

from fileroom.accountability.clauses import SOFTWARE
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, named, none

CHECK = Check(
    id="software-list",
    question=3,
    title="list of running software",
    claim="what is running is listed, with the version of every part",
    observes="the Python packages that this program is made of, and Python itself",
    passes_when="the list is not empty, and no part is without a version",
    fresh_for_seconds=DAY,
    owner=Role.EVIDENCE,
    clauses=SOFTWARE,
    source=Source.MEASURED,
    judge=all_of(
        at_least("packages", 1, "the list is empty"),
        none("without_version", "{} parts have no version"),
        named("digest", "the list has no digest"),
    ),
)

PASSES: Facts = {"packages": 30, "without_version": 0, "digest": "ab12"}
FAILS: Facts = {"packages": 30, "without_version": 1, "digest": "ab12"}
