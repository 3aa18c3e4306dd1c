"""Our client against pynetdicom's and dcmtk's receivers."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.uid import UID
from pynetdicom import AE, evt

from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, JPEG_BASELINE
from fileroom.errors import PeerUnavailable
from fileroom.net.client import VERIFICATION, Client, Wish
from fileroom.net.failure import ConnectionLost, PeerAborted, PeerRefused, PeerTooSlow, Violation
from tests.support.archives import ct, encoded
from tests.support.doors import IMPATIENT

CT = "1.2.840.10008.5.1.4.1.1.2"
SIZES = (1, 2, 117, 118, 4000, 16_370, 16_371, 65_536, 262_138, 262_139, 1_000_003)


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of an open file."""

    fd: int
    offset: int
    length: int


class Receiver:
    """pynetdicom listening; keeps the digest of each dataset it gets."""

    def __init__(self, port: int, pdu_bytes_max: int = 16382) -> None:
        self.address = ("127.0.0.1", port)
        self.digests: list[str] = []
        self.status = 0x0000
        entity = AE(ae_title="RECEIVER")
        entity.maximum_pdu_size = pdu_bytes_max
        entity.require_called_aet = True
        entity.add_supported_context(UID(CT), [EXPLICIT_LE])
        entity.add_supported_context(UID(VERIFICATION))
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_C_ECHO, lambda event: 0x0000)]
        self._server = entity.start_server(self.address, block=False, evt_handlers=handlers)  # type: ignore[arg-type]

    def _store(self, event: evt.Event) -> int:
        self.digests.append(hashlib.sha256(event.request.DataSet.getvalue()).hexdigest())
        return self.status

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def receive(free_port: Callable[[], int]) -> Iterator[Callable[..., Receiver]]:
    """Call it for a running receiver."""
    started: list[Receiver] = []

    def start(pdu_bytes_max: int = 16382) -> Receiver:
        started.append(Receiver(free_port(), pdu_bytes_max))
        return started[-1]

    yield start
    for receiver in started:
        receiver.close()


WISHES = [Wish(VERIFICATION, (IMPLICIT_LE,)), Wish(CT, (JPEG_BASELINE,)), Wish(CT, (EXPLICIT_LE,))]


def _connect(receiver: Receiver) -> Client:
    return Client.connect(receiver.address, "US", "RECEIVER", WISHES)


def test_echo(receive: Callable[..., Receiver]) -> None:
    with _connect(receive()) as client:
        assert client.echo() == 0
        assert client.echo() == 0


@pytest.mark.parametrize("pdu_bytes_max", [0, 128, 16382, 60_000, 262_144], ids="pdu {}".format)
def test_every_byte_arrives_whatever_the_size(
    receive: Callable[..., Receiver], pdu_bytes_max: int, tmp_path: Path
) -> None:
    receiver = receive(pdu_bytes_max)
    sizes = SIZES if pdu_bytes_max != 128 else SIZES[:6]
    data = os.urandom(max(sizes) + 10)
    path = tmp_path / "data"
    path.write_bytes(data)
    with path.open("rb") as file, _connect(receiver) as client:
        context = client.context_for(CT, EXPLICIT_LE)
        assert context is not None
        for size in sizes:
            assert client.store(context, "1.2.3", Slice(file.fileno(), 7, size)).status == 0
            assert client.store(context, "1.2.3", data[7 : 7 + size]).status == 0
    expected = [hashlib.sha256(data[7 : 7 + size]).hexdigest() for size in sizes for _ in range(2)]
    assert receiver.digests == expected


def test_contexts_are_accepted_one_by_one(receive: Callable[..., Receiver]) -> None:
    with _connect(receive()) as client:
        assert client.context_for(CT, JPEG_BASELINE) is None
        assert len(client.contexts) == 2


@pytest.mark.parametrize(("status", "stored"), [(0x0000, True), (0xB007, True), (0xA700, False), (0xC000, False)])
def test_the_peers_status_is_told(receive: Callable[..., Receiver], status: int, stored: bool) -> None:
    receiver = receive()
    receiver.status = status
    with _connect(receiver) as client:
        context = client.context_for(CT, EXPLICIT_LE)
        assert context is not None
        answer = client.store(context, "1.2.3", b"\0\0")
    assert (answer.status, answer.stored) == (status, stored)


def test_a_file_shorter_than_recorded_ends_the_association_not_the_program(
    receive: Callable[..., Receiver], tmp_path: Path
) -> None:
    (tmp_path / "short").write_bytes(bytes(100))
    receiver = receive()
    with (tmp_path / "short").open("rb") as file:
        client = _connect(receiver)
        context = client.context_for(CT, EXPLICIT_LE)
        assert context is not None
        with pytest.raises(OSError, match="ended before"):
            client.store(context, "1.2.3", Slice(file.fileno(), 0, 200_000))
    assert receiver.digests == []


def test_a_rejected_association_says_why(receive: Callable[..., Receiver]) -> None:
    with pytest.raises(PeerRefused, match="called AE title not recognized"):
        Client.connect(receive().address, "US", "SOMEBODY_ELSE", WISHES)


def test_nobody_listening_is_told_as_an_unavailable_peer(free_port: Callable[[], int]) -> None:
    with pytest.raises(PeerUnavailable, match="no connection to NOBODY"):
        Client.connect(("127.0.0.1", free_port()), "US", "NOBODY", WISHES)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, PeerTooSlow),
        (b"", ConnectionLost),
        (b"\7\0\0\0\0\4\0\0\0\0", PeerAborted),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Violation),
        (b"\2\0\xff\xff\xff\xff", Violation),
        (b"\2\0\0\0\0\4abcd", Violation),
    ],
    ids=["silence", "close", "abort", "another protocol", "a length that lies", "too short"],
)
def test_a_peer_that_answers_nonsense_costs_one_error(answer: bytes | None, error: type[Exception]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                if answer is None:
                    done.wait(5)
                elif answer:
                    connection.sendall(answer)
                    done.wait(1)

        thread = threading.Thread(target=serve)
        thread.start()
        begin = time.monotonic()
        try:
            with pytest.raises(error):
                Client.connect(listener.getsockname(), "US", "THEM", WISHES, IMPATIENT)
        finally:
            done.set()
            thread.join()
        assert time.monotonic() - begin < 3


def test_storescp_keeps_what_we_send(dcmtk: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path) -> None:
    port, data = free_port(), encoded(ct(1, pixels=bytes(600_000)))
    command = [dcmtk("storescp"), "--ignore", "--max-pdu", "65536", str(port)]
    with subprocess.Popen(command) as process:
        try:
            time.sleep(0.3)
            with Client.connect(("127.0.0.1", port), "US", "STORESCP", WISHES) as client:
                context = client.context_for(CT, EXPLICIT_LE)
                assert context is not None
                assert [client.store(context, f"1.2.{n}", data).status for n in range(20)] == [0] * 20
        finally:
            process.kill()
