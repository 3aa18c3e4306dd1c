"""Question 3: agreement on patient data."""

from __future__ import annotations

from fileroom.accountability.clauses import SUPPLIER
from fileroom.evidence.check import YEAR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, named

CHECK = Check(
    id="agreement",
    question=3,
    title="agreement on patient data",
    claim="the agreement on patient data is signed and runs",
    observes="a document: who issued it, what it covers, who reviewed it",
    passes_when="it was issued, has a digest, and a named person reviewed it",
    fresh_for_seconds=YEAR,
    owner=Role.PRIVACY,
    clauses=SUPPLIER,
    source=Source.DOCUMENTED,
    judge=all_of(
        named("issuer", "nobody issued it"),
        named("digest", "the document has no digest"),
        named("reviewer", "nobody reviewed it"),
    ),
    waits_for="No document has been handed in yet; Fileroom cannot take documents in yet",
)

PASSES: Facts = {"issuer": "an auditor", "digest": "ab12", "reviewer": "person 1"}
FAILS: Facts = {"issuer": "an auditor", "digest": "ab12", "reviewer": ""}
