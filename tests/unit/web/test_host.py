"""A Host header without a port gets the one the request came to."""

from __future__ import annotations

import pytest

from fileroom.web.host import HostWithPort
from fileroom.web.http import Request, Response
from tests.support.asking import NoBody


@pytest.mark.parametrize(
    ("sent", "port", "seen"),
    [
        ("127.0.0.1", 8080, "127.0.0.1:8080"),
        ("127.0.0.1:9", 8080, "127.0.0.1:9"),
        ("[::1]", 8080, "[::1]:8080"),
        ("[::1]:9", 8080, "[::1]:9"),
        ("localhost", 80, "localhost"),
        ("", 8080, ""),
    ],
)
def test_a_missing_port_is_filled_in(sent: str, port: int, seen: str) -> None:
    hosts: list[str] = []

    def app(request: Request) -> Response:
        hosts.append(request.headers["host"])
        return Response()

    HostWithPort(app, lambda: port)(Request("GET", "/", "", {"host": sent}, NoBody(), ("127.0.0.1", 1)))
    assert hosts == [seen]
