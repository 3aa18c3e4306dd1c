"""WADO-RS rendered images and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4, 8.3.5).

Of an object with several frames `rendered` shows the first, `thumbnail` the middle one. Of a study or series,
`rendered` gives every object that has pixels, one part each, or the one in the middle to an asker that takes single
images only; `thumbnail` gives the one in the middle. A thumbnail stands for the whole: where what is in the middle
cannot be shown, it is of something beside it that can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TypeVar

import orjson

from fileroom import errors
from fileroom.archive.decode import Decoder
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.render_options import RenderOptions, Viewport, read_quality, read_viewport, read_window
from fileroom.dicom.syntax import syntax
from fileroom.dicomweb.accept import Offer, choose
from fileroom.dicomweb.frames import check_frame, decodable, frame_count, frame_numbers
from fileroom.dicomweb.links import base_url, instance_url
from fileroom.dicomweb.multipart import OutgoingPart, compose
from fileroom.dicomweb.validators import headers, not_modified
from fileroom.web.http import Part, Request, Response
from fileroom.web.router import Router

_T = TypeVar("_T")

RENDERED_TYPES = ("image/jpeg", "image/png")
THUMBNAIL_PIXELS = 256  # the longer side, when the asker does not say

_STUDY = "/dicomweb/studies/{study}"
_SERIES = _STUDY + "/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_IGNORED = ("annotation", "iccprofile")
_TRIED_MAX = 12  # frames, before it is said that there is no thumbnail
_PLACES = (2, 1, 3, 0, 4)  # in quarters of the way, where a thumbnail is taken from: the first that can be shown


class Rendered:
    """The handlers of `/rendered` and `/thumbnail`."""

    def __init__(self, retriever: Retriever, decoder: Decoder) -> None:
        self._retriever = retriever
        self._decoder = decoder

    def add_routes(self, router: Router) -> None:
        """Have the router send every rendered address and thumbnail here."""
        for above in (_STUDY, _SERIES):
            router.add("GET", above + "/rendered", self.several)
            router.add("GET", above + "/thumbnail", self.representative)
        for instance in (_INSTANCE, _INSTANCE + "/frames/{frames}"):
            for leaf in ("rendered", "thumbnail"):
                handler: Callable[[Request], Response] = partial(self.one, small=leaf == "thumbnail")
                router.add("GET", f"{instance}/{leaf}", handler)

    def one(self, request: Request, *, small: bool) -> Response:
        """One frame of one object. Raises NotFound, NotAcceptable, BadRequest, Busy, and if large UndecodableImage."""
        params = request.params
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None:
            raise errors.NotFound("no such instance")
        if "frames" not in params:
            return self._thumbnail(request, [stored]) if small else self._picture(request, stored, 1, small)
        numbers = frame_numbers(params["frames"])
        if len(numbers) > 1:
            raise errors.NotAcceptable("frames are rendered one at a time", hint="ask for one frame")
        if small:
            return self._first_shown(request, [(stored, numbers[0])])
        return self._picture(request, stored, numbers[0], small)

    def representative(self, request: Request) -> Response:
        """The thumbnail of a study or series. Raises NotFound, NotAcceptable, BadRequest, Busy."""
        return self._thumbnail(request, self._shown(request))

    def several(self, request: Request) -> Response:
        """Every object of a study or series as a picture. Raises as `one` does, before the first byte."""
        shown = self._shown(request)
        form = choose(request, _form, served=RENDERED_TYPES)
        if not form.multipart:
            stored = self._whole(shown[len(shown) // 2])
            return self._picture(request, stored, frame_count(stored) // 2 + 1, small=False)
        options, ignored = _options(request, form.kind, small=False)
        response = compose(form.kind, self._parts(shown, options, base_url(request)))
        response.headers += ignored
        return response

    def _shown(self, request: Request) -> list[StoredInstance]:
        found = self._retriever.instances(request.params["study"], request.params.get("series"))
        shown = [stored for stored in found if frame_count(stored) and decodable(syntax(stored.transfer_syntax))]
        if not shown:
            raise errors.NotFound("nothing that can be shown" if found else "no such study or series")
        return shown

    def _thumbnail(self, request: Request, shown: Sequence[StoredInstance]) -> Response:
        return self._first_shown(request, self._candidates(shown))

    def _candidates(self, shown: Sequence[StoredInstance]) -> Iterator[tuple[StoredInstance, int]]:
        """Frames that may stand for these objects, the best first: of the object in the middle first of all."""
        for stored in _spread(shown):
            whole = self._whole(stored)
            for number in _spread(range(1, frame_count(whole) + 1)):
                yield whole, number

    def _first_shown(self, request: Request, candidates: Iterable[tuple[StoredInstance, int]]) -> Response:
        """The first of these frames that can be shown. Raises NotFound when none of those that are tried can be,
        DamagedPack when the last of them lies in a pack that is damaged."""
        why: Exception | None = None
        for stored, number in islice(candidates, _TRIED_MAX):
            try:
                return self._picture(request, stored, number, small=True)
            except (errors.UndecodableImage, errors.MalformedObject, errors.DamagedPack) as error:
                why = error
        if isinstance(why, errors.DamagedPack):
            raise why  # an alarm, not something that is not there
        raise errors.NotFound(f"nothing that can be shown: {why or 'there are no pixels'}") from why

    def _parts(self, shown: Sequence[StoredInstance], options: RenderOptions, base: str) -> Iterator[OutgoingPart]:
        for stored in shown:
            at = instance_url(base, stored.study_uid, stored.series_uid, stored.sop_uid)
            yield OutgoingPart(options.media_type, [self._render(self._whole(stored), 1, options)], f"{at}/rendered")

    def _whole(self, listed: StoredInstance) -> StoredInstance:
        """The same object with its frame table, which a list leaves out when it is long."""
        found = self._retriever.instance(listed.study_uid, listed.series_uid, listed.sop_uid)
        if found is None:
            raise errors.NotFound("no such instance")
        return found

    def _picture(self, request: Request, stored: StoredInstance, number: int, small: bool) -> Response:
        form = choose(request, _form, served=RENDERED_TYPES)
        options, ignored = _options(request, form.kind, small=small)
        look = sha256(orjson.dumps([asdict(options), number, form.single])).hexdigest()[:24]
        etag = f"{stored.digest[:32]}-{look}"
        if same := not_modified(request, etag):
            return same
        check_frame(stored, number)
        picture = self._render(stored, number, options)
        if form.single:
            return Response(200, [("content-type", form.kind), *headers(etag), *ignored], [picture])
        return compose(form.kind, [OutgoingPart(form.kind, [picture])], [*headers(etag), *ignored])

    def _render(self, stored: StoredInstance, number: int, options: RenderOptions) -> Part:
        image = stored.image
        if image is None:
            raise errors.NotFound("this object has no pixels")
        found = syntax(stored.transfer_syntax)
        if not decodable(found):
            raise errors.NotAcceptable("this object's pixels are of a kind that is not rendered")
        return self._decoder.render(self._retriever.dataset(stored), image, found, number - 1, options)


def _spread(things: Sequence[_T]) -> list[_T]:
    """What stands at `_PLACES` of these, each once; nothing where there is none."""
    if not things:
        return []
    last = len(things) - 1
    places = dict.fromkeys(len(things) // 2 if quarters == 2 else last * quarters // 4 for quarters in _PLACES)
    return [things[place] for place in places]


@dataclass(frozen=True, slots=True)
class _Form:
    """How pictures may go out."""

    kind: str  # media type of one
    single: bool  # one by itself is accepted
    multipart: bool


def _form(offer: Offer) -> _Form | None:
    if offer.kind in ("multipart/related", "multipart/*"):
        inner = offer.inner or "image/*"
        kind = next((kind for kind in RENDERED_TYPES if inner in (kind, "image/*", "*/*")), None)
        return None if kind is None else _Form(kind, single=False, multipart=True)
    kind = next((kind for kind in RENDERED_TYPES if offer.takes(kind)), None)
    return None if kind is None else _Form(kind, single=True, multipart=offer.kind == "*/*")


def _options(request: Request, kind: str, *, small: bool) -> tuple[RenderOptions, list[tuple[str, str]]]:
    """What the arguments ask for, and Warnings for those that are ignored. Raises BadRequest."""
    options = RenderOptions(media_type=kind)
    ignored = []
    for name, value in request.args():
        if name == "window":
            options = replace(options, window=read_window(value))
        elif name == "viewport":
            options = replace(options, viewport=read_viewport(value))
        elif name == "quality":
            options = replace(options, quality=read_quality(value))
        elif name in _IGNORED:
            ignored.append(("warning", f'299 fileroom "The {name} parameter is not supported and was ignored."'))
    if small and options.viewport is None:
        options = replace(options, viewport=Viewport(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    return options, ignored
