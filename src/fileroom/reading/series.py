"""The pages of one series and of one object: what it holds, and every element of it."""

from __future__ import annotations

from fileroom import errors
from fileroom.archive.overview import StudyValues, study_values
from fileroom.archive.retrieve import Retriever
from fileroom.archive.search import Query, Search
from fileroom.database import Database
from fileroom.dicom.attributes import Level
from fileroom.reading.elements import read_elements
from fileroom.reading.study import kind_text, person
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from fileroom.web.segment import segment

_OBJECTS = 200  # on one page


class SeriesPage:
    """The handlers of a series' page and of an object's elements."""

    def __init__(self, pages: Pages, database: Database, search: Search, retriever: Retriever) -> None:
        self._pages = pages
        self._database = database
        self._search = search
        self._retriever = retriever

    def add_routes(self, router: Router) -> None:
        """Have the router send both pages here."""
        router.add("GET", "/studies/{study}/series/{series}", self.page)
        router.add("GET", "/studies/{study}/series/{series}/instances/{instance}/tags", self.tags)

    def page(self, request: Request) -> Response:
        """The objects of a series, a page of them. Raises NotFound, BadRequest."""
        study = self._study(request)
        series_uid = request.params["series"]
        at = _number(next((value for name, value in request.args() if name == "from"), "1"))
        keys = {"StudyInstanceUID": study.study_uid, "SeriesInstanceUID": series_uid}
        rows = list(self._search.find(Query(Level.IMAGE, keys, limit=_OBJECTS + 1, offset=at - 1)))
        if not rows:
            raise errors.NotFound("no such series", hint="or no object so far behind in it")
        return self._pages.page(
            request,
            "reading/series.html",
            study=study,
            person=person(study),
            at=f"/studies/{segment(study.study_uid)}",
            series_at=f"/studies/{segment(study.study_uid)}/series/{segment(series_uid)}",
            series=rows[0],
            rows=rows[:_OBJECTS],
            first=at,
            before=max(1, at - _OBJECTS) if at > 1 else None,
            behind=at + _OBJECTS if len(rows) > _OBJECTS else None,
            kind=kind_text,
        )

    def tags(self, request: Request) -> Response:
        """Every element of an object, its pixels apart. Raises NotFound, DamagedPack."""
        study, params = self._study(request), request.params
        stored = self._retriever.instance(study.study_uid, params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such object")
        elements, trouble = read_elements(self._retriever.file(stored), stored.prefix_bytes)
        return self._pages.page(
            request,
            "reading/tags.html",
            study=study,
            person=person(study),
            series_at=f"/studies/{segment(study.study_uid)}/series/{segment(stored.series_uid)}",
            stored=stored,
            kind=kind_text,
            elements=elements,
            trouble=trouble,
        )

    def _study(self, request: Request) -> StudyValues:
        study = study_values(self._database, request.params["study"])
        if study is None:
            raise errors.NotFound("this study is not here, or was hidden", hint="look for it in the list of studies")
        return study


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 8 or int(text) < 1:
        raise errors.BadRequest("from is the number of an object, from 1")
    return int(text)
