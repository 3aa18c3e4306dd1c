"""Question 4: every byte read."""

from __future__ import annotations

from fileroom.accountability.clauses import INTEGRITY
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, no_more_than, none

CHECK = Check(
    id="scrub",
    question=4,
    title="every byte read",
    claim="every stored object was read and is as it arrived",
    observes="every object read and compared with the digest recorded when it arrived",
    passes_when="nothing differs, and as many objects were read as are recorded",
    fresh_for_seconds=90 * DAY,
    owner=Role.BACKUP,
    clauses=INTEGRITY,
    source=Source.MEASURED,
    judge=all_of(
        none("findings", "{} things are not as recorded: fileroom scrub"),
        no_more_than("recorded", "objects", "{} objects are recorded, {} were read"),
    ),
)

PASSES: Facts = {"findings": 0, "recorded": 9, "objects": 9}
FAILS: Facts = {"findings": 1, "recorded": 9, "objects": 9}
