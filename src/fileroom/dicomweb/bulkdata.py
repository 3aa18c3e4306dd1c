"""WADO-RS bulk data: the values that metadata leaves out and points to (PS3.18 10.4.1.1.5)."""

from __future__ import annotations

from fileroom import errors
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.bulk import bulk_value
from fileroom.dicom.header import Buffer
from fileroom.dicom.syntax import EXPLICIT_LE, TransferSyntax, syntax
from fileroom.dicomweb.accept import Offer, choose
from fileroom.dicomweb.frames import Frames, frame_count
from fileroom.dicomweb.links import base_url, bulk_url
from fileroom.dicomweb.multipart import OutgoingPart, compose
from fileroom.dicomweb.validators import headers, not_modified
from fileroom.web.http import Part, Request, Response
from fileroom.web.router import Router

_BYTES = "application/octet-stream"
_PIXELS = frozenset(("7FE00008", "7FE00009", "7FE00010"))


class BulkData:
    """The handler of `/bulkdata/{path}`."""

    def __init__(self, retriever: Retriever, frames: Frames) -> None:
        self._retriever = retriever
        self._frames = frames

    def add_routes(self, router: Router) -> None:
        """Have the router send bulk data addresses here."""
        instance = "/dicomweb/studies/{study}/series/{series}/instances/{instance}"
        router.add("GET", instance + "/bulkdata/{path...}", self.get)

    def get(self, request: Request) -> Response:
        """One value. Pixel data that is not native little endian goes out frame by frame.

        Raises NotFound, NotAcceptable.
        """
        params = request.params
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such instance")
        path = params["path"].upper()
        found = syntax(stored.transfer_syntax)
        if path in _PIXELS and (found.encapsulated or found.big_endian or found.deflated):
            count = frame_count(stored)
            if not count:
                raise errors.NotFound("no such bulk value")
            return self._frames.answer(request, stored, range(1, count + 1))
        return self._value(request, stored, path)

    def _value(self, request: Request, stored: StoredInstance, path: str) -> Response:
        multipart = choose(request, _is_multipart, served=(f'multipart/related; type="{_BYTES}"', _BYTES))
        etag = f"{stored.digest[:32]}-{path}{'-m' * multipart}"
        if same := not_modified(request, etag):
            return same
        body = self._read(stored, path)
        if not multipart:
            return Response(200, [("content-type", _BYTES), *headers(etag)], [body])
        location = f"{bulk_url(base_url(request), stored)}/{path}"
        kind = f"{_BYTES}; transfer-syntax={EXPLICIT_LE}"
        return compose(_BYTES, [OutgoingPart(kind, [body], location)], headers(etag))

    def _read(self, stored: StoredInstance, path: str) -> Part:
        """The value's bytes, little endian."""
        found = syntax(stored.transfer_syntax)
        view, how = self._retriever.readable(stored)
        offset, length = _place(view, how, path)
        if found.deflated:
            return memoryview(view)[offset : offset + length]
        if found.big_endian:
            raise errors.NotAcceptable(
                "bulk values of a big-endian object are not served by themselves",
                hint="take the whole object: without transfer-syntax it comes in little endian",
            )
        return self._retriever.dataset(stored).part(offset, length)


def _place(dataset: Buffer, found: TransferSyntax, path: str) -> tuple[int, int]:
    """Where the value lies. Raises NotFound."""
    try:
        offset, length = bulk_value(dataset, found, path)
    except errors.MalformedObject as error:
        raise errors.NotFound("no such bulk value") from error  # a path into something that holds no items
    if length < 0:
        raise errors.NotFound("no such bulk value")
    return offset, length


def _is_multipart(offer: Offer) -> bool | None:
    if offer.transfer_syntax not in ("", "*", EXPLICIT_LE):
        return None
    if offer.kind in ("*/*", "multipart/*"):
        return True
    if offer.kind == "multipart/related":
        return True if offer.inner in ("", _BYTES, "*/*", "application/*") else None
    return False if offer.kind in (_BYTES, "application/*") else None
