"""The pages of conflicts: what waits for a person, both versions side by side, decide and take back."""

from __future__ import annotations

from typing import Any

from fileroom import errors
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.decode import Decoder
from fileroom.archive.differences import compare
from fileroom.archive.held import KINDS
from fileroom.archive.kept import Kept
from fileroom.archive.packs import Packs
from fileroom.archive.retrieve import Retriever
from fileroom.archive.verdicts import Verdict
from fileroom.dicom.render_options import RenderOptions, Viewport
from fileroom.dicom.syntax import syntax
from fileroom.web.http import Request, Response
from fileroom.web.pages import Pages, form, see_other
from fileroom.web.router import Router

_LISTED = 50
_BY = "web page, not signed in"  # who decided, as long as nobody signs in
_PICTURE_PIXELS = 320

# What each decision means, in the words of its button.
_ACTS = {
    Verdict.KEEP: "Keep what is here",
    Verdict.REPLACE: "Use the one that came instead",
    Verdict.ACCEPT: "File it in the study it names",
    Verdict.KEEP_OUT: "Keep it out",
}


class ConflictsPage:
    """The handlers under `/conflicts`."""

    def __init__(
        self, pages: Pages, conflicts: Conflicts, packs: Packs, retriever: Retriever, decoder: Decoder
    ) -> None:
        self._pages = pages
        self._conflicts = conflicts
        self._packs = packs
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
        """What waits for a person, newest first; with `?all=1` what was decided too. Raises BadRequest."""
        args = dict(request.args())
        decided = args.get("all") == "1"
        before = _number(args["before"]) if args.get("before") else None
        found = self._conflicts.listed(decided=decided, limit=_LISTED + 1, before=before)
        return self._pages.page(
            request,
            "administration/conflicts.html",
            found=found[:_LISTED],
            more=found[_LISTED - 1].id if len(found) > _LISTED else None,
            decided=decided,
            counts=self._conflicts.counts(),
            settled=sum(self._conflicts.counts(decided=True).values()),
            kinds=KINDS,
        )

    def page(self, request: Request) -> Response:
        """Both versions of one side by side. Raises NotFound."""
        return self._page(request)

    def _page(self, request: Request, *, status: int = 200, wrong: errors.FileroomError | None = None) -> Response:
        conflict = self._conflicts.get(_number(request.params["id"]))
        trouble, comparison = "", None
        if conflict.other is not None:
            try:
                comparison = compare(self._packs, conflict.other, conflict.came)
            except errors.DamagedPack as error:
                trouble = str(error)
        return self._pages.page(
            request,
            "administration/conflict.html",
            status=status,
            conflict=conflict,
            comparison=comparison,
            trouble=trouble,
            kinds=KINDS,
            acts=_ACTS,
            wrong=wrong,
        )

    def picture(self, request: Request) -> Response:
        """One version's picture: side `came` or `here`. Raises NotFound, UndecodableImage, DamagedPack, Busy."""
        conflict = self._conflicts.get(_number(request.params["id"]))
        kept: Kept | None = {"came": conflict.came, "here": conflict.other}.get(request.params["side"])
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
        """Carry out the decision that the form names. Raises NotFound, BadRequest; when somebody else was faster the
        page says so and nothing is done."""
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
                who=_BY,
                why=fields.get("why", ""),
                strange=fields.get("strange") == "1",
                seen=fields.get("seen", ""),
            ),
        )

    def undo(self, request: Request) -> Response:
        """Take the decision that stands back. Raises as `decide` does."""
        fields = form(request)
        return self._act(request, lambda held: self._conflicts.undo(held, who=_BY, seen=fields.get("seen", "")))

    def _act(self, request: Request, act: Any) -> Response:
        held = _number(request.params["id"])
        try:
            act(held)
        except (errors.Superseded, errors.BadRequest, errors.DamagedPack) as error:
            return self._page(request, status=409, wrong=error)
        return see_other(f"/conflicts/{held}")


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise errors.NotFound("no such conflict", hint="the list has those that are here: /conflicts")
    return int(text)
