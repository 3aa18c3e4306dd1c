"""Quick look: a study's images as the server renders them, without a viewer to load."""

from __future__ import annotations

import math
from typing import Any

from fileroom import errors
from fileroom.archive.overview import Overview, study_overview
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.archive.stack import series_pictures
from fileroom.database import Database
from fileroom.dicom.tag_tree import tag_tree
from fileroom.reading.study import no_study, person
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from fileroom.web.segment import segment

_LOOKED_AT_LINES = 3000  # of an object, to find its window in: functional groups may lie far behind
_WANTED = {
    0x00180040: "cine_rate",
    0x00181063: "frame_time",
    0x00082144: "display_rate",
    0x00280101: "bits",
    0x00280103: "signed",
    0x00281050: "center",
    0x00281051: "width",
    0x00281052: "intercept",
    0x00281053: "slope",
}
_NO_STORE = ("cache-control", "no-store")


class Look:
    """The handlers of the quick look."""

    def __init__(self, pages: Pages, database: Database, retriever: Retriever) -> None:
        self._pages = pages
        self._database = database
        self._retriever = retriever

    def add_routes(self, router: Router) -> None:
        """Have the router send the page, and what it asks for, here."""
        router.add("GET", "/studies/{study}/look", self.page)
        router.add("GET", "/studies/{study}/look/counts", self.counts)
        router.add("GET", "/studies/{study}/look/series/{series}", self.images)
        router.add("GET", "/studies/{study}/look/series/{series}/{instance}", self.image)

    def page(self, request: Request) -> Response:
        """The page. Raises NotFound."""
        found = self._overview(request)
        shown = [one for one in found.series if one.holds.images]
        return self._pages.page(
            request,
            "reading/look.html",
            study=found.study,
            person=person(found.study),
            at=f"/studies/{segment(found.study.study_uid)}",
            shown=shown,
            others=len(found.series) - len(shown),
        )

    def counts(self, request: Request) -> Response:
        """How many objects each series has to show, as JSON: what an open page compares. Raises NotFound."""
        found = self._overview(request)
        counts = {segment(one.values.series_uid): one.holds.images for one in found.series if one.holds.images}
        return _json(counts)

    def images(self, request: Request) -> Response:
        """The objects of a series that can be shown, in order, as JSON. Raises NotFound."""
        found = series_pictures(self._database, request.params["study"], request.params["series"])
        if not found:
            raise errors.NotFound("no such series, or nothing in it that can be shown")
        return _json([[segment(one.sop_uid), *one[1:]] for one in found])

    def image(self, request: Request) -> Response:
        """The window that an object itself asks for and the frames a second it is to be played at, as JSON.

        Where it asks for no window, the one that its bits can hold. Raises NotFound, DamagedPack, Busy.
        """
        params = request.params
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such object")
        said = self._said(stored)
        colour = stored.image is None or not stored.image.pixels.photometric.startswith("MONOCHROME")
        return _json({"window": None if colour else _window(said), "own": "center" in said, "rate": _rate(said)})

    def _said(self, stored: StoredInstance) -> dict[str, float]:
        """The first number of each element that is wanted, wherever it first stands."""
        try:
            readable, how = self._retriever.readable(stored)
        except errors.MalformedObject:
            return {}
        said: dict[str, float] = {}
        for line in tag_tree(readable, how, _LOOKED_AT_LINES):
            name = _WANTED.get(line.tag)
            if name is not None and name not in said and (number := _first(line.text)) is not None:
                said[name] = number
        return said

    def _overview(self, request: Request) -> Overview:
        found = study_overview(self._database, request.params["study"])
        if found is None:
            raise no_study()
        return found


def _window(said: dict[str, float]) -> list[float]:
    """Center and width."""
    if "center" in said and said.get("width", 0) >= 1:
        return [said["center"], said["width"]]
    slope, intercept = said.get("slope") or 1.0, said.get("intercept", 0.0)
    span = float(1 << int(min(max(said.get("bits", 8), 1), 32)))
    middle = 0.0 if said.get("signed") else span / 2
    return [middle * slope + intercept, max(1.0, span * abs(slope))]


def _rate(said: dict[str, float]) -> int | None:
    """Frames a second (PS3.3 C.7.6.5); None when the object does not say."""
    rate = said.get("display_rate") or said.get("cine_rate")
    if not rate and said.get("frame_time", 0) > 0:
        rate = 1000 / said["frame_time"]
    return min(60, max(1, round(rate))) if rate else None


def _first(text: str) -> float | None:
    try:
        number = float(text.partition("\\")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e12 else None


def _json(value: Any) -> Response:
    answer = Response.json(value)
    answer.headers.append(_NO_STORE)
    return answer
