"""Quick look: a study's images as the server renders them, without a viewer to load."""

from __future__ import annotations

import io
from typing import Any

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from fileroom import errors
from fileroom.archive.overview import study_overview
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.database import Database
from fileroom.reading.study import person
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from fileroom.web.segment import segment

_HEAD_BYTES = 1 << 20  # of an object, to find its window in
_UNREADABLE = (InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, EOFError, RecursionError, OSError)


class Look:
    """The handlers of the quick look."""

    def __init__(self, pages: Pages, database: Database, retriever: Retriever) -> None:
        self._pages = pages
        self._database = database
        self._retriever = retriever

    def add_routes(self, router: Router) -> None:
        """Have the router send the page, and the lists of images it asks for, here."""
        router.add("GET", "/studies/{study}/look", self.page)
        router.add("GET", "/studies/{study}/look/{series}", self.images)

    def page(self, request: Request) -> Response:
        """The page. Raises NotFound."""
        found = study_overview(self._database, request.params["study"])
        if found is None:
            raise errors.NotFound("this study is not here, or was hidden", hint="look for it in the list of studies")
        return self._pages.page(
            request,
            "reading/look.html",
            study=found.study,
            person=person(found.study),
            at=f"/studies/{segment(found.study.study_uid)}",
            shown=[one for one in found.series if one.holds.images],
        )

    def images(self, request: Request) -> Response:
        """What a series has to show, as JSON: its images' addresses and frames in order, and its window.

        Raises NotFound.
        """
        study, series = request.params["study"], request.params["series"]
        stored = [one for one in self._retriever.instances(study, series) if one.image_blob is not None]
        if not stored:
            raise errors.NotFound("no such series, or nothing in it that can be shown")
        at = f"/dicomweb/studies/{segment(study)}/series/{segment(series)}/instances/"
        images = [[at + segment(one.sop_uid), _frames(one)] for one in stored]
        answer = Response.json({"images": images, "window": self._window(stored[len(stored) // 2])})
        answer.headers.append(("cache-control", "no-store"))
        return answer

    def _window(self, stored: StoredInstance) -> list[float] | None:
        """Center and width that the object itself asks for, or the range its bits can hold; None for colour."""
        size = min(stored.size_bytes, _HEAD_BYTES)
        head = self._retriever.file(stored).part(0, size).read()
        try:
            dataset: Any = dcmread(io.BytesIO(head), stop_before_pixels=True, force=True)
            if not str(dataset.get("PhotometricInterpretation", "")).startswith("MONOCHROME"):
                return None
            center, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
            if center is not None and width is not None:
                return [_first(center), max(1.0, _first(width))]
            slope, offset = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
            span = float(1 << int(dataset.get("BitsStored", 8)))
            middle = 0.0 if dataset.get("PixelRepresentation") == 1 else span / 2
            return [middle * slope + offset, max(1.0, span * abs(slope))]
        except _UNREADABLE:
            return None


def _first(value: Any) -> float:
    return float(value) if isinstance(value, str | int | float) else float(value[0])


def _frames(stored: StoredInstance) -> int:
    image = stored.image
    return max(1, image.pixels.frames) if image is not None else 1
