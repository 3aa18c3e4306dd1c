"""The page at `/`: what is here, what came last, what needs a person, and how to send."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fileroom.administration.demonstration import DemonstrationPart, taken_out
from fileroom.archive.recent import RecentStudy
from fileroom.archive.totals import Totals
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says."""

    web_url: str  # http://127.0.0.1:8080, without a slash at the end
    dicom_host: str
    dicom_port: int
    ae_title: str
    totals: Totals
    waiting: int  # conflicting or held objects that wait for a person
    free_bytes: int  # left where the packs lie
    peers: int  # DICOM applications that are known
    recent: Sequence[RecentStudy]  # the latest arrivals, newest first

    @property
    def again_ms(self) -> int:
        """When the totals will be right, if they are not; else 0."""
        return math.ceil(self.totals.again_seconds * 1000)

    @property
    def nearly_full(self) -> bool:
        """Whether what is left is less than a busy day may bring: 20 GB."""
        return self.free_bytes < 20_000_000_000


class Home:
    """The handler of `GET /`. `facts` is asked once a request."""

    def __init__(self, pages: Pages, facts: Callable[[], Facts], demonstration: DemonstrationPart) -> None:
        self._pages = pages
        self._facts = facts
        self._demonstration = demonstration

    def add_routes(self, router: Router) -> None:
        """Have the router send the page here."""
        router.add("GET", "/", self.page)
        router.add("GET", "/arrivals", self.arrivals)
        self._demonstration.add_routes(router)

    def page(self, request: Request) -> Response:
        """The page. Raises BadRequest, and DatabaseUnavailable when the counts cannot be read."""
        return self._pages.page(
            request,
            "administration/home.html",
            facts=self._facts(),
            demo=self._demonstration.state(),
            taken=taken_out(request),
        )

    def arrivals(self, request: Request) -> Response:
        """The part of the page that changes as studies arrive. Raises DatabaseUnavailable."""
        return self._pages.page(request, "administration/arrivals.html", facts=self._facts())
