"""A real DICOM door on a real archive, and a peer that sends it any bytes at all."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fileroom.archive.peers import Peers
from fileroom.archive.search import Search
from fileroom.archive.telling import Telling
from fileroom.audit.book import Book
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE
from fileroom.dimse import door
from fileroom.dimse.door import DoorSettings
from fileroom.dimse.server import DimseServer
from fileroom.net import pdu
from fileroom.net.associate import Hello, Proposal, Request, encode_request
from fileroom.net.limits import Limits
from fileroom.routing.packing import Transcode
from tests.support.archives import Archive, running_archive

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"

# Short waits, so that a test of a bound takes a moment.
IMPATIENT = Limits(
    pdu_bytes_max=65536,
    dataset_bytes_max=1 << 20,
    artim_seconds=0.4,
    idle_seconds=0.6,
    pdu_seconds=0.4,
    write_seconds=0.4,
    answer_seconds=2.0,
    tick_seconds=0.1,
)


@dataclass(frozen=True, slots=True)
class Door:
    """A running door and the archive behind it."""

    server: DimseServer
    archive: Archive
    peers: Peers
    search: Search
    book: Book

    @property
    def port(self) -> int:
        return self.server.address[1]

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def counts(self) -> dict[str, int]:
        return dict(self.server.stats.counts)


@contextmanager
def running_door(home: Path, transcode: Transcode | None = None, **settings: Any) -> Iterator[Door]:
    """A door on a free port of loopback, stopped in order at the end. `settings`: fields of DoorSettings."""
    with running_archive(home, f"sqlite:///{home / 'index.sqlite'}") as archive:
        peers, search = Peers(archive.database), Search(archive.database)
        book = Book(archive.database)
        telling = Telling(book, archive.database)
        rooms = door.Archive(archive.receiver, search, archive.retriever, peers, transcode, telling)
        server = DimseServer(replace(DoorSettings(port=0), **settings), rooms)
        server.start()
        try:
            yield Door(server, archive, peers, search, book)
        finally:
            server.stop(2.0)


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether the condition comes true within the time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class RawPeer:
    """A TCP connection on which a test says what it likes."""

    def __init__(self, address: tuple[str, int], seconds: float = 5.0, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(address, timeout=seconds, source_address=(source, 0))

    def __enter__(self) -> RawPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def pdu(self) -> tuple[int, bytes]:
        """The next PDU: its type and what follows the header. (0, b"") when the connection is closed."""
        head = self._exactly(6)
        if len(head) < 6:
            return 0, b""
        kind, length = pdu.HEADER.unpack(head)
        return kind, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                piece = self.socket.recv(count - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                break
            data += piece
        return data

    def associate(self, *abstract: str, calling: str = "RAW", called: str = "FILEROOM", pdu_bytes_max: int = 0) -> None:
        """Ask for contexts 1, 3, 5, ... in Implicit and Explicit VR Little Endian; must be accepted."""
        self.send(association_request(*abstract, calling=calling, called=called, pdu_bytes_max=pdu_bytes_max))
        kind, _ = self.pdu()
        assert kind == pdu.PduType.ASSOCIATE_AC

    def ended(self) -> int:
        """The reason of the A-ABORT that comes, or -1 when the connection just closes. What comes before is dropped."""
        while True:
            kind, body = self.pdu()
            if kind == pdu.PduType.ABORT:
                return body[3]
            if kind == 0:
                return -1


def association_request(
    *abstract: str, calling: str = "RAW", called: str = "FILEROOM", pdu_bytes_max: int = 0
) -> bytes:
    """An A-ASSOCIATE-RQ."""
    proposals = tuple(
        Proposal(2 * i + 1, uid, (EXPLICIT_LE, IMPLICIT_LE)) for i, uid in enumerate(abstract or (VERIFICATION,))
    )
    return encode_request(Request(Hello(called, calling, pdu_bytes_max, "1.2.3"), proposals))


def data_pdu(*fragments: bytes) -> bytes:
    """A P-DATA-TF of these fragments."""
    body = b"".join(fragments)
    return pdu.HEADER.pack(pdu.PduType.DATA, len(body)) + body


def fragment(data: bytes, context_id: int = 1, flags: int = pdu.LAST, length: int | None = None) -> bytes:
    """One presentation data value; `length` lies."""
    size = len(data) + 2 if length is None else length
    return struct.pack(">IBB", size, context_id, flags) + data
