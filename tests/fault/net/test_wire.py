"""One connection: waits that end, bytes that go where they should."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom.net.failure import ConnectionLost, PeerTooSlow
from fileroom.net.wire import BUFFER_BYTES, Wire
from tests.support.doors import IMPATIENT


@pytest.fixture
def pair() -> Iterator[tuple[Wire, socket.socket]]:
    """A wire and the socket at its other end, over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname())
        near, _ = listener.accept()
    wire = Wire(near, IMPATIENT)
    wire.expect(1.0, "a test")
    yield wire, far
    wire.close()
    far.close()


def test_a_peer_that_does_not_read_is_given_up(pair: tuple[Wire, socket.socket]) -> None:
    begin = time.monotonic()
    with pytest.raises(PeerTooSlow, match="does not read"):
        pair[0].send(bytes(64 << 20))
    assert time.monotonic() - begin < 2.5


def test_a_peer_that_does_not_read_a_file_is_given_up(pair: tuple[Wire, socket.socket], tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb+") as file:
        file.truncate(1 << 23)
        begin = time.monotonic()
        with pytest.raises(PeerTooSlow, match="does not read"):
            pair[0].send_file(file.fileno(), 0, 1 << 23)
    assert time.monotonic() - begin < 2.5


def test_a_wait_ends_at_its_bound_and_says_for_what(pair: tuple[Wire, socket.socket]) -> None:
    pair[0].expect(0.2, "a word")
    with pytest.raises(PeerTooSlow, match="a word did not come in time"):
        pair[0].take(1)


def test_another_thread_can_end_a_wait(pair: tuple[Wire, socket.socket]) -> None:
    threading.Timer(0.1, pair[0].wake).start()
    with pytest.raises(ConnectionLost):
        pair[0].take(1)


@pytest.mark.parametrize("size", [1, 6, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 300_000])
def test_what_is_sent_is_what_is_read_however_it_is_read(pair: tuple[Wire, socket.socket], size: int) -> None:
    wire, far = pair
    data = os.urandom(size)
    message = struct.pack(">I", size) + data + struct.pack(">I", size) + data + b"end"
    sender = threading.Thread(target=far.sendall, args=(message,))
    sender.start()
    (announced,) = wire.unpack(struct.Struct(">I"))
    assert wire.take(announced) == data
    (announced,) = wire.unpack(struct.Struct(">I"))
    place = bytearray(announced)
    wire.read_into(memoryview(place))
    assert place == data
    assert wire.take(3) == b"end"
    assert not wire.readable()
    sender.join()


def test_memory_is_taken_as_bytes_come_not_as_they_are_announced(pair: tuple[Wire, socket.socket]) -> None:
    wire, far = pair
    far.sendall(bytes(1000))
    tracemalloc.start()
    wire.expect(0.2, "the rest")
    with pytest.raises(PeerTooSlow):
        wire.take(1 << 30)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_last_words_reach_a_peer_that_is_still_sending(pair: tuple[Wire, socket.socket]) -> None:
    """Closing with unread bytes would reset the connection, and the peer would never read why."""
    wire, far = pair
    far.sendall(bytes(500_000))
    threading.Thread(target=wire.finish, args=(b"because", 1.0)).start()
    far.settimeout(2)
    assert far.recv(100) == b"because"
