"""The page of the seven answers: each sentence opens to its evidence; who answers for it, and what is open, below."""

from __future__ import annotations

from collections.abc import Callable

from fileroom.accountability import facts, versions
from fileroom.accountability.answers import Answers
from fileroom.accountability.map import Kept
from fileroom.accountability.rows import REQUIRED, TITLES, Role, Row
from fileroom.evidence.check import Status
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router

# A sign beside the word, so that a status is read without colour.
_SIGNS = {
    Status.PASS: "✓",
    Status.FAIL: "✗",
    Status.STALE: "⌛",
    Status.NOT_EVALUATED: "?",
    Status.WAIVED: "~",
}


class AnswersPage:
    """The handler of `GET /answers`. Everything is judged when the page is asked for."""

    def __init__(self, pages: Pages, answers: Callable[[], tuple[Answers, Kept]], release: str) -> None:
        """`answers` gives them with the responsibility map; `release` is the one that runs."""
        self._pages = pages
        self._answers = answers
        self._release = release

    def add_routes(self, router: Router) -> None:
        """Have the router send the page here."""
        router.add("GET", "/answers", self.page)

    def page(self, request: Request) -> Response:
        """The page. Raises DatabaseUnavailable, DamagedLedger."""
        found, kept = self._answers()
        now_ms = found.as_of_ms
        known = facts.running(self._release, now_ms)
        return self._pages.page(
            request,
            "accountability/answers.html",
            found=found,
            checks={check.id: (check, result) for check, result in found.checks},
            counts=[(status, found.count(status)) for status in Status if found.count(status)],
            signs=_SIGNS,
            persons=kept.persons,
            roles=_roles(kept, now_ms),
            gaps=kept.gaps(known, now_ms),
            decided=kept.decided(),
            go_live=kept.may_go_live(known, now_ms),
        )


def _roles(kept: Kept, now_ms: int) -> list[tuple[str, Row | None, str]]:
    """Each role that has to be there or is: its title, its row, and where that row is in its life."""
    newest = kept.newest
    told: list[tuple[str, Row | None, str]] = []
    for role in Role:
        row = None if newest is None else newest.row(role)
        if newest is not None and row is not None:
            told.append((TITLES[role], row, str(versions.status(row, newest, kept.acceptances, now_ms))))
        elif role in REQUIRED:
            told.append((TITLES[role], None, "missing"))
    return told
