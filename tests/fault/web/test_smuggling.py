"""Nothing hidden in one request is taken for another: what has two meanings is refused and ends the connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fileroom.web.http import Request, Response
from fileroom.web.limits import Limits
from fileroom.web.server import WebServer
from tests.support.web import GET, RawClient, serving

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def server(seen: list[str]) -> Iterator[WebServer]:
    def app(request: Request) -> Response:
        seen.append(request.path)
        if request.path == "/ignore":
            return Response.text("not read")
        total = 0
        while piece := request.body.read():
            total += len(piece)
        return Response.text(str(total))

    with serving(app, Limits(body_bytes_max=1_000_000, linger_seconds=0.2)) as running:
        yield running


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 0\r\n",
        b"Content-Length: 4\r\n Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b"Transfer-Encoding: \x00chunked\r\n",
        b"Content-Length: 4\nX: y\r\n",
        b"X: y\rContent-Length: 4\r\n",
    ],
)
def test_two_framings_are_none(server: WebServer, seen: list[str], head: bytes) -> None:
    with RawClient(server) as client:
        answer = client.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n0\r\n\r\n" + HIDDEN)
        assert answer.status == 400
        assert answer.headers["connection"] == "close"
        assert client.is_closed()
    assert seen == []


@pytest.mark.parametrize("path", [b"/", b"/ignore"])
@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"+5\r\nabcde\r\n0\r\n\r\n",
        b"0x5\r\nabcde\r\n0\r\n\r\n",
        b"5 \r\nabcde\r\n0\r\n\r\n",
        b" 5\r\nabcde\r\n0\r\n\r\n",
        b"5\nabcde\r\n0\r\n\r\n",
        b"5;a\nb\r\nabcde\r\n0\r\n\r\n",
        b"5\r\nabcdeXX0\r\n\r\n",
        b"5\r\nabcde\n0\r\n\r\n",
        b"5\r\nabcdef\r\n0\r\n\r\n",
        b"\r\n",
        b"ffffffffffffffffffff\r\n",
        b"fffffffff\r\nabc",
        b"1" * 5000,
        b"5;" + b"x" * 5000 + b"\r\nabcde\r\n0\r\n\r\n",
        b"0\r\nX: y\n\r\n\r\n",
        b"0\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 2000 + b"\r\n",
    ],
)
def test_chunks_that_lie_end_the_connection(server: WebServer, seen: list[str], chunks: bytes, path: bytes) -> None:
    with RawClient(server) as client:
        client.send(b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(chunks + HIDDEN)
        answer = client.answer()
        assert answer.status == (200 if path == b"/ignore" else 413 if chunks.startswith(b"fffffffff\r") else 400)
        assert client.is_closed()
    assert "/hidden" not in seen


def test_a_body_is_never_run_as_a_request(server: WebServer, seen: list[str]) -> None:
    with RawClient(server) as client:
        for head in (b"Content-Length: %d\r\n\r\n" % len(HIDDEN), b"Transfer-Encoding: chunked\r\n\r\n"):
            body = HIDDEN if b"Length" in head else b"%x\r\n%b\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
            for path in (b"/", b"/ignore"):
                assert client.ask(b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + head + body).status == 200
        assert client.ask(GET).status == 200
    assert "/hidden" not in seen


def test_trailers_change_nothing(server: WebServer, seen: list[str]) -> None:
    with RawClient(server) as client:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert client.ask(head + b"3\r\nabc\r\n0\r\nContent-Length: 50\r\nHost: evil\r\n\r\n").body == b"3"
        assert client.ask(GET).status == 200
    assert seen == ["/", "/"]


def test_what_follows_a_refused_request_is_not_run(server: WebServer, seen: list[str]) -> None:
    for bad in (
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\n\nGET /",
    ):
        with RawClient(server) as client:
            client.send(bad + HIDDEN)
            assert client.answer().status in (400, 501)
            assert client.is_closed()
    assert seen == []


def test_what_follows_a_closing_request_is_not_run(server: WebServer, seen: list[str]) -> None:
    with RawClient(server) as client:
        client.send(GET[:-2] + b"Connection: close\r\n\r\n" + HIDDEN)
        assert client.answer().status == 200
        assert client.is_closed()
    assert seen == ["/"]


def test_a_body_cut_short_is_an_error_and_not_a_short_body(server: WebServer) -> None:
    for head in (b"Content-Length: 10\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\na\r\nabc"):
        with RawClient(server) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + head)
            client.sock.shutdown(1)
            assert client.answer().status == 400
            assert client.is_closed()
