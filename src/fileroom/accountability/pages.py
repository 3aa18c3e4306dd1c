"""The page of the seven answers: each sentence opens to its evidence."""

from __future__ import annotations

from collections.abc import Callable

from fileroom.accountability.answers import Answers
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

    def __init__(self, pages: Pages, answers: Callable[[], Answers]) -> None:
        self._pages = pages
        self._answers = answers

    def add_routes(self, router: Router) -> None:
        """Have the router send the page here."""
        router.add("GET", "/answers", self.page)

    def page(self, request: Request) -> Response:
        """The page. Raises DatabaseUnavailable, DamagedLedger."""
        found = self._answers()
        return self._pages.page(
            request,
            "accountability/answers.html",
            found=found,
            checks={check.id: (check, result) for check, result in found.checks},
            counts=[(status, found.count(status)) for status in Status if found.count(status)],
            signs=_SIGNS,
        )
