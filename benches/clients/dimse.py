"""A DICOM client just wide enough to measure with: C-STORE, C-FIND, C-GET, C-MOVE over one blocking socket.

What is sent is premade; what is received is counted and thrown away. TCP_NODELAY is set. Not for use elsewhere:
it trusts the server.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from benches.clients.failure import ClientFailed
from benches.clients.stream import Bytes, Stream, send_all
from tests.support.corpus.instance import EXPLICIT_LE, Elements, encode

PDU_MAX = 128 * 1024
_PDU, _PDV = struct.Struct(">BBI"), struct.Struct(">IBB")
_STORE, _FIND, _GET, _MOVE = 0x0001, 0x0020, 0x0010, 0x0021
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"


@dataclass(frozen=True, slots=True)
class Final:
    """How an operation ended."""

    status: int
    received: int  # matches, or objects that came in
    received_bytes: int
    completed: int  # sub-operations, as the server counts them


class Association:
    """One association. Presentation contexts are numbered 1, 3, 5 ... in the order of `abstract_syntaxes`."""

    def __init__(self, port: int, called: str, abstract_syntaxes: Sequence[str], *, receives: bool = False) -> None:
        """Opens it on loopback. With `receives`, takes the SCP role of every storage class it names (for C-GET)."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = Stream(self._socket)
        self._last: tuple[bytes, dict[int, int | str]] = (b"", {})
        self._message = 0
        self._contexts = {name: 2 * place + 1 for place, name in enumerate(abstract_syntaxes)}
        self._socket.sendall(_associate_request(called, self._contexts, receives))
        self.pdu_max = min(self._accepted(), PDU_MAX)

    def _accepted(self) -> int:
        kind, body = self._read_pdu()
        if kind != 2:
            raise ClientFailed(f"association refused (PDU type {kind}, {body[:4].hex()})")
        pdu_max, place = 16384, 68
        while place < len(body):
            item, _, length = struct.unpack_from(">BBH", body, place)
            value = body[place + 4 : place + 4 + length]
            if item == 0x21 and value[2] != 0:
                raise ClientFailed(f"presentation context {value[0]} refused ({value[2]})")
            if item == 0x50:
                pdu_max = _sub_items(value).get(0x51, pdu_max)
            place += 4 + length
        return pdu_max or PDU_MAX

    def store(self, sop_class: str, sop_uid: str, dataset: Sequence[Bytes]) -> None:
        """One C-STORE. Raises ClientFailed unless the status is Success."""
        command = self._command(
            _STORE, sop_class, {0x00000700: ("US", 0), 0x00001000: ("UI", sop_uid)}, has_dataset=True
        )
        self._send(self._contexts[sop_class], command, dataset)
        status = self._read_command()[0].get(0x00000900)
        if status != 0:
            raise ClientFailed(f"C-STORE status {status:#06x}" if status is not None else "no C-STORE status")

    def find(self, keys: Elements) -> Final:
        """One Study Root C-FIND, to its end. The matches are counted and thrown away."""
        return self._ask(_FIND, STUDY_FIND, keys, {})

    def move(self, keys: Elements, destination: str) -> Final:
        return self._ask(_MOVE, STUDY_MOVE, keys, {0x00000600: ("AE", destination)})

    def get(self, keys: Elements) -> Final:
        """One Study Root C-GET; what comes in is acknowledged and thrown away."""
        return self._ask(_GET, STUDY_GET, keys, {})

    def _ask(self, kind: int, sop_class: str, keys: Elements, extra: Elements) -> Final:
        command = self._command(kind, sop_class, {0x00000700: ("US", 0)} | extra, has_dataset=True)
        self._send(self._contexts[sop_class], command, [encode(keys)])
        received = received_bytes = 0
        while True:
            reply, context, size = self._read_command()
            if reply[0x00000100] == _STORE:
                received, received_bytes = received + 1, received_bytes + size
                self._send(context, _store_response(reply), [])
            elif reply[0x00000900] in (0xFF00, 0xFF01):
                received += 1 if kind == _FIND else 0
            else:
                status = reply[0x00000900]
                if status != 0:
                    raise ClientFailed(f"final status {status:#06x}")
                return Final(status, received, received_bytes, int(reply.get(0x00001021, 0)))

    def release(self) -> None:
        self._socket.sendall(struct.pack(">BBII", 5, 0, 4, 0))
        kind, _ = self._read_pdu()
        self._socket.close()
        if kind != 6:
            raise ClientFailed(f"no release reply, but PDU type {kind}")

    def _command(self, kind: int, sop_class: str, more: Elements, *, has_dataset: bool) -> bytes:
        self._message = self._message % 65535 + 1
        elements: Elements = {
            0x00000002: ("UI", sop_class),
            0x00000100: ("US", kind),
            0x00000110: ("US", self._message),
            0x00000800: ("US", 0x0000 if has_dataset else 0x0101),
        }
        return implicit(elements | more)

    def _send(self, context: int, command: bytes, dataset: Sequence[Bytes]) -> None:
        pieces: list[Bytes] = [struct.pack(">BBIIBB", 4, 0, len(command) + 6, len(command) + 2, context, 3), command]
        left = sum(map(len, dataset))
        room = self.pdu_max - 6
        free = 0
        for part in dataset:
            view = memoryview(part)
            while len(view):
                if free == 0:
                    free = min(left, room)
                    last = 2 if free == left else 0
                    pieces.append(struct.pack(">BBIIBB", 4, 0, free + 6, free + 2, context, last))
                pieces.append(view[:free])
                taken = len(pieces[-1])
                view, free, left = view[taken:], free - taken, left - taken
        send_all(self._socket, pieces)

    def _read_command(self) -> tuple[dict[int, int | str], int, int]:
        """The next command, its context, and the size of the dataset behind it, which is thrown away."""
        command, context = b"", 0
        reply: dict[int, int | str] | None = None
        size = 0
        while True:
            kind, _, length = _PDU.unpack(self._stream.read(6))
            if kind != 4:
                raise ClientFailed(f"PDU type {kind} instead of data")
            while length:
                pdv, context, flags = _PDV.unpack(self._stream.read(6))
                length -= pdv + 4
                if flags & 1:
                    command += self._stream.read(pdv - 2)
                    if flags & 2:
                        reply = self._parsed(command)
                else:
                    self._stream.skip(pdv - 2)
                    size += pdv - 2
                if flags & 2 and reply is not None and (not flags & 1 or reply[0x00000800] == 0x0101):
                    return reply, context, size

    def _parsed(self, command: bytes) -> dict[int, int | str]:
        """Matches come with equal commands, so most are parsed already."""
        if command != self._last[0]:
            self._last = (command, _parse(command))
        return self._last[1]

    def _read_pdu(self) -> tuple[int, bytes]:
        kind, _, length = _PDU.unpack(self._stream.read(6))
        return kind, self._stream.read(length)


def implicit(elements: Elements) -> bytes:
    """A command set: implicit VR little endian, with its group length (PS3.7 6.3)."""
    body = b""
    for tag, (vr, value) in sorted(elements.items()):
        explicit = encode({tag: (vr, value)})
        data = explicit[8:]
        body += struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(data)) + data
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _parse(command: bytes) -> dict[int, int | str]:
    found: dict[int, int | str] = {}
    place = 0
    while place < len(command):
        group, element, length = struct.unpack_from("<HHI", command, place)
        value = bytes(command[place + 8 : place + 8 + length])
        found[group << 16 | element] = int.from_bytes(value, "little") if length in (2, 4) else value.decode("latin-1")
        place += 8 + length
    return found


def _store_response(request: dict[int, int | str]) -> bytes:
    return implicit(
        {
            0x00000002: ("UI", str(request[0x00000002]).rstrip("\0")),
            0x00000100: ("US", 0x8001),
            0x00000120: ("US", int(request[0x00000110])),
            0x00000800: ("US", 0x0101),
            0x00000900: ("US", 0),
            0x00001000: ("UI", str(request[0x00001000]).rstrip("\0")),
        }
    )


def _associate_request(called: str, contexts: dict[str, int], receives: bool) -> bytes:
    def item(kind: int, data: bytes) -> bytes:
        return struct.pack(">BBH", kind, 0, len(data)) + data

    body = struct.pack(">HH16s16s32x", 1, 0, called.ljust(16).encode(), b"BENCH".ljust(16))
    body += item(0x10, b"1.2.840.10008.3.1.1.1")
    for name, number in contexts.items():
        syntaxes = item(0x40, EXPLICIT_LE.encode())
        body += item(0x20, bytes([number, 0, 0, 0]) + item(0x30, name.encode()) + syntaxes)
    user = item(0x51, struct.pack(">I", PDU_MAX)) + item(0x52, b"2.25.201") + item(0x55, b"BENCH")
    if receives:
        for name in contexts:
            if not name.startswith("1.2.840.10008.5.1.4.1.2."):
                user += item(0x54, struct.pack(">H", len(name)) + name.encode() + b"\0\1")
    body += item(0x50, user)
    return struct.pack(">BBI", 1, 0, len(body)) + body


def _sub_items(user: bytes) -> dict[int, int]:
    found, place = {}, 0
    while place < len(user):
        kind, _, length = struct.unpack_from(">BBH", user, place)
        if kind == 0x51:
            found[kind] = struct.unpack_from(">I", user, place + 4)[0]
        place += 4 + length
    return found
