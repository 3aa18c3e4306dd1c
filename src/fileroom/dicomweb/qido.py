"""QIDO-RS: searching through HTTP (PS3.18 10.6). A search that finds nothing answers 200 and an empty array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import chain, islice

from fileroom.archive.search import Query, Search
from fileroom.dicom.attributes import Attribute, Level
from fileroom.dicomweb.accept import choose_json
from fileroom.dicomweb.links import base_url
from fileroom.dicomweb.qido_query import CUT, RESULTS_MAX, question
from fileroom.dicomweb.qido_rows import RowWriter
from fileroom.dicomweb.validators import asked_ahead
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
_AT_ONCE_MAX = 500  # rows of an answer that is made whole before it leaves; a longer one leaves as it is read
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
        held = asked_ahead(request) or ("cache-control", "no-store")
        headers = [("content-type", kind), ("vary", "accept"), held]
        if asked is None:
            return Response(200, headers, [b"[]"])
        found = self._search.find(asked.query)
        at_once = min(_AT_ONCE_MAX, RESULTS_MAX)
        rows = list(islice(found, at_once + 1))
        many = len(rows) > at_once
        if many and self._goes_beyond(asked.query):
            asked.warnings.append(CUT)
        writer = self._writer(level, asked.attributes, base_url(request))
        headers += [("warning", f'299 fileroom "{text}"') for text in asked.warnings]
        if many:
            return Response(200, headers, writer.document(islice(chain(rows, found), RESULTS_MAX)))
        return Response(200, headers, [b"".join(writer.document(rows))])

    def _goes_beyond(self, query: Query) -> bool:
        """Whether more rows match than one answer holds."""
        if query.limit is not None and query.limit <= RESULTS_MAX:
            return False
        return any(True for _ in self._search.find(replace(query, offset=query.offset + RESULTS_MAX, limit=1)))
