"""Question 4: daily journeys from outside."""

from __future__ import annotations

from fileroom.accountability.clauses import AVAILABILITY
from fileroom.evidence.check import Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, none

CHECK = Check(
    id="journeys",
    question=4,
    title="daily journeys from outside",
    claim="sending, finding and opening an image worked from outside at every minute that was promised",
    observes="C-ECHO; store, search, first image; sign-in, worklist; each tried from outside every minute",
    passes_when=(
        "none failed outside announced maintenance, and no probe is missing: a missing one is unknown, not up"
    ),
    fresh_for_seconds=60,
    owner=Role.SYSTEM,
    clauses=AVAILABILITY,
    source=Source.MEASURED,
    judge=all_of(
        at_least("tried", 1, "nothing was tried"),
        none("failed", "{} tries failed"),
        none("missing", "{} probes are missing"),
    ),
    waits_for="No probe outside this machine reports here yet",
)

PASSES: Facts = {"tried": 60, "failed": 0, "missing": 0}
FAILS: Facts = {"tried": 60, "failed": 0, "missing": 1}
