"""While nobody can sign in yet, only this machine is served.

A loopback peer address alone does not show that: a proxy on this machine speaks for others, and a page in this
machine's browser may have had its own name pointed here (DNS rebinding). So the Host header must name this machine and
no header may say that the request was forwarded.
"""

from __future__ import annotations

import re

from fileroom import errors
from fileroom.settings import is_loopback_address
from fileroom.web.http import Handler, Request, Response

_HOST = re.compile(r"(?:localhost|127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_FORWARDED = frozenset(
    (
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-proxyuser-ip",
        "x-host",
        "x-remote-ip",
        "x-remote-addr",
        "x-azure-clientip",
        "cf-connecting-ip",
        "true-client-ip",
        "fastly-client-ip",
        "fly-client-ip",
    )
)
_FORWARDED_STARTS = ("x-forwarded", "x_forwarded", "x-original-", "x-envoy-", "x-arr-")
_HINT = "Fileroom has no sign-in yet, so it answers this machine only: use http://127.0.0.1 or http://localhost here"


class LoopbackOnly:
    """Answers through `app` what certainly comes from this machine, and refuses everything else (Forbidden)."""

    def __init__(self, app: Handler) -> None:
        self._app = app

    def __call__(self, request: Request) -> Response:
        """The answer of `app`. Raises Forbidden."""
        check_loopback(request)
        return self._app(request)


def check_loopback(request: Request) -> None:
    """Raise Forbidden unless peer address and Host header are loopback and nothing forwarded the request."""
    if not is_loopback_address(request.client[0]):
        raise errors.Forbidden("this request comes from another machine", hint=_HINT)
    headers = request.headers
    if _HOST.fullmatch(headers.get("host", "")) is None:
        raise errors.Forbidden("this request's Host header does not name this machine", hint=_HINT)
    for name in headers:
        if name in _FORWARDED or name.startswith(_FORWARDED_STARTS):
            raise errors.Forbidden(f"this request came through a proxy (header {name})", hint=_HINT)
