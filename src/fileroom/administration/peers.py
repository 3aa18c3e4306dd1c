"""The page of peers: the DICOM applications that may call, what they may do, and whether they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fileroom import errors
from fileroom.archive.peers import ALL, May, Peer, Peers, check_ae_title, check_host, check_may, check_port
from fileroom.routing.echo import Echo
from fileroom.web.http import Request, Response
from fileroom.web.pages import NOT_SIGNED_IN, Pages, form, see_other
from fileroom.web.router import Router

# What a peer may do, in words for the person who decides it.
_MAY = {
    May.STORE: "send images here",
    May.FIND: "ask what is here",
    May.GET: "fetch images on its own connection",
    May.MOVE: "have images sent to any peer listed here",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A peer as it stands in the form, perhaps not valid yet."""

    ae_title: str = ""
    host: str = ""
    port: str = "104"
    site: str = ""
    may: frozenset[May] = ALL

    @staticmethod
    def of(peer: Peer) -> Draft:
        return Draft(peer.ae_title, peer.host, str(peer.port), peer.site, peer.may)


class PeersPage:
    """The handlers under `/peers`."""

    def __init__(self, pages: Pages, peers: Peers, echo: Callable[[Peer], Echo], *, site: str, our_title: str) -> None:
        self._pages = pages
        self._peers = peers
        self._echo = echo
        self._site = site
        self._our_title = our_title

    def add_routes(self, router: Router) -> None:
        """Have the router send everything about peers here."""
        router.add("GET", "/peers", self.page)
        router.add("POST", "/peers", self.save)
        router.add("GET", "/peers/{title}", self.edit)
        router.add("POST", "/peers/{title}/remove", self.remove)
        router.add("POST", "/peers/{title}/echo", self.echo)

    def page(self, request: Request) -> Response:
        """Every peer, and a form for another. Raises DatabaseUnavailable."""
        return self._page(request, draft=Draft(site=self._site), said=_said(request))

    def edit(self, request: Request) -> Response:
        """The same page with one peer in the form. Raises NotFound."""
        return self._page(request, draft=Draft.of(self._peer(request)), editing=True)

    def save(self, request: Request) -> Response:
        """Make a peer known, or change it. What is wrong is said beside the form, which keeps what was typed."""
        fields = form(request)
        draft = _draft(fields)
        editing = fields.get("editing") == "1"
        try:
            peer = _checked(draft)
            if not editing and self._peers.find(peer.ae_title) is not None:
                raise errors.BadRequest(f"{peer.ae_title} is known already", hint="choose Change beside it in the list")
            self._peers.add(peer, NOT_SIGNED_IN)
        except errors.BadRequest as error:
            return self._page(request, draft=draft, editing=editing, wrong=error, status=400)
        return see_other(f"/peers?saved={quote(peer.ae_title, safe='')}")

    def remove(self, request: Request) -> Response:
        """Forget a peer; what it sent stays. Raises NotFound."""
        peer = self._peer(request)
        self._peers.remove(peer.ae_title, NOT_SIGNED_IN)
        return self._page(request, draft=Draft.of(peer), removed=peer)

    def echo(self, request: Request) -> Response:
        """Ask a peer whether it answers. Raises NotFound."""
        peer = self._peer(request)
        result = self._echo(peer)
        if request.headers.get("hx-request") == "true":
            return self._pages.page(request, "administration/echo.html", echo=result)
        return self._page(request, draft=Draft(site=self._site), echo=result)

    def _peer(self, request: Request) -> Peer:
        peer = self._peers.find(request.params["title"])
        if peer is None:
            raise errors.NotFound("there is no peer of that AE title", hint="it may have been removed")
        return peer

    def _page(self, request: Request, *, status: int = 200, draft: Draft, **more: Any) -> Response:
        values: dict[str, Any] = {"editing": False, "wrong": None, "removed": None, "echo": None, "said": "", **more}
        return self._pages.page(
            request,
            "administration/peers.html",
            status=status,
            peers=self._peers.all(),
            draft=draft,
            may=_MAY,
            our_title=self._our_title,
            **values,
        )


def _said(request: Request) -> str:
    return next((value for name, value in request.args() if name == "saved"), "")[:16]


def _draft(fields: Mapping[str, str]) -> Draft:
    may = frozenset(word for word in May if fields.get(f"may_{word}"))
    title, host, port, site = (fields.get(name, "").strip() for name in ("ae_title", "host", "port", "site"))
    return Draft(title, host, port, site, may)


def _checked(draft: Draft) -> Peer:
    if not draft.port.isascii() or not draft.port.isdigit():
        raise errors.BadRequest("a port is a number between 1 and 65535", hint="DICOM's own is 104 or 11112")
    return Peer(
        check_ae_title(draft.ae_title),
        check_host(draft.host),
        check_port(int(draft.port[:6])),
        draft.site,
        check_may(draft.may),
    )
