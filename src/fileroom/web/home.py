"""The plain page at `/`: what is here and how to send to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jinja2

from fileroom.web.assets import Assets
from fileroom.web.http import Request, Response
from fileroom.web.router import Router

# What every page may do: load our own styles, scripts and pictures, and nothing from or to anywhere else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says."""

    version: str
    web_url: str  # http://127.0.0.1:8080, without a slash at the end
    dicom_host: str
    dicom_port: int
    ae_title: str
    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int  # of all that is kept
    waiting: int  # conflicting or held objects that wait for a person


class Home:
    """The handler of `GET /`. `facts` is asked once a request."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("fileroom.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["size"] = size_text
        environment.filters["count"] = lambda number: f"{number:,}"
        self._template = environment.get_template("home.html")
        self._assets = Assets()

    def add_routes(self, router: Router) -> None:
        """Have the router send the page and its files here."""
        router.add("GET", "/", self.page)
        router.add("GET", "/static/{name}", self._assets)

    def page(self, request: Request) -> Response:
        """The page. Raises DatabaseUnavailable when the counts cannot be read."""
        return Response(200, list(PAGE_HEADERS), [self._template.render(facts=self._facts()).encode()])


def size_text(size_bytes: int) -> str:
    """A size for people: decimal units, three digits."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 999.5:
            return f"{size:.3g} {unit}" if unit != "bytes" else f"{size_bytes} bytes"
        size /= 1000
    return f"{size:,.1f} PB"
