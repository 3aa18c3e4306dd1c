"""Question 3: encrypted lines."""

from __future__ import annotations

from fileroom.accountability.clauses import TRANSPORT
from fileroom.evidence.check import DAY, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, at_least, true

CHECK = Check(
    id="tls-probe",
    question=3,
    title="encrypted lines",
    claim="connections without encryption are refused, and the certificate is good for 14 days or more",
    observes="a connection tried without TLS, one with it, and the certificate",
    passes_when="plain text is refused, TLS is 1.2 or newer, 14 days or more are left",
    fresh_for_seconds=DAY,
    owner=Role.PRIVACY,
    clauses=TRANSPORT,
    source=Source.MEASURED,
    judge=all_of(
        true("plain_refused", "a connection without encryption was accepted"),
        true("modern", "TLS older than 1.2 was accepted"),
        at_least("days_left", 14, "the certificate ends in {} days"),
    ),
    waits_for="No probe outside this machine reports here yet",
)

PASSES: Facts = {"plain_refused": True, "modern": True, "days_left": 60}
FAILS: Facts = {"plain_refused": True, "modern": True, "days_left": 3}
