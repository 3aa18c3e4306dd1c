"""WADO-RS metadata: what instances say about themselves, without their pixels (PS3.18 10.4.1.1.2)."""

from __future__ import annotations

from fileroom import errors
from fileroom.archive.documents import Document, Documents, version
from fileroom.archive.packs import FileRange
from fileroom.archive.retrieve import Retriever
from fileroom.dicomweb.accept import choose_json
from fileroom.dicomweb.links import base_url
from fileroom.dicomweb.validators import headers, not_modified
from fileroom.web.encoding import takes_gzip
from fileroom.web.http import Part, Request, Response
from fileroom.web.router import Router

_VARY = ("vary", "accept, accept-encoding")


class Metadata:
    """The handlers of `/metadata` at study, series and instance level."""

    def __init__(self, documents: Documents, retriever: Retriever) -> None:
        self._documents = documents
        self._retriever = retriever

    def add_routes(self, router: Router) -> None:
        """Have the router send every metadata address here."""
        router.add("GET", "/dicomweb/studies/{study}/metadata", self.several)
        router.add("GET", "/dicomweb/studies/{study}/series/{series}/metadata", self.several)
        router.add("GET", "/dicomweb/studies/{study}/series/{series}/instances/{instance}/metadata", self.one)

    def several(self, request: Request) -> Response:
        """The metadata of a study's or a series' instances. Raises NotFound, NotAcceptable, DamagedPack."""
        kind = choose_json(request)
        study, series, base = request.params["study"], request.params.get("series"), base_url(request)
        gzip = takes_gzip(request.headers.get("accept-encoding", ""))
        suffix = f"-{kind}-gzip" if gzip else f"-{kind}"
        if "if-none-match" in request.headers:
            etag = self._documents.etag(study, series, base)
            if etag and (same := not_modified(request, etag + suffix, _VARY)):
                return same
        documents = self._find(study, series, base, gzip)
        if not documents:
            raise errors.NotFound("no such study" if series is None else "no such series")
        answer = [("content-type", kind), _VARY, *headers(documents[0].etag + suffix, request)]
        if gzip:
            answer.append(("content-encoding", "gzip"))
        return Response(200, answer, _joined(documents))

    def _find(self, study: str, series: str | None, base: str, gzip: bool) -> list[Document] | None:
        if series is None:
            return self._documents.study(study, base, gzip=gzip)
        document = self._documents.series(study, series, base, gzip=gzip)
        return None if document is None else [document]

    def one(self, request: Request) -> Response:
        """The metadata of one instance. Raises NotFound, NotAcceptable, DamagedPack."""
        kind = choose_json(request)
        params = request.params
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such instance")
        base = base_url(request)
        etag = f"{stored.digest[:32]}-{version(base)}-{kind}"
        if same := not_modified(request, etag):
            return same
        return Response(
            200, [("content-type", kind), *headers(etag)], [b"[" + self._documents.instance(stored, base) + b"]"]
        )


def _joined(documents: list[Document]) -> list[Part]:
    """One array of several arrays, without reading any that lies in a file."""
    if len(documents) == 1:
        return [documents[0].body]
    parts: list[Part] = []
    for document in documents:
        body = document.body
        inside = body.part(1, body.length - 2) if isinstance(body, FileRange) else body[1:-1]
        if (inside.length if isinstance(inside, FileRange) else len(inside)) > 0:
            parts += (b"," if parts else b"[", inside)
    return [*parts, b"]"] if parts else [b"[]"]
