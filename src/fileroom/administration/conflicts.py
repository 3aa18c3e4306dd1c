"""The pages of conflicts: what waits for a person, both versions side by side, decide and take back."""

from __future__ import annotations

from collections.abc import Callable

from fileroom import errors
from fileroom.administration.sides import CAME, HERE, said, sides_of
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.decode import Decoder
from fileroom.archive.differences import differences
from fileroom.archive.held import KINDS
from fileroom.archive.kept import Kept
from fileroom.archive.retrieve import Retriever
from fileroom.archive.verdicts import Verdict
from fileroom.database import Database
from fileroom.dicom.compare import Pixels
from fileroom.dicom.render_options import RenderOptions, Viewport
from fileroom.dicom.syntax import syntax
from fileroom.web.http import Request, Response, error_status
from fileroom.web.pages import NOT_SIGNED_IN, Pages, form, see_other
from fileroom.web.router import Router

_LISTED = 50
_PICTURE_PIXELS = 320

# What each decision means, in the words of its button.
_ACTS = {
    Verdict.KEEP: "Keep what is here",
    Verdict.REPLACE: "Use the one that came instead",
    Verdict.ACCEPT: "File it in the study it names",
    Verdict.KEEP_OUT: "Keep it out",
}

_PIXELS = {
    Pixels.SAME: "The pixels are the same, bit for bit.",
    Pixels.DIFFERENT: "The pixels are not the same.",
    Pixels.STORED_DIFFERENTLY: "The pixels are stored in different ways: only the pictures tell whether they differ.",
    Pixels.ONE_WITHOUT: "Only one of them has pixels.",
    Pixels.NONE: "Neither has pixels.",
}


class ConflictsPage:
    """The handlers under `/conflicts`."""

    def __init__(
        self, pages: Pages, conflicts: Conflicts, database: Database, retriever: Retriever, decoder: Decoder
    ) -> None:
        self._pages = pages
        self._conflicts = conflicts
        self._database = database
        self._retriever = retriever
        self._decoder = decoder

    def add_routes(self, router: Router) -> None:
        """Have the router send everything about conflicts here."""
        router.add("GET", "/conflicts", self.listing)
        router.add("GET", "/conflicts/{id}", self.page)
        router.add("GET", "/conflicts/{id}/{side}/picture", self.picture)
        router.add("POST", "/conflicts/{id}/decide", self.decide)
        router.add("POST", "/conflicts/{id}/undo", self.undo)

    def listing(self, request: Request) -> Response:
        """What waits for a person, newest first; with `?all=1` what was decided too. Raises BadRequest.

        `?study=UID`: only what concerns one study.
        """
        args = dict(request.args())
        decided = args.get("all") == "1"
        before = _number(args["before"]) if args.get("before") else None
        study = args.get("study") or None
        found = self._conflicts.listed(decided=decided, limit=_LISTED + 1, before=before, study_uid=study)
        return self._pages.page(
            request,
            "administration/conflicts.html",
            found=found[:_LISTED],
            more=found[_LISTED - 1].id if len(found) > _LISTED else None,
            decided=decided,
            study=study,
            counts=self._conflicts.counts(),
            settled=sum(self._conflicts.counts(decided=True).values()),
            kinds=KINDS,
        )

    def page(self, request: Request) -> Response:
        """Both versions of one side by side. Raises NotFound."""
        return self._page(request)

    def _page(self, request: Request, *, status: int = 200, wrong: errors.FileroomError | None = None) -> Response:
        conflict = self._conflicts.get(_number(request.params["id"]))
        comparison = None
        if conflict.other is not None:
            comparison = differences(self._retriever, conflict.other, conflict.came)
        sides = sides_of(self._conflicts, self._database, conflict)
        return self._pages.page(
            request,
            "administration/conflict.html",
            status=status,
            conflict=conflict,
            sides=sides,
            said=said(sides),
            comparison=comparison,
            pixels=_PIXELS,
            kinds=KINDS,
            acts=_ACTS,
            wrong=wrong,
        )

    def picture(self, request: Request) -> Response:
        """One version's picture: side `came` or `here`. Raises NotFound, UndecodableImage, DamagedPack, Busy."""
        conflict = self._conflicts.get(_number(request.params["id"]))
        kept: Kept | None = {CAME: conflict.came, HERE: conflict.other}.get(request.params["side"])
        if kept is None:
            raise errors.NotFound("no such version")
        arrival = self._conflicts.arrival(kept)
        stored = kept.stored(arrival.image)
        if stored.image is None:
            raise errors.NotFound("this object has no pixels")
        options = RenderOptions(viewport=Viewport(_PICTURE_PIXELS, _PICTURE_PIXELS))
        found = self._decoder.render(
            self._retriever.dataset(stored), stored.image, syntax(stored.transfer_syntax), 0, options
        )
        return Response(200, [("content-type", options.media_type), ("cache-control", "no-store")], [found])

    def decide(self, request: Request) -> Response:
        """Carry out the decision that the form names.

        Raises NotFound, BadRequest. When somebody else was faster the page says so and nothing is done.
        """
        fields = form(request)
        try:
            verdict = Verdict(fields.get("verdict", ""))
        except ValueError as error:
            raise errors.BadRequest("no such decision", hint="go back and choose one of the buttons") from error
        return self._act(
            request,
            lambda held: self._conflicts.decide(
                held,
                verdict,
                who=NOT_SIGNED_IN,
                why=fields.get("why", ""),
                strange=fields.get("strange") == "1",
                seen=fields.get("seen", ""),
            ),
        )

    def undo(self, request: Request) -> Response:
        """Take the decision that stands back. Raises as `decide` does."""
        fields = form(request)
        return self._act(
            request, lambda held: self._conflicts.undo(held, who=NOT_SIGNED_IN, seen=fields.get("seen", ""))
        )

    def _act(self, request: Request, act: Callable[[int], None]) -> Response:
        held = _number(request.params["id"])
        try:
            act(held)
        except (errors.Superseded, errors.BadRequest, errors.DamagedPack, errors.RefusedObject) as error:
            return self._page(request, status=error_status(error), wrong=error)
        return see_other(f"/conflicts/{held}")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise errors.NotFound("no such conflict", hint="the list has those that are here: /conflicts")
    return int(text)
