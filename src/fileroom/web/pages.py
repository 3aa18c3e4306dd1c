"""What all pages share: one way to fill a template, one set of headers, one page for errors.

A room that people see brings its own templates and static files; a template is named with its room, such as
`reading/studies.html`, and extends `web/layout.html`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import jinja2

from fileroom import errors
from fileroom.web.assets import Assets
from fileroom.web.http import Request, Response, error_response, error_status
from fileroom.web.texts import FILTERS

# What every page may do: load our own styles, scripts and pictures, and nothing from or to anywhere else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("referrer-policy", "same-origin"),  # with none at all, browsers hide the origin of our own forms
    ("cache-control", "no-store"),
    # On every page alike: from one that has it to one that has not, a browser starts a process anew.
    ("cross-origin-opener-policy", "same-origin"),
)
FORM_BYTES_MAX = 1 << 20
NOT_SIGNED_IN = "nobody signed in (this machine)"  # who acts on a page, as long as nobody signs in


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    path: str
    title: str


PLACES = (
    Place("/", "Home"),
    Place("/studies", "Studies"),
    Place("/upload", "Upload"),
    Place("/conflicts", "Conflicts"),
    Place("/peers", "Peers"),
    Place("/forward", "Forwarding"),
    Place("/ledger", "Ledger"),
    Place("/answers", "Answers"),
)


class Pages:
    """Fills the templates of these rooms. Thread-safe."""

    def __init__(self, rooms: Sequence[str], version: str) -> None:
        self.assets = Assets(rooms)
        self._environment = jinja2.Environment(
            loader=jinja2.PrefixLoader({room: jinja2.PackageLoader(f"fileroom.{room}") for room in rooms}),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(version=version, places=PLACES, static=self.assets.url)

    def page(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        """A whole page, or the part of one that a template without the layout makes."""
        text = self._environment.get_template(template).render(here=request.path, **values)
        return Response(status, list(PAGE_HEADERS), [text.encode()])

    def tell(self, request: Request, error: errors.FileroomError) -> Response:
        """What went wrong, as a page to a browser that asked for one, else as JSON."""
        if not _wants_page(request):
            return error_response(error)
        status = error_status(error)
        return self.page(request, "web/error.html", status=status, error=error, code=status)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.path.startswith("/dicomweb/")


def form(request: Request) -> Mapping[str, str]:
    """The fields of a posted form; of a name that comes twice the last counts. Raises BadRequest, TooLarge."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise errors.BadRequest("a form was expected", hint="send application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(request.content(FORM_BYTES_MAX).decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise errors.BadRequest("the form cannot be read: not UTF-8, or too many fields") from error
    return dict(pairs)


def see_other(path: str) -> Response:
    """The answer to a form that was carried out: look there now (so that loading again does not do it again)."""
    return Response(303, [("location", path), ("cache-control", "no-store")])
