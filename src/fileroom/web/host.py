"""The Host header of clients that leave the port out of it (dicomweb-client is one): links need it.

Only what certainly came straight to this server may pass through here, so the port it came to is the one meant.
"""

from __future__ import annotations

from collections.abc import Callable

from fileroom.web.http import Handler, Request, Response

_DEFAULT_PORT = 80


class HostWithPort:
    """Answers through `app`, to which Host names the port always."""

    def __init__(self, app: Handler, port: Callable[[], int]) -> None:
        self._app = app
        self._port = port

    def __call__(self, request: Request) -> Response:
        """The answer of `app`."""
        host = request.headers.get("host", "")
        if host and ":" not in host.rpartition("]")[2] and (port := self._port()) != _DEFAULT_PORT:
            request = request._replace(headers={**request.headers, "host": f"{host}:{port}"})
        return self._app(request)
