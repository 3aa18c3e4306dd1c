"""Key images and presentation states: what the quick look and the viewer ask for, and what they have kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from fileroom import errors
from fileroom.archive.decode import Decoder
from fileroom.archive.marks import KeyMark, MarksReader, State
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.key_object import TITLES
from fileroom.dicom.render_options import RenderOptions, read_viewport, read_window
from fileroom.dicom.softcopy import Shown
from fileroom.dicom.syntax import syntax
from fileroom.reading.keeping import Keeping
from fileroom.reading.setting import read_setting
from fileroom.web.http import Request, Response
from fileroom.web.pages import form
from fileroom.web.router import Router
from fileroom.web.segment import segment

PLACES = ("quick look", "viewer")  # where a reader marks: part of the source that the archive keeps
_NO_STORE = ("cache-control", "no-store")
_HERE = "/studies/{study}/look"


class MarksAnswers:
    """The handlers. What they keep is a write like any other: it is refused to pages of other sites."""

    def __init__(self, marks: MarksReader, keeping: Keeping, retriever: Retriever, decoder: Decoder) -> None:
        self._marks = marks
        self._keeping = keeping
        self._retriever = retriever
        self._decoder = decoder

    def add_routes(self, router: Router) -> None:
        """Have the router send questions and writes about marks here."""
        router.add("GET", f"{_HERE}/marks", self.marks)
        router.add("POST", f"{_HERE}/key", self.key)
        router.add("POST", f"{_HERE}/state", self.state)
        router.add("POST", f"{_HERE}/take-back", self.take_back)
        router.add("GET", _HERE + "/series/{series}/{instance}/{frame}/shown", self.shown)
        router.add("GET", _HERE + "/series/{series}/{instance}/{frame}/picture", self.picture)

    def marks(self, request: Request) -> Response:
        """What is marked in a study and which presentation states it has, as JSON; UIDs as segments of a path."""
        return _json(self._told(request.params["study"]))

    def key(self, request: Request) -> Response:
        """Mark `series`, `instance` and perhaps `frame` with `title`; the study's marks. Raises as Keeping does."""
        fields = form(request)
        image, frame = self._image(request.params["study"], fields)
        self._keeping.key(image, frame, fields.get("title", ""), _place(fields))
        return _json(self._told(image.study_uid))

    def state(self, request: Request) -> Response:
        """Keep how `series`, `instance` and perhaps `frame` is shown; the study's marks. Raises as Keeping does.

        `base_series`, `base`: the presentation state it was shown by when the reader changed what is set.
        """
        fields = form(request)
        image, frame = self._image(request.params["study"], fields)
        base = None
        if fields.get("base"):
            named = (fields.get("base_series", ""), fields["base"])
            base = self._marks.shown(image.study_uid, *named, image.sop_uid, frame or 1)
        kept = self._keeping.state(image, frame, read_setting(fields), _place(fields), base)
        return _json(self._told(image.study_uid) | {"kept": segment(kept)})

    def take_back(self, request: Request) -> Response:
        """Take back the document `series`, `instance`; the study's marks. Raises as Keeping does."""
        fields, study_uid = form(request), request.params["study"]
        marks = self._marks.marks(study_uid)
        documents = [one.document for one in marks.keys if one.ours]
        documents += [one.document for one in marks.states if one.ours]
        asked = (fields.get("series"), fields.get("instance"))
        found = next((one for one in documents if (one.series_uid, one.sop_uid) == asked), None)
        if found is None:
            raise errors.NotFound(
                "it was taken back already, or was not made here", hint="what came from elsewhere is taken back there"
            )
        self._keeping.take_back(found, _place(fields))
        return _json(self._told(study_uid))

    def shown(self, request: Request) -> Response:
        """How the state `of`, `by` shows a frame, its greys left out, as JSON. Raises NotFound, MalformedObject."""
        shown = self._shown(request)
        window = shown.grey.window if shown.grey else None
        said = asdict(replace(shown, grey=None)) | {"window": [window.center, window.width] if window else None}
        return _json(said)

    def picture(self, request: Request) -> Response:
        """A frame in the greys of the state `of`, `by`, whole or as large as `viewport`; a `window` comes first.

        Raises NotFound, BadRequest, MalformedObject, UndecodableImage, Busy.
        """
        shown, params = self._shown(request), request.params
        stored = self._retriever.instance(params["study"], params["series"], params["instance"])
        if stored is None or (image := stored.image) is None:
            raise errors.NotFound("no such image")
        options = RenderOptions(grey=shown.grey)
        for name, value in request.args():
            if name == "window":
                options = replace(options, window=read_window(value))
            elif name == "viewport":
                options = replace(options, viewport=read_viewport(value))
        how, frame = syntax(stored.transfer_syntax), _number(params["frame"]) - 1
        found = self._decoder.render(self._retriever.dataset(stored), image, how, frame, options)
        return Response(200, [("content-type", options.media_type), _NO_STORE], [found])

    def _shown(self, request: Request) -> Shown:
        params, args = request.params, dict(request.args())
        state = (args.get("of", ""), args.get("by", ""))
        return self._marks.shown(params["study"], *state, params["instance"], _number(params["frame"]))

    def _image(self, study_uid: str, fields: Mapping[str, str]) -> tuple[StoredInstance, int | None]:
        """The image that a form names and, of an object with several frames, which one it means."""
        found = self._retriever.instance(study_uid, fields.get("series", ""), fields.get("instance", ""))
        if found is None or (image := found.image) is None:
            raise errors.NotFound("no such image", hint="reload the page: the study may have been hidden")
        frame = _number(fields["frame"]) if fields.get("frame") else None
        count = max(1, image.pixels.frames)
        if frame is not None and frame > count:
            raise errors.NotFound(f"frame {frame} of {count}")
        return found, frame if count > 1 else None

    def _told(self, study_uid: str) -> dict[str, Any]:
        marks = self._marks.marks(study_uid)
        return {
            "keys": [_key(one) for one in marks.keys],
            "states": [_state(one) for one in marks.states],
            "unread": marks.unread,
            "titles": TITLES,
        }


def _key(mark: KeyMark) -> dict[str, Any]:
    return {
        "image": segment(mark.image.sop_uid),
        "series": segment(mark.image.series_uid) if mark.image.series_uid else "",
        "frames": mark.image.frames,
        "meaning": mark.meaning,
        "title": mark.title,
        "ours": mark.ours,
        "document": [mark.document.series_uid, mark.document.sop_uid],
    }


def _state(state: State) -> dict[str, Any]:
    return {
        "name": state.head.description or state.head.label,
        "date": state.head.date,
        "time": state.head.time,
        "images": {segment(one.sop_uid): one.frames for one in state.head.images},
        "ours": state.ours,
        "document": [state.document.series_uid, state.document.sop_uid],
    }


def _place(fields: Mapping[str, str]) -> str:
    place = fields.get("place", "")
    return place if place in PLACES else PLACES[0]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 8 or int(text) < 1:
        raise errors.BadRequest("a frame is a number from 1")
    return int(text)


def _json(value: Any) -> Response:
    answer = Response.json(value)
    answer.headers.append(_NO_STORE)
    return answer
