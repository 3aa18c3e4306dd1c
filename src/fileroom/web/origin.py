"""No page of another site changes anything here through a browser that may reach us."""

from __future__ import annotations

from fileroom import errors
from fileroom.web.http import Handler, Request, Response

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOriginWrites:
    """Answers through `app`; a write that a browser says began on another origin is refused (Forbidden).

    Programs send neither header and pass. Browsers cannot be made to leave them out of a cross-origin write.
    """

    def __init__(self, app: Handler) -> None:
        self._app = app

    def __call__(self, request: Request) -> Response:
        """The answer of `app`. Raises Forbidden."""
        if request.method not in _SAFE:
            check_origin(request)
        return self._app(request)


def check_origin(request: Request) -> None:
    """Raise Forbidden when Origin or Sec-Fetch-Site say that the request began elsewhere."""
    headers = request.headers
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    here = headers.get("host", "").lower()
    if site is not None and site.lower() not in ("same-origin", "none"):
        raise errors.Forbidden("a page of another site may not write here (Sec-Fetch-Site)")
    if origin is not None and origin.lower() not in (f"http://{here}", f"https://{here}"):
        raise errors.Forbidden("a page of another origin may not write here (Origin)")
