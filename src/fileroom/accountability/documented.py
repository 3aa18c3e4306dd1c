"""What all checks that a document answers have in common: it was issued, is known by its digest, and was reviewed."""

from __future__ import annotations

from fileroom.evidence.check import YEAR, Check, Clause, Facts, Role, Source
from fileroom.evidence.judging import all_of, named

PASSES: Facts = {"issuer": "an auditor", "digest": "ab12", "reviewer": "person 1"}
FAILS: Facts = {"issuer": "an auditor", "digest": "ab12", "reviewer": ""}


def documented(check_id: str, question: int, title: str, claim: str, owner: Role, clauses: tuple[Clause, ...]) -> Check:
    """A check of that kind; a review counts for a year."""
    return Check(
        id=check_id,
        question=question,
        title=title,
        claim=claim,
        observes="a document: who issued it, what it covers, who reviewed it",
        passes_when="it was issued, has a digest, and a named person reviewed it",
        fresh_for_seconds=YEAR,
        owner=owner,
        clauses=clauses,
        source=Source.DOCUMENTED,
        judge=all_of(
            named("issuer", "nobody issued it"),
            named("digest", "the document has no digest"),
            named("reviewer", "nobody reviewed it"),
        ),
        waits_for="No document has been handed in yet; Fileroom cannot take documents in yet",
    )
