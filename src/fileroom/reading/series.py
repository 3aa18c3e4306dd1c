"""The pages of one series and of one object: what it holds, and every element of it."""

from __future__ import annotations

from collections.abc import Iterator

from fileroom import errors
from fileroom.archive.mapped import mapped
from fileroom.archive.overview import StudyValues, study_values
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.archive.stack import series_head, series_objects
from fileroom.database import Database
from fileroom.dicom.syntax import EXPLICIT_LE, syntax
from fileroom.dicom.tag_names import tag_text
from fileroom.dicom.tag_tree import Kind, Line, tag_tree
from fileroom.reading.study import kind_text, no_study, person
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from fileroom.web.segment import segment

_OBJECTS = 200  # on one page
_META_AT = 132  # where File Meta Information begins in a file (PS3.10 7.1)


class SeriesPage:
    """The handlers of a series' page and of an object's elements."""

    def __init__(self, pages: Pages, database: Database, retriever: Retriever) -> None:
        self._pages = pages
        self._database = database
        self._retriever = retriever

    def add_routes(self, router: Router) -> None:
        """Have the router send both pages here."""
        router.add("GET", "/studies/{study}/series/{series}", self.page)
        router.add("GET", "/studies/{study}/series/{series}/instances/{instance}/tags", self.tags)

    def page(self, request: Request) -> Response:
        """The objects of a series, a page of them. Raises NotFound, BadRequest."""
        study = self._study(request)
        first = _number(next((value for name, value in request.args() if name == "from"), "1"))
        series = series_head(self._database, study.study_uid, request.params["series"])
        if series is None:
            raise errors.NotFound("no such series in this study", hint="look for it on the page of the study")
        rows = series_objects(self._database, series.series_pk, _OBJECTS, first - 1)
        if not rows:
            raise errors.NotFound(f"this series has {series.instance_count} objects, not {first}")
        at = f"/studies/{segment(study.study_uid)}"
        return self._pages.page(
            request,
            "reading/series.html",
            study=study,
            person=person(study),
            at=at,
            series_at=f"{at}/series/{segment(series.series_uid)}",
            series=series,
            rows=rows,
            first=first,
            starts=range(1, series.instance_count + 1, _OBJECTS) if series.instance_count > _OBJECTS else (),
            last_of=lambda start: min(start + _OBJECTS - 1, series.instance_count),
            kind=kind_text,
        )

    def tags(self, request: Request) -> Response:
        """Every element of an object; of its pixels the size. Raises NotFound, DamagedPack, Busy, StorageFull."""
        study, params = self._study(request), request.params
        stored = self._retriever.instance(study.study_uid, params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such object in this series", hint="look for it on the page of the series")
        at = f"/studies/{segment(study.study_uid)}"
        return self._pages.page(
            request,
            "reading/tags.html",
            study=study,
            person=person(study),
            at=at,
            series_at=f"{at}/series/{segment(stored.series_uid)}",
            stored=stored,
            how=syntax(stored.transfer_syntax),
            kind=kind_text,
            Kind=Kind,
            tag=tag_text,
            parts=(("File Meta Information", self._meta(stored)), ("Dataset", list(self._dataset(stored)))),
        )

    def _meta(self, stored: StoredInstance) -> list[Line]:
        if stored.prefix_bytes <= _META_AT:
            return [Line(Kind.TROUBLE, text="this file has none")]
        meta = self._retriever.file(stored).part(_META_AT, stored.prefix_bytes - _META_AT)
        return list(tag_tree(mapped(meta), syntax(EXPLICIT_LE)))

    def _dataset(self, stored: StoredInstance) -> Iterator[Line]:
        try:
            readable, how = self._retriever.readable(stored)
        except errors.MalformedObject as error:
            yield Line(Kind.TROUBLE, text=str(error))
            return
        yield from tag_tree(readable, how)

    def _study(self, request: Request) -> StudyValues:
        study = study_values(self._database, request.params["study"])
        if study is None:
            raise no_study()
        return study


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 8 or int(text) < 1:
        raise errors.BadRequest("from is the number of an object, from 1")
    return int(text)
