"""Bounds hold: sizes, counts, connections, and people who are slow on purpose; everyone else is still served."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fileroom.web.http import Request, Response
from fileroom.web.limits import Limits
from fileroom.web.server import WebServer
from tests.support.web import GET, Answer, RawClient, log_text, serving


class Zeros:
    """60 MB of an open file that holds nothing but a hole."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the range is
        self._file.truncate(60_000_000)
        self.fd, self.offset, self.length = self._file.fileno(), 0, 60_000_000


def app(request: Request) -> Response:
    if request.path == "/file":
        return Response(200, [], [Zeros()])
    if request.path == "/big":
        return Response(200, [], [b"x" * 1_000_000] * 60)
    total = 0
    while piece := request.body.read():
        total += len(piece)
    return Response.text(str(total))


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


def test_a_long_target_and_long_headers_are_refused() -> None:
    with serving(app) as server:
        for data, status in (
            (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            (b"GET /" + b"a" * 200_000, 414),
            (GET[:-2] + b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
            (GET[:-2] + b"X: y\r\n" * 101 + b"\r\n", 431),
            (GET[:-2] + b"X: y\r\n" * 20_000, 431),
        ):
            with RawClient(server) as client:
                assert client.ask(data).status == status
                assert client.is_closed()


def test_a_body_over_the_bound_is_refused_before_or_while_it_comes() -> None:
    with serving(app, Limits(body_bytes_max=100_000)) as server:
        with RawClient(server) as client:
            head = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
            assert client.ask(head + b"Content-Length: 100001\r\n\r\n").status == 413
            assert client.is_closed()
        with RawClient(server) as client:
            chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
            assert client.ask(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4 + b"0\r\n\r\n").status == 413
        with RawClient(server) as client:
            assert client.ask(head + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000).body == b"100000"


def test_headers_that_dribble_in_are_given_up() -> None:
    with serving(app, Limits(head_seconds=0.4, idle_seconds=5, linger_seconds=0.1)) as server:
        with RawClient(server) as client:
            begin = time.monotonic()
            stop = threading.Event()

            def dribble() -> None:
                try:
                    for byte in GET[:-4] + b"\r\nX: " + b"a" * 1000:
                        if stop.wait(0.05):
                            return
                        client.send(bytes([byte]))
                except OSError:
                    return

            thread = threading.Thread(target=dribble)
            thread.start()
            with RawClient(server) as other:
                assert other.ask().status == 200
            assert client.answer().status == 408
            assert time.monotonic() - begin < 6
            stop.set()
            thread.join()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_stands_still_or_dribbles_is_given_up(chunked: bool) -> None:
    framing = b"Transfer-Encoding: chunked\r\n\r\n40000\r\n" if chunked else b"Content-Length: 262144\r\n\r\n"
    with serving(app, Limits(stall_seconds=0.4, rate_bytes_min=1000, linger_seconds=0.1)) as server:
        with RawClient(server) as still, RawClient(server) as slow:
            for client in (still, slow):
                client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + framing)
            begin = time.monotonic()
            gone = False
            while not gone and time.monotonic() - begin < 3:
                try:
                    slow.send(b"x")
                except OSError:
                    gone = True
                time.sleep(0.02)
            assert gone
            assert still.answer().status == 408
        assert eventually(lambda: server.connections == 0)


@pytest.mark.parametrize("path", [b"/big ", b"/file "])
def test_a_reader_that_stands_still_is_given_up(path: bytes) -> None:
    with serving(app, Limits(stall_seconds=0.3)) as server:
        with RawClient(server, receive_buffer=4096) as client:
            client.send(GET.replace(b"/ ", path, 1))
            assert eventually(lambda: server.connections == 1)
            assert eventually(lambda: server.connections == 0)
            with pytest.raises((EOFError, ConnectionError)):
                client.exactly(60_000_000)


def test_a_reader_that_sips_is_given_up() -> None:
    with serving(app, Limits(stall_seconds=0.3, rate_bytes_min=50_000_000)) as server:
        with RawClient(server, receive_buffer=4096) as client:
            client.send(GET.replace(b"/ ", b"/big ", 1))
            begin = time.monotonic()
            gone = False
            while not gone and time.monotonic() - begin < 5:
                try:
                    gone = not client.sock.recv(100)
                except ConnectionError:
                    gone = True
                time.sleep(0.005)
            assert gone


def test_an_idle_connection_is_closed_without_a_word() -> None:
    with serving(app, Limits(idle_seconds=0.2)) as server, RawClient(server) as client:
        assert client.ask().status == 200
        assert client.is_closed()


def test_slow_handlers_are_not_taken_for_slow_clients() -> None:
    def thinks(request: Request) -> Response:
        time.sleep(0.5)
        return app(request)

    with serving(thinks, Limits(stall_seconds=0.2, rate_bytes_min=1_000_000)) as server, RawClient(server) as client:
        body = b"x" * 10_000
        assert (
            client.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n" + body).body == b"10000"
        )


@pytest.mark.parametrize("limits", [Limits(connections_max=8), Limits(connections_per_address_max=8)])
def test_idle_connections_keep_nobody_out_and_those_at_work_stay(limits: Limits) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        if request.path == "/slow":
            asked.set()
            go_on.wait(10)
        return Response.text("here")

    with serving(slow, replace(limits, spare_seconds=0.2)) as server:
        at_work, *idle = [RawClient(server) for _ in range(8)]
        at_work.send(GET.replace(b"/ ", b"/slow ", 1))
        assert asked.wait(5)
        for client in idle[1:4]:
            assert client.ask().status == 200
        time.sleep(0.3)
        assert idle[-1].ask().status == 200  # so it is not the longest idle one
        for _ in range(5):
            with RawClient(server) as honest:
                assert honest.ask().status == 200
                assert server.connections <= 8
        assert idle[0].is_closed(), "it never asked anything"
        assert idle[-1].ask().status == 200
        go_on.set()
        assert at_work.answer().body == b"here"
        for client in (at_work, *idle):
            client.sock.close()
        assert eventually(lambda: server.connections == 0)


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(connections_max=3), b"too many connections"),
        (Limits(connections_per_address_max=3), b"connections from this address"),
    ],
)
def test_one_connection_too_many_is_told_so(limits: Limits, what: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with serving(app, limits) as server:
        clients = [RawClient(server) for _ in range(3)]
        for client in clients:
            assert client.ask().status == 200
        with RawClient(server) as late:
            answer: Answer = late.ask()
            assert answer.status == 503
            assert what in answer.body
            assert answer.headers["retry-after"] == "2"
            assert late.is_closed()
        assert clients[0].ask().status == 200
        clients.pop().sock.close()
        assert eventually(lambda: server.connections == 2)
        with RawClient(server) as client:
            assert client.ask().status == 200
        for client in clients:
            client.sock.close()
    assert "connections refused count=1 client=127.0.0.1" in log_text(caplog)


def test_a_crowd_at_the_door_does_not_stop_those_inside() -> None:
    with serving(app, Limits(connections_max=2)) as server, RawClient(server) as inside:
        assert inside.ask().status == 200
        crowd = [socket.create_connection(server.address) for _ in range(60)]
        begin = time.monotonic()
        for _ in range(20):
            assert inside.ask().status == 200
        assert time.monotonic() - begin < 6
        for sock in crowd:
            sock.close()

        def is_let_in() -> bool:
            with RawClient(server) as client:
                return client.ask().status == 200

        assert eventually(is_let_in)


def test_connections_opened_and_dropped_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), serving(app) as server:
        for number in range(100):
            sock = socket.create_connection(server.address)
            if number % 3 == 1:
                sock.send(b"GET / HT")
            if number % 3 == 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            sock.close()
        assert eventually(lambda: server.connections == 0)
        with RawClient(server) as client:
            assert client.ask().status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_is_bounded_while_many_upload() -> None:
    """Eight uploads of 64 MB each are read through and never gathered."""
    begin = resident_bytes()
    peak = 0

    def watch(request: Request) -> Response:
        nonlocal peak
        total = 0
        while piece := request.body.read(262144):
            total += len(piece)
            if total % (8 << 20) < len(piece):
                peak = max(peak, resident_bytes() - begin)
        return Response.text(str(total))

    with serving(watch) as server:
        done: list[bytes] = []

        def upload() -> None:
            with RawClient(server) as client:
                client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
                block = bytes(1 << 20)
                for _ in range(64):
                    client.send(block)
                done.append(client.answer().body)

        threads = [threading.Thread(target=upload) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert done == [b"%d" % (64 << 20)] * 8
    assert peak < 64 << 20


def test_the_server_needs_no_body_to_say_no(caplog: pytest.LogCaptureFixture) -> None:
    """A huge announced body that nobody reads is not waited for."""
    with serving(lambda _: Response.text("no", 415), Limits(linger_seconds=0.2)) as server:
        with RawClient(server) as client:
            begin = time.monotonic()
            answer = client.ask(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 1000
            )
            assert (answer.status, answer.headers["connection"]) == (415, "close")
            assert client.is_closed()
            assert time.monotonic() - begin < 6
    assert WebServer(("127.0.0.1", 0), app).stop() is True
