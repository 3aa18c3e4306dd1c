"""WADO-RS: whole objects of a study, a series, or one (PS3.18 10.4.1.1.1).

Without a transfer syntax an object goes out in Explicit VR Little Endian; `*` asks for it as stored; any other must be
the stored one, or a native one that can be made of it. What is as stored leaves by sendfile, untouched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from fileroom import errors
from fileroom.archive.decode import Decoder
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.dicomweb.accept import Offer, offers
from fileroom.dicomweb.frames import decodable
from fileroom.dicomweb.links import base_url, instance_url
from fileroom.dicomweb.multipart import OutgoingPart, compose
from fileroom.dicomweb.validators import headers, not_modified
from fileroom.web.http import Part, Request, Response
from fileroom.web.router import Router

_DICOM = "application/dicom"
_MADE = (EXPLICIT_LE, IMPLICIT_LE)  # what the decoder writes
_PACKS_AT_ONCE_MAX = 32  # packs opened before the first byte leaves; beyond, one after the other
_PARTIAL = ("warning", '299 fileroom "Objects that cannot be had in an accepted transfer syntax were left out."')


@dataclass(frozen=True, slots=True)
class _Sending:
    """One object and the transfer syntax it goes out in."""

    stored: StoredInstance
    transfer_syntax: str

    @property
    def as_stored(self) -> bool:
        return self.stored.transfer_syntax == self.transfer_syntax

    @property
    def media_type(self) -> str:
        return f"{_DICOM}; transfer-syntax={self.transfer_syntax}"


class Wado:
    """The handlers that answer with DICOM objects."""

    def __init__(self, retriever: Retriever, decoder: Decoder) -> None:
        self._retriever = retriever
        self._decoder = decoder

    def add_routes(self, router: Router) -> None:
        """Have the router send the addresses of studies, series and instances here."""
        router.add("GET", "/dicomweb/studies/{study}", self.several)
        router.add("GET", "/dicomweb/studies/{study}/series/{series}", self.several)
        router.add("GET", "/dicomweb/studies/{study}/series/{series}/instances/{instance}", self.one)

    def several(self, request: Request) -> Response:
        """The objects of a study or series, one part each.

        Raises NotFound, NotAcceptable when none can be had as accepted; 206 when only some can.
        """
        params = request.params
        found = self._retriever.instances(params["study"], params.get("series"))
        if not found:
            raise errors.NotFound("no such series" if "series" in params else "no such study")
        sending = _plan(found, [offer for offer in offers(request) if _is_multipart(offer)])
        response = compose(_DICOM, self._parts(sending, base_url(request)))
        if len(sending) < len(found):
            response.status = 206
            response.headers.append(_PARTIAL)
        return response

    def one(self, request: Request) -> Response:
        """One object: multipart, or by itself as application/dicom. Raises NotFound, NotAcceptable."""
        params = request.params
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such instance")
        accepted = [offer for offer in offers(request) if _is_multipart(offer) or offer.kind in _SINGLE]
        (sending,) = _plan([stored], accepted)
        single = not any(_is_multipart(offer) for offer in accepted) or accepted[0].kind in _SINGLE
        etag = f"{stored.digest[:32]}-{sending.transfer_syntax}{'' if single else '-m'}"
        if same := not_modified(request, etag):
            return same
        if not single:
            response = compose(_DICOM, self._parts([sending], base_url(request)))
            response.headers += headers(etag)
            return response
        return Response(200, [("content-type", sending.media_type), *headers(etag)], [self._body(sending)])

    def _parts(self, sending: Sequence[_Sending], base: str) -> Sequence[OutgoingPart] | Iterator[OutgoingPart]:
        """A list, so that the answer's length is known, unless that would hold too much open or in memory."""
        packs = {one.stored.pack_id for one in sending}
        ready = all(one.as_stored for one in sending) or len(sending) == 1
        parts = (self._part(one, base) for one in sending)
        return list(parts) if ready and len(packs) <= _PACKS_AT_ONCE_MAX else parts

    def _part(self, sending: _Sending, base: str) -> OutgoingPart:
        stored = sending.stored
        location = instance_url(base, stored.study_uid, stored.series_uid, stored.sop_uid)
        return OutgoingPart(sending.media_type, [self._body(sending)], location)

    def _body(self, sending: _Sending) -> Part:
        file = self._retriever.file(sending.stored)
        if sending.as_stored:
            return file
        return self._decoder.transcode(file, sending.transfer_syntax, sending.stored.image).file


_SINGLE = (_DICOM, "application/*")


def _is_multipart(offer: Offer) -> bool:
    return offer.kind in ("*/*", "multipart/*") or (
        offer.kind == "multipart/related" and offer.inner in ("", _DICOM, "*/*", "application/*")
    )


def _plan(found: Sequence[StoredInstance], accepted: Sequence[Offer]) -> list[_Sending]:
    """What to send of what is stored. Raises NotAcceptable when that is nothing."""
    levels = [
        {offer.transfer_syntax or EXPLICIT_LE: None for offer in group}
        for _, group in groupby(accepted, key=lambda offer: offer.q)
    ]
    sending = [
        _Sending(stored, chosen)
        for stored in found
        if (chosen := next((uid for level in levels if (uid := _choose(stored, level))), None))
    ]
    if not sending:
        raise errors.NotAcceptable(
            "what is stored cannot be had in an accepted transfer syntax" if accepted else "only DICOM is served here",
            hint='accept multipart/related; type="application/dicom"; transfer-syntax=* to take it as it is stored',
        )
    return sending


def _choose(stored: StoredInstance, accepted: dict[str, None]) -> str | None:
    """The transfer syntax to send an object in: as stored where that is accepted, else the first that can be made."""
    if stored.transfer_syntax in accepted or "*" in accepted:
        return stored.transfer_syntax
    if stored.image_blob is not None and not decodable(syntax(stored.transfer_syntax)):
        return None
    return next((uid for uid in accepted if uid in _MADE), None)
