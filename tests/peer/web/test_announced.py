"""Responses whose parts are made while they are sent: the length is said first, and kept or the connection breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from fileroom.web.http import Part, Request, Response
from tests.support.web import GET, RawClient, serving


class Parts:
    """Pieces made one by one; `closed` is set once the server ended them."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = iter(pieces)
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Part]:
        return self._pieces

    def close(self) -> None:
        self.closed.set()


def test_parts_that_come_to_what_was_said_are_sent_with_their_length() -> None:
    parts = Parts(b"a" * 300_000, b"", b"b" * 10)
    with serving(lambda request: Response(200, [], parts, 300_010)) as server, RawClient(server) as client:
        answer = client.ask()
        assert (answer.headers["content-length"], answer.body) == ("300010", b"a" * 300_000 + b"b" * 10)
        assert "transfer-encoding" not in answer.headers
        assert parts.closed.wait(10)


def test_the_connection_serves_the_next_request_after_them() -> None:
    def app(request: Request) -> Response:
        return Response(200, [], iter([b"ab", b"c"]), 3)

    with serving(app) as server, RawClient(server) as client:
        assert [client.ask().body for _ in range(3)] == [b"abc"] * 3


@pytest.mark.parametrize("pieces", [(b"too", b"few"), (b"too", b"many", b"bytes for it")])
def test_another_sum_breaks_the_connection_instead_of_passing_for_the_whole(pieces: tuple[bytes, ...]) -> None:
    parts = Parts(*pieces)
    with serving(lambda request: Response(200, [], parts, 10)) as server, RawClient(server) as client:
        with pytest.raises((EOFError, ConnectionError)):
            client.ask()
        assert parts.closed.wait(10)


def test_head_says_the_length_and_makes_nothing() -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("a HEAD request had its body made")
        yield b""

    with serving(lambda request: Response(200, [], never(), 10)) as server, RawClient(server) as client:
        answer = client.ask(GET.replace(b"GET", b"HEAD"), head=True)
        assert (answer.status, answer.headers["content-length"]) == (200, "10")
