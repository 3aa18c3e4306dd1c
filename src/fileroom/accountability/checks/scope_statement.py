"""Question 1: what moves and what does not."""

from __future__ import annotations

from fileroom.accountability.clauses import INVENTORY
from fileroom.evidence.check import YEAR, Check, Facts, Role, Source
from fileroom.evidence.judging import all_of, named

CHECK = Check(
    id="scope-statement",
    question=1,
    title="what moves and what does not",
    claim="a named person stated what moves and what does not",
    observes="a document: who issued it, what it covers, who reviewed it",
    passes_when="it was issued, has a digest, and a named person reviewed it",
    fresh_for_seconds=YEAR,
    owner=Role.DATA,
    clauses=INVENTORY,
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
