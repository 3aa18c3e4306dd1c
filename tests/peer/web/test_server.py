"""The server answers real sockets and curl: framing, files, big bodies both ways, and it stays in step."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fileroom import errors
from fileroom.web.http import Request, Response
from fileroom.web.limits import Limits
from fileroom.web.router import Router
from fileroom.web.server import WebServer
from tests.support.web import GET, RawClient, log_text, serving

BIG = 40_000_000


@dataclass
class Range:
    """A byte range of an open file."""

    fd: int
    offset: int
    length: int


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bytes, int]]:
    content = os.urandom(1 << 20) * (BIG >> 20) + b"the end"
    path = tmp_path_factory.mktemp("big") / "file"
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    yield content, fd
    os.close(fd)


def digest(request: Request) -> Response:
    """Hash the body as it comes."""
    sha, total = hashlib.sha256(), 0
    while piece := request.body.read(262144):
        sha.update(piece)
        total += len(piece)
    return Response.json([total, sha.hexdigest()])


def echo(request: Request) -> Response:
    return Response(200, [], [request.content(1 << 20)])


@pytest.fixture(scope="module")
def server(big: tuple[bytes, int]) -> Iterator[WebServer]:
    content, fd = big

    def mixed(_: Request) -> Response:
        return Response(200, [], [b"a" * 10, Range(fd, 5, 100), b"b" * 300_000, Range(fd, 7, 1_000_000), b"c"])

    def stream(_: Request) -> Response:
        return Response(200, [], iter([b"a" * 10, b"", Range(fd, 5, 100), b"b" * 300_000, Range(fd, 7, 1_000_000)]))

    def fault(_: Request) -> Response:
        raise KeyError("DOE^JANE")

    def half(_: Request) -> Iterator[bytes]:
        yield b"x" * 100_000
        raise errors.DamagedPack("the pack is damaged")

    def none_yet(_: Request) -> Iterator[bytes]:
        yield b"x"
        raise errors.NotFound("gone")

    router = Router()
    router.add("GET", "/", lambda _: Response.text("hello"))
    router.add("POST", "/echo", echo)
    router.add("POST", "/digest", digest)
    router.add("POST", "/unread", lambda _: Response.text("no thanks", 400))
    router.add("GET", "/big", lambda _: Response(200, [], [Range(fd, 0, len(content))]))
    router.add("GET", "/mixed", mixed)
    router.add("GET", "/stream", stream)
    router.add("GET", "/empty", lambda _: Response(204))
    router.add("GET", "/same", lambda _: Response(304, [("etag", '"x"')], [b"ignored"]))
    router.add("GET", "/fault", fault)
    router.add("GET", "/half", lambda request: Response(200, [], half(request)))
    router.add("GET", "/short", lambda _: Response(200, [], [Range(fd, len(content) - 10, 50_000)]))
    router.add("GET", "/none-yet", lambda request: Response(200, [], none_yet(request)))
    router.add("GET", "/bad-header", lambda _: Response(200, [("x-a", "1\r\nset-cookie: a=b")], []))
    with serving(router) as running:
        yield running


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(path: str, *chunks: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x;note=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nX: y\r\n\r\n"


def test_one_connection_serves_many_requests(server: WebServer) -> None:
    with RawClient(server) as client:
        for _ in range(3):
            assert client.ask(GET).body == b"hello"
            assert client.ask(post("/echo", b"abc")).body == b"abc"
            assert client.ask(chunked("/echo", b"a", b"b" * 70_000, b"c")).body == b"a" + b"b" * 70_000 + b"c"
            assert client.ask(get("/nothing")).status == 404
            assert client.ask(get("/empty")).status == 204
            assert client.ask(get("/same")).headers["etag"] == '"x"'


def test_head_has_the_headers_of_get_and_no_body(server: WebServer, big: tuple[bytes, int]) -> None:
    with RawClient(server) as client:
        answer = client.ask(b"HEAD /big HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True)
        assert answer.headers["content-length"] == str(len(big[0]))
        assert client.ask(b"HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n", head=True).status == 200
        assert client.ask(GET).body == b"hello"


def test_every_response_carries_the_standing_headers(server: WebServer) -> None:
    with RawClient(server) as client:
        headers = client.ask(GET).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["date"].endswith(" GMT")
        assert "connection" not in headers


def test_pipelined_requests_are_answered_in_order(server: WebServer) -> None:
    requests = [
        post("/echo", b"%d" % number) if number % 2 else chunked("/echo", b"%d" % number) for number in range(50)
    ]
    with RawClient(server) as client:
        client.send(b"".join(requests))
        assert [client.answer().body for _ in requests] == [b"%d" % number for number in range(50)]


def test_a_request_may_come_byte_by_byte(server: WebServer) -> None:
    with RawClient(server) as client:
        for byte in b"\r\n" + post("/echo", b"xyz"):
            client.send(bytes([byte]))
        assert client.answer().body == b"xyz"


def test_files_and_bytes_mix_with_a_known_length_and_chunked(server: WebServer, big: tuple[bytes, int]) -> None:
    content = big[0]
    wanted = b"a" * 10 + content[5:105] + b"b" * 300_000 + content[7:1_000_007]
    with RawClient(server) as client:
        known = client.ask(get("/mixed"))
        assert known.body == wanted + b"c"
        assert "transfer-encoding" not in known.headers
        streamed = client.ask(get("/stream"))
        assert streamed.body == wanted
        assert "content-length" not in streamed.headers


def test_http_1_0_gets_no_chunks(server: WebServer, big: tuple[bytes, int]) -> None:
    with RawClient(server) as client:
        answer = client.ask(b"GET /stream HTTP/1.0\r\n\r\n")
        assert len(answer.body) == 1_300_110
        assert answer.headers["connection"] == "close"
    with RawClient(server) as client:
        assert client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").headers["connection"] == "keep-alive"
        assert client.ask(b"GET / HTTP/1.0\r\n\r\n").body == b"hello"
        assert client.is_closed()


def test_a_big_file_goes_out_whole_to_a_slow_and_to_a_quick_reader(server: WebServer, big: tuple[bytes, int]) -> None:
    for receive_buffer in (0, 8192):
        with RawClient(server, receive_buffer=receive_buffer) as client:
            assert hashlib.sha256(client.ask(get("/big")).body).digest() == hashlib.sha256(big[0]).digest()
            assert client.ask(GET).body == b"hello"


def test_a_file_that_sendfile_cannot_read_is_copied() -> None:
    """Files of the proc file system have no pages to send."""
    path = Path("/proc/kallsyms")
    if not path.exists():
        pytest.skip("no such file in this kernel")
    content = path.read_bytes()[:2_000_000]
    fd = os.open(path, os.O_RDONLY)
    with pytest.raises(OSError, match="Invalid argument"):
        os.sendfile(os.open("/dev/null", os.O_WRONLY), fd, 0, 100)
    with serving(lambda _: Response(200, [], [Range(fd, 0, len(content))])) as server, RawClient(server) as client:
        assert client.ask().body == content
    os.close(fd)


def test_curl_uploads_with_and_without_a_length_and_waits_to_be_invited(
    server: WebServer, big: tuple[bytes, int], tmp_path: Path
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(big[0])
    wanted = f'[{len(big[0])},"{hashlib.sha256(big[0]).hexdigest()}"]'
    url = f"http://127.0.0.1:{server.address[1]}/digest"
    for extra in (["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"], ["--http1.0", "-H", "Expect:"]):
        command = ["curl", "-sv", "-X", "POST", *extra, "-T", str(path), url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout == wanted
        if "Expect: 100-continue" in extra:
            assert "HTTP/1.1 100 Continue" in done.stderr


def test_nobody_is_invited_to_send_a_body_that_is_not_wanted(server: WebServer) -> None:
    with RawClient(server) as client:
        answer = client.ask(post("/unread", b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 9"))
        assert answer.status == 400
        assert answer.headers["connection"] == "close"
        assert client.is_closed()


def test_an_unread_body_is_read_over_or_ends_the_connection(server: WebServer) -> None:
    with RawClient(server) as client:
        assert client.ask(post("/unread", b"x" * 100_000)).status == 400
        assert client.ask(GET).body == b"hello"
        # Read over, never run: the body looks like a request.
        assert client.ask(post("/unread", GET)).status == 400
        assert client.ask(chunked("/unread", GET, GET)).status == 400
        assert client.ask(GET).body == b"hello"
        client.send(
            post("/unread", b"")[:-4].replace(b"Length: 0", b"Length: 900000000") + b"\r\n\r\n" + b"x" * 500_000
        )
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert client.is_closed()


def test_a_half_closed_client_still_gets_its_answer(server: WebServer) -> None:
    with RawClient(server) as client:
        client.send(get("/mixed") + post("/digest", b"abc"))
        client.sock.shutdown(socket.SHUT_WR)
        assert len(client.answer().body) == 1_300_111
        assert client.answer().body.startswith(b"[3,")
        assert client.is_closed()


def test_a_fault_costs_one_answer_and_names_no_patient_in_the_log(
    server: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "fileroom.web"), RawClient(server) as client:
        answer = client.ask(get("/fault?PatientName=DOE%5EJANE"))
        assert answer.status == 500
        assert client.ask(GET).body == b"hello"
    assert b"DOE" not in answer.body
    assert "KeyError" in log_text(caplog)
    assert "test_server.py" in log_text(caplog)
    assert "DOE" not in log_text(caplog)
    fault_id = answer.body.split(b"under ")[1][:12].decode()
    assert f"id={fault_id}" in log_text(caplog)


def test_the_log_has_paths_and_no_queries(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "fileroom.web"), RawClient(server) as client:
        client.ask(get("/mixed?PatientID=SYN-1"))
        client.ask(get("/patients/SYN-1"))
        client.ask(GET)
        client.ask(GET)
    assert "request method=GET path=/mixed status=200 bytes=1300" in log_text(caplog)
    assert "path=- status=404" in log_text(caplog)
    assert "SYN-1" not in log_text(caplog)


@pytest.mark.parametrize("path", ["/half", "/short"])
def test_an_answer_cut_short_cannot_pass_for_a_whole_one(
    server: WebServer, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with RawClient(server) as client:
        client.send(get(path))
        with pytest.raises((EOFError, ConnectionError)):
            client.answer()
    assert "Traceback" not in log_text(caplog)


def test_before_the_first_byte_an_error_still_gets_its_own_answer(server: WebServer) -> None:
    with RawClient(server) as client:
        assert client.ask(get("/none-yet")).status == 404
        assert client.ask(get("/bad-header")).status == 500
        assert client.ask(GET).body == b"hello"


def test_a_client_that_goes_away_is_no_error(server: WebServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fileroom.web"):
        for _ in range(5):
            client = RawClient(server, receive_buffer=4096)
            client.send(get("/big"))
            client.until(b"\r\n\r\n")
            client.sock.close()
        with RawClient(server) as client:
            assert client.ask(GET).body == b"hello"
        deadline = time.monotonic() + 5
        while server.connections and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not server.connections
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_many_clients_at_once(server: WebServer) -> None:
    bad: list[object] = []

    def ask(number: int) -> None:
        with RawClient(server) as client:
            for turn in range(40):
                body = b"%d:%d" % (number, turn)
                if client.ask(post("/echo", body)).body != body:
                    bad.append(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not bad


def test_a_taken_port_is_said_clearly(server: WebServer) -> None:
    with pytest.raises(errors.InUse, match="cannot listen for the web on 127"):
        WebServer(server.address, lambda _: Response()).start()


def test_ipv6_loopback() -> None:
    running = WebServer(("::1", 0), lambda request: Response.text(request.client[0]))
    try:
        running.start()
    except errors.BadSetting:
        pytest.skip("this machine has no IPv6 loopback")
    with socket.create_connection(running.address, timeout=5) as client:
        client.sendall(GET)
        assert client.recv(4096).endswith(b"::1")
    running.stop(1)


def test_stopping_lets_an_answer_finish_and_ends_idle_connections() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        if request.path == "/slow":
            inside.set()
            go_on.wait(5)
        return Response.text("done")

    running = WebServer(("127.0.0.1", 0), slow)
    running.start()
    idle, busy = RawClient(running), RawClient(running)
    assert idle.ask(GET).status == 200
    busy.send(get("/slow"))
    assert inside.wait(5)
    outcome: list[bool] = []
    stopper = threading.Thread(target=lambda: outcome.append(running.stop(5)))
    stopper.start()
    assert idle.is_closed()
    with pytest.raises(ConnectionError):
        RawClient(running)
    go_on.set()
    assert busy.answer().body == b"done"
    assert busy.is_closed()
    stopper.join()
    assert outcome == [True]


def test_stopping_cuts_what_does_not_end() -> None:
    def endless(_: Request) -> Response:
        return Response(200, [], (b"x" * 100_000 for _ in iter(int, 1)))

    running = WebServer(("127.0.0.1", 0), endless, Limits(stall_seconds=30))
    running.start()
    with RawClient(running) as client:
        client.send(GET)
        client.until(b"\r\n\r\n")
        begin = time.monotonic()
        assert running.stop(0.2) is False
        assert time.monotonic() - begin < 6
    assert running.connections == 0
