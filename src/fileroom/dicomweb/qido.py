"""QIDO-RS: searching through HTTP (PS3.18 10.6). A search that finds nothing answers 200 and an empty array."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import islice

from fileroom.archive.search import Search
from fileroom.dicom.attributes import Attribute, Level
from fileroom.dicomweb.accept import choose_json
from fileroom.dicomweb.links import base_url
from fileroom.dicomweb.qido_query import CUT, RESULTS_MAX, question
from fileroom.dicomweb.qido_rows import RowWriter
from fileroom.web.http import Request, Response
from fileroom.web.router import Router

_ADDRESSES: tuple[tuple[str, Level], ...] = (
    ("/dicomweb/studies", Level.STUDY),
    ("/dicomweb/series", Level.SERIES),
    ("/dicomweb/instances", Level.IMAGE),
    ("/dicomweb/studies/{study}/series", Level.SERIES),
    ("/dicomweb/studies/{study}/instances", Level.IMAGE),
    ("/dicomweb/studies/{study}/series/{series}/instances", Level.IMAGE),
)
_KEYWORDS = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID"}


class Qido:
    """The handlers of every search address."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._writer: Callable[[Level, frozenset[Attribute], str], RowWriter] = lru_cache(maxsize=256)(RowWriter)

    def add_routes(self, router: Router) -> None:
        """Have the router send every search address here."""
        for pattern, level in _ADDRESSES:
            router.add("GET", pattern, self._handler(level))

    def _handler(self, level: Level) -> Callable[[Request], Response]:
        return lambda request: self.find(request, level)

    def find(self, request: Request, level: Level) -> Response:
        """Answer a search at a level. Raises BadRequest, NotAcceptable, DatabaseUnavailable."""
        kind = choose_json(request)
        path = {_KEYWORDS[name]: uid for name, uid in request.params.items()}
        asked = question(level, path, request.args())
        headers = [("content-type", kind), ("cache-control", "no-store")]
        if asked is None:
            return Response(200, headers, [b"[]"])
        rows = list(self._search.find(asked.query))
        if len(rows) > RESULTS_MAX:
            asked.warnings.append(CUT)
        writer = self._writer(level, asked.attributes, base_url(request))
        body = b"".join(writer.document(islice(rows, RESULTS_MAX)))
        headers += [("warning", f'299 fileroom "{text}"') for text in asked.warnings]
        return Response(200, headers, [body])
