"""WADO-RS frames (PS3.18 10.4.1.1.6): native by default, or compressed as they are stored. Frames count from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from fileroom import errors
from fileroom.archive.decode import Decoder
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.frames import is_video
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, TransferSyntax, syntax
from fileroom.dicomweb.accept import Offer, choose
from fileroom.dicomweb.coding import Coding, coded_etag, takes_zstd
from fileroom.dicomweb.links import base_url, instance_url
from fileroom.dicomweb.multipart import OutgoingPart, compose
from fileroom.dicomweb.validators import headers, not_modified
from fileroom.web.http import Part, Request, Response
from fileroom.web.router import Router

Header = tuple[str, str]
VARY = ("vary", "accept, accept-encoding")
FRAMES_MAX = 10_000  # numbers in one list

_NATIVE = "application/octet-stream"
_NATIVE_SYNTAXES = ("", EXPLICIT_LE, IMPLICIT_LE)  # all the same bytes for one native little-endian frame


@dataclass(frozen=True, slots=True)
class Form:
    """How frames go out."""

    multipart: bool
    native: bool  # uncompressed little endian; False: compressed as stored
    kind: str  # media type of one frame
    transfer_syntax: str

    @property
    def media_type(self) -> str:
        return f"{self.kind}; transfer-syntax={self.transfer_syntax}"


class Frames:
    """The handler of `/frames/{list}`."""

    def __init__(self, retriever: Retriever, decoder: Decoder) -> None:
        self._retriever = retriever
        self._decoder = decoder
        self._coding = Coding()

    def add_routes(self, router: Router) -> None:
        """Have the router send frame addresses here."""
        instance = "/dicomweb/studies/{study}/series/{series}/instances/{instance}"
        router.add("GET", instance + "/frames/{frames}", self.get)

    def get(self, request: Request) -> Response:
        """The frames of a list. Raises NotFound beyond the last, BadRequest, NotAcceptable, UndecodableImage."""
        params = request.params
        numbers = frame_numbers(params["frames"])
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such instance")
        return self.answer(request, stored, numbers)

    def answer(self, request: Request, stored: StoredInstance, numbers: Sequence[int]) -> Response:
        """These frames of an object in the form the request accepts."""
        form = choose_form(request, syntax(stored.transfer_syntax), len(numbers))
        etag = f"{stored.digest[:32]}-{_short(numbers)}-{form.kind}-{form.transfer_syntax}{'-m' * form.multipart}"
        zstd = form.native and takes_zstd(request)
        if same := (zstd and not_modified(request, coded_etag(etag), VARY)) or not_modified(request, etag, VARY):
            return same
        response = self._whole(request, stored, numbers, form, [*headers(etag, request), VARY])
        return self._coding.coded(response) if zstd else response

    def _whole(
        self, request: Request, stored: StoredInstance, numbers: Sequence[int], form: Form, about: list[Header]
    ) -> Response:
        if not form.multipart:
            body = self._body(stored, numbers[0], form)
            return Response(200, [("content-type", form.media_type), *about], body)
        at = instance_url(base_url(request), stored.study_uid, stored.series_uid, stored.sop_uid)
        return compose(form.kind, self._parts(stored, numbers, form, f"{at}/frames/"), about)

    def _parts(
        self, stored: StoredInstance, numbers: Sequence[int], form: Form, location: str
    ) -> list[OutgoingPart] | Iterator[OutgoingPart]:
        """A list, unless frames have to be decoded one after the other on the way out."""
        parts = (
            OutgoingPart(form.media_type, self._body(stored, number, form), f"{location}{number}") for number in numbers
        )
        if len(numbers) == 1 or not self._is_decoded(stored, form):
            return list(parts)
        check_frame(stored, max(numbers))  # before the first byte leaves
        return parts

    def _body(self, stored: StoredInstance, number: int, form: Form) -> Sequence[Part]:
        if self._is_decoded(stored, form) and (image := stored.image) is not None:
            check_frame(stored, number)
            dataset = self._retriever.dataset(stored)
            return [self._decoder.frame(dataset, image, syntax(stored.transfer_syntax), number - 1).data]
        return self._retriever.frame(stored, number)

    @staticmethod
    def _is_decoded(stored: StoredInstance, form: Form) -> bool:
        found = syntax(stored.transfer_syntax)
        return form.native and (found.encapsulated or found.deflated)


def frame_count(stored: StoredInstance) -> int:
    """Frames that can be asked for; 0 without pixels."""
    image = stored.image
    if image is None:
        return 0
    return image.pixels.frames if image.frames is None else image.frames.count


def check_frame(stored: StoredInstance, number: int) -> None:
    """Raise NotFound unless the object has a frame of this number."""
    if not 1 <= number <= (count := frame_count(stored)):
        raise errors.NotFound(f"frame {number} of {count}" if count else "this object has no frames")


def frame_numbers(listed: str) -> list[int]:
    """A frame list such as "1,3,5". Raises BadRequest."""
    pieces = listed.split(",", FRAMES_MAX + 1)
    if len(pieces) > FRAMES_MAX:
        raise errors.BadRequest(f"more than {FRAMES_MAX} frames in one list")
    numbers = [int(piece) if piece.isascii() and piece.isdigit() and len(piece) < 10 else 0 for piece in pieces]
    if not all(numbers):
        raise errors.BadRequest("a frame list holds whole numbers from 1, with commas between")
    return numbers


def _short(numbers: Sequence[int]) -> str:
    text = ".".join(map(str, numbers))  # no comma: those part the validators of If-None-Match
    return text if len(text) < 64 else sha256(text.encode()).hexdigest()[:32]


def choose_form(request: Request, stored: TransferSyntax, count: int) -> Form:
    """The form that the request accepts best. Raises NotAcceptable."""
    return choose(request, lambda offer: _form(offer, stored, count > 1), served=_served(stored))


@lru_cache(maxsize=64)
def _served(stored: TransferSyntax) -> tuple[str, ...]:
    native = f'multipart/related; type="{_NATIVE}"'
    if not stored.encapsulated:
        return (native,)
    return (native, f'multipart/related; type="{stored.media_type}"; transfer-syntax={stored.uid}')


@lru_cache(maxsize=512)
def _form(offer: Offer, stored: TransferSyntax, several: bool) -> Form | None:
    multipart = offer.kind in ("*/*", "multipart/*", "multipart/related")
    if not multipart and several:
        return None
    kind = (offer.inner if multipart else offer.kind) or "*/*"
    wanted = offer.transfer_syntax
    anything, own = kind in ("*/*", "application/*"), _within(stored.media_type, kind)
    if stored.encapsulated and wanted in ("*", stored.uid) and (anything or own or kind == _NATIVE):
        return Form(multipart, False, _NATIVE if kind == _NATIVE else stored.media_type, stored.uid)
    if (
        stored.encapsulated
        and wanted == ""
        and ((own and kind != _NATIVE and not anything) or (anything and not decodable(stored)))
    ):
        return Form(multipart, False, stored.media_type, stored.uid)
    if (anything or kind == _NATIVE) and wanted in (*_NATIVE_SYNTAXES, "*") and decodable(stored):
        return Form(multipart, True, _NATIVE, EXPLICIT_LE)
    return None


def decodable(stored: TransferSyntax) -> bool:
    """Whether native frames can be expected of this syntax; whether one succeeds shows only on trying."""
    return not stored.encapsulated or not (is_video(stored) or stored.name == "unknown")


def _within(media_type: str, kind: str) -> bool:
    return kind in (media_type, media_type.partition("/")[0] + "/*")
