"""A request's head has one meaning or is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.web.head import CHUNKED, BadHead, Head, Heads, parse_head
from fileroom.web.limits import Limits


def head(request_line: str = "GET / HTTP/1.1", *headers: str, host: str = "localhost") -> Head:
    lines = [request_line, f"Host: {host}", *headers, "", ""] if host else [request_line, *headers, "", ""]
    return parse_head("\r\n".join(lines).encode("latin-1"), Limits())


def refused(data: bytes, limits: Limits | None = None) -> int:
    with pytest.raises(BadHead) as caught:
        parse_head(data, limits or Limits())
    return caught.value.status


def test_a_plain_request_is_read() -> None:
    found = head("GET /dicomweb/studies?limit=3 HTTP/1.1", "ACCEPT:  text/html \t", "X-A: 1", "x-a: 2")
    assert (found.method, found.path, found.query) == ("GET", "/dicomweb/studies", "limit=3")
    assert found.headers == {"host": "localhost", "accept": "text/html", "x-a": "1, 2"}
    assert found.keep_alive
    assert found.body_length == 0


@pytest.mark.parametrize(
    "framing",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 5"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5 5"],
        ["Content-Length:"],
        ["Content-Length: 99999999999999999999999"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        ["Transfer-Encoding:\x0bchunked"],
        ["X: a", " Transfer-Encoding: chunked"],
        ["Content-Length: 5\nTransfer-Encoding: chunked"],
        ["Content-Length: 5\rTransfer-Encoding: chunked"],
    ],
)
def test_a_body_that_could_end_in_two_places_is_refused(framing: list[str]) -> None:
    lines = ["POST / HTTP/1.1", "Host: localhost", *framing, "", ""]
    assert refused("\r\n".join(lines).encode()) == 400


def test_chunked_in_http_1_0_is_refused() -> None:
    assert refused(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400


def test_one_clear_framing_is_taken() -> None:
    assert head("POST / HTTP/1.1", "Content-Length: 0012").body_length == 12
    assert head("POST / HTTP/1.1", "Transfer-Encoding: Chunked").body_length == CHUNKED


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501),
        (b"PRI * HTTP/2.0\r\n\r\n", 400),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://user@a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /a%0d%0ab HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /%c3%28 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
    ],
)
def test_what_is_not_a_request_for_this_server_is_refused(data: bytes, status: int) -> None:
    assert refused(data) == status


def test_the_path_is_decoded_once() -> None:
    found = head("GET /a%20b/%2541 HTTP/1.1")
    assert found.path == "/a b/%41"
    assert found.raw_path == "/a%20b/%2541"


def test_an_absolute_target_names_the_host_and_may_not_contradict_the_header() -> None:
    found = head("GET http://localhost:8080/a?b=c HTTP/1.1", host="LOCALHOST:8080")
    assert (found.path, found.query, found.headers["host"]) == ("/a", "b=c", "localhost:8080")
    assert head("GET http://localhost HTTP/1.1").path == "/"
    assert refused(b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: evil.example\r\n\r\n") == 400


def test_bounds_on_headers_target_and_body() -> None:
    many = b"".join(b"x%d: 1\r\n" % n for n in range(101))
    assert refused(b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n") == 431
    assert refused(b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\nHost: a\r\n\r\n") == 414
    assert refused(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", Limits(body_bytes_max=10)) == 413


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "Keep-Alive, Close", False),
        ("1.0", "", False),
        ("1.0", "keep-alive", True),
        ("1.0", "x, Keep-Alive", True),
    ],
)
def test_how_long_a_connection_lives(version: str, connection: str, kept: bool) -> None:
    headers = [f"Connection: {connection}"] if connection else []
    assert head(f"GET / HTTP/{version}", *headers).keep_alive is kept


def test_upgrades_are_not_offered_and_do_not_disturb() -> None:
    found = head("GET / HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA")
    assert found.path == "/"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    for text in (data, b"GET / HTTP/1.1\r\n" + data + b"\r\n\r\n", b"GET /" + data + b" HTTP/1.1\r\nHost: a\r\n\r\n"):
        try:
            found = parse_head(text, Limits())
        except BadHead:
            continue
        assert found.path.startswith("/")
        assert not any(ord(character) < 32 for character in found.path)


_BLOCKS = (
    b"Host: localhost\r\n\r\n",
    b"Host: localhost\r\nAccept: */*\r\n\r\n",
    b"Host: localhost\r\nConnection: close\r\n\r\n",
    b"Host: localhost\r\nContent-Length: 5\r\n\r\n",
    b"Host: localhost\r\nExpect: 100-continue\r\n\r\n",
    b"Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"Host: localhost\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    b"\r\n",
)
_LINES = st.one_of(
    st.sampled_from([b"GET / HTTP/1.1", b"HEAD /a%2Fb?c HTTP/1.1", b"GET / HTTP/1.0", b"POST / HTTP/1.1"]),
    st.sampled_from([b"GET http://other/ HTTP/1.1", b"GET /%zz HTTP/1.1", b"GET /#a HTTP/1.1", b"OPTIONS * HTTP/1.1"]),
    st.binary(max_size=12).map(lambda some: b"GET /" + some.replace(b"\r\n", b"") + b" HTTP/1.1"),
    st.integers(0, 255).map(lambda one: b"GET /" + bytes([one]) + b" HTTP/1.1"),
)


def _said(parse: Callable[[bytes], Head], data: bytes) -> Head | int:
    try:
        return parse(data)
    except BadHead as error:
        return error.status


@given(st.lists(st.tuples(_LINES, st.sampled_from(_BLOCKS)), max_size=8))
def test_a_head_means_the_same_whatever_came_before_it_on_its_connection(requests: list[tuple[bytes, bytes]]) -> None:
    heads = Heads(Limits())
    for line, block in requests:
        data = line + b"\r\n" + block
        assert _said(heads.parse, data) == _said(lambda alone: parse_head(alone, Limits()), data)


def test_a_target_over_the_bound_is_refused_behind_known_headers_too() -> None:
    heads = Heads(Limits(target_bytes_max=20))
    assert heads.parse(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").path == "/"
    assert _said(heads.parse, b"GET /" + b"a" * 20 + b" HTTP/1.1\r\nHost: a\r\n\r\n") == 414
