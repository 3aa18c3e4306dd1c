"""Question 6: speed against before the move."""

from __future__ import annotations

from fileroom.accountability.clauses import AVAILABILITY
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, no_more_than

CHECK = Check(
    id="speed-against-before",
    question=6,
    title="speed against before the move",
    claim="images are viewable no later than before the move",
    observes="arrival to viewable and first image, 95th percentile, against the baseline taken before",
    passes_when="neither is slower",
    fresh_for_seconds=DAY,
    owner=Role.SYSTEM,
    clauses=AVAILABILITY,
    source=Source.MEASURED,
    judge=all_of(
        no_more_than("viewable_ms", "viewable_before_ms", "viewable after {} ms, {} before"),
        no_more_than("first_image_ms", "first_image_before_ms", "first image after {} ms, {} before"),
    ),
    waits_for="No baseline was taken before the move",
)

PASSES: Facts = {"viewable_ms": 900, "viewable_before_ms": 2000, "first_image_ms": 300, "first_image_before_ms": 800}
FAILS: Facts = {"viewable_ms": 2900, "viewable_before_ms": 2000, "first_image_ms": 300, "first_image_before_ms": 800}
