"""The part of the home page about the demonstration: offered where nothing is yet, loaded, taken out in one step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fileroom import errors
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages, form, see_other
from fileroom.web.router import Router


@dataclass(frozen=True, slots=True)
class DemoState:
    """How it stands with the demonstration now."""

    empty: bool  # nothing at all is here
    loading: bool  # by this server
    objects: int  # dealt with, while loading
    objects_total: int  # 0: not known yet
    loaded_bytes: int
    studies: int  # here, hidden ones apart
    size_bytes: int  # of those
    error: str = ""  # why it was not loaded whole; for a person
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What became of it when it was taken out."""

    studies: int
    hidden: int  # studies that could not go whole


@dataclass(frozen=True, slots=True)
class Demo:
    """What the page does with the demonstration. Another room has it; `ops` passes this in."""

    state: Callable[[], DemoState]  # raises DatabaseUnavailable
    start: Callable[[], object]  # raises InUse while another process loads or removes it, StorageFull
    remove: Callable[[], TakenOut]  # raises InUse while it is being loaded, DatabaseUnavailable, StorageFull


class DemonstrationPart:
    """The handlers under `/demonstration`."""

    def __init__(self, pages: Pages, demo: Demo) -> None:
        self._pages = pages
        self._demo = demo

    def add_routes(self, router: Router) -> None:
        """Have the router send the part, and what its forms post, here."""
        router.add("GET", "/demonstration", self.part)
        router.add("POST", "/demonstration/load", self.load)
        router.add("POST", "/demonstration/remove", self.remove)

    def part(self, request: Request) -> Response:
        """The part of the page that changes while it is loaded. Raises DatabaseUnavailable."""
        return self._pages.page(request, "administration/demonstration.html", demo=self.state(), taken=None)

    def state(self) -> DemoState:
        """How it stands now. Raises DatabaseUnavailable."""
        return self._demo.state()

    def load(self, request: Request) -> Response:
        """Begin to load it, or what of it is missing; the page shows how far it is. Raises InUse, StorageFull."""
        form(request)
        self._demo.start()
        return see_other("/#demonstration")

    def remove(self, request: Request) -> Response:
        """Take it out. Raises BadRequest without the confirmation, InUse while it is being loaded."""
        if form(request).get("sure") != "yes":
            raise errors.BadRequest("the box that confirms it was not ticked", hint="go back; nothing was taken out")
        taken = self._demo.remove()
        return see_other(f"/?out={taken.studies}&hidden={taken.hidden}#demonstration")


def taken_out(request: Request) -> TakenOut | None:
    """What the home page was sent to say after a removal. Raises BadRequest."""
    counts = {name: int(value) for name, value in request.args() if re.fullmatch("[0-9]{1,6}", value)}
    return TakenOut(counts["out"], counts.get("hidden", 0)) if "out" in counts else None
