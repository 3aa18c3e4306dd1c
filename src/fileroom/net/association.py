"""An established association: whole DIMSE messages in and out of its PDUs, datasets streamed (PS3.8 E, PS3.7 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fileroom.net import command as dimse
from fileroom.net import pdu
from fileroom.net.associate import Hello
from fileroom.net.command import Command
from fileroom.net.failure import AbortReason, PeerAborted, Violation
from fileroom.net.limits import EMPTY_FRAGMENTS_MAX, Limits
from fileroom.net.sending import PDU_BYTES_MIN, Payload, Sender, fragment_bytes
from fileroom.net.wire import Wire

_COPIED_BYTES_MAX = 4096  # fragments up to this are copied out of the buffer, longer ones received in place


@dataclass(frozen=True, slots=True)
class Context:
    """One accepted presentation context."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    we_may_request: bool  # our role in it is (also) the SCU's


class Sink(Protocol):
    """Where a dataset goes as it comes in. `fileroom.archive.receive.Intake` is one."""

    def write(self, chunk: memoryview, /) -> None:
        """Copy a chunk that is valid during the call only."""
        ...

    def space(self, size: int, /) -> memoryview:
        """Writable room for exactly `size` bytes; filled when `wrote` is called."""
        ...

    def wrote(self, size: int, /) -> None: ...


class Association:
    """Both sides of an association once it is established. Owned by one thread.

    Every method raises an AssociationEnded when the association is over; the caller then calls `abort` or `close`.
    """

    def __init__(self, wire: Wire, limits: Limits, contexts: Mapping[int, Context], peer: Hello) -> None:
        self.wire = wire
        self.limits = limits
        self.contexts = contexts
        self.peer = peer
        if 0 < peer.pdu_bytes_max < PDU_BYTES_MIN:
            raise Violation("the peer's maximum PDU length is too small to speak to")
        self.fragment_bytes = fragment_bytes(peer.pdu_bytes_max)
        self._sender = Sender(wire, self.fragment_bytes)
        self._pdu_left = 0  # bytes of the current P-DATA-TF not read yet
        self._left = 0  # bytes of the current fragment not read yet
        self._flags = 0  # its message control header
        self._context_id = 0  # of the current fragment
        self._message_context = 0  # of the current message
        self._empty = 0  # empty fragments in a row
        self._total = 0  # dataset bytes of the current message
        self._message_id = 0

    # Receiving

    def next_command(self, seconds: float | None = None) -> tuple[Context, Command] | None:
        """Wait for the next message's command set, at most `seconds` (the idle bound by default).

        None when the peer released the association: it has been answered. When the command has a dataset, one of
        `receive`, `take` and `skip` must follow.
        """
        wire, limits = self.wire, self.limits
        if not wire.buffered:
            wire.expect(limits.idle_seconds if seconds is None else seconds, "a message")
            wire.need(1)
        parts = b""
        while True:
            if not self._next_fragment(between_messages=not parts):
                wire.send(pdu.RELEASE_RP)
                return None
            if not self._flags & pdu.COMMAND:
                raise Violation("a dataset came without its command set", AbortReason.UNEXPECTED_PARAMETER)
            if parts and self._context_id != self._message_context:
                raise Violation("a command set changed its presentation context")
            self._message_context = self._context_id
            if len(parts) + self._left > limits.command_bytes_max:
                raise Violation("a command set is longer than is taken")
            parts += wire.take(self._left)
            if self._flags & pdu.LAST:
                break
        self._left = self._flags = self._total = 0
        return self.contexts[self._message_context], dimse.decode(parts)

    def cancelled(self, message_id: int) -> bool:
        """Whether the peer has sent C-CANCEL for this request of its. Never waits when nothing has come.

        Anything else that comes while a request is being answered breaks the protocol: one operation at a time.
        """
        while self.wire.readable():
            received = self.next_command()
            if received is None:
                raise PeerAborted("the peer released the association before its answer was complete")
            command = received[1]
            if command.field != dimse.Field.C_CANCEL:
                raise Violation("a request came before the last one was answered", AbortReason.UNEXPECTED_PARAMETER)
            if command.has_dataset:
                raise Violation("a C-CANCEL with a dataset")
            if command.message_id == message_id:
                return True
        return False

    def receive(self, sink: Sink) -> int:
        """Stream the dataset into `sink`; its length in bytes.

        What the sink raises passes through; the rest of the dataset is then still to be taken off with `skip`.
        """
        wire = self.wire
        while not self._flags & pdu.LAST:
            size = self._data_fragment()
            if size <= _COPIED_BYTES_MAX or size <= wire.buffered:
                wire.need(size)
                chunk = wire.peek(size)
                wire.skip(size)
                self._left = 0
                if size:
                    sink.write(chunk)
            else:
                with sink.space(size) as place:
                    wire.read_into(place)
                self._left = 0
                sink.wrote(size)
        return self._total

    def take(self) -> bytes:
        """A small dataset, whole. Raises Violation past the bound on identifiers."""
        parts = bytearray()
        while not self._flags & pdu.LAST:
            size = self._data_fragment()
            if len(parts) + size > self.limits.identifier_bytes_max:
                raise Violation("an identifier is longer than is taken")
            parts += self.wire.take(size)
            self._left = 0
        return bytes(parts)

    def skip(self) -> None:
        """Receive what is left of the dataset and throw it away."""
        scrap = memoryview(bytearray(min(self.limits.pdu_bytes_max, 64 * 1024)))
        while True:
            while self._left:
                size = min(self._left, len(scrap))
                self.wire.read_into(scrap[:size])
                self._left -= size
            if self._flags & pdu.LAST:
                return
            self._data_fragment()

    def _data_fragment(self) -> int:
        self._next_fragment(between_messages=False)
        if self._flags & pdu.COMMAND:
            self._flags = 0
            raise Violation("a command set came inside a dataset", AbortReason.UNEXPECTED_PARAMETER)
        if self._context_id != self._message_context:
            raise Violation("a dataset came on another presentation context than its command set")
        self._total += self._left
        if self._total > self.limits.dataset_bytes_max:
            raise Violation("a dataset is longer than is taken", AbortReason.NOT_SPECIFIED)
        return self._left

    def _next_fragment(self, between_messages: bool) -> bool:
        """Read one fragment's header; False when the peer asks for a release, which it may between messages only."""
        while not self._pdu_left:
            if not self._next_pdu(between_messages):
                return False
        if self._pdu_left < pdu.PDV_HEADER_BYTES:
            raise Violation("a P-DATA-TF ends inside a fragment's header")
        length, self._context_id, self._flags = self.wire.unpack(pdu.PDV_HEADER)
        self._pdu_left -= length + 4
        if length < 2 or self._pdu_left < 0:
            raise Violation("a fragment's length is wrong")
        if self._context_id not in self.contexts:
            raise Violation("a fragment came on a presentation context that was not accepted")
        self._left = length - 2
        self._empty = 0 if self._left else self._empty + 1
        if self._empty > EMPTY_FRAGMENTS_MAX:
            raise Violation("nothing but empty fragments", AbortReason.NOT_SPECIFIED)
        return True

    def _next_pdu(self, between_messages: bool) -> bool:
        self.wire.expect(self.limits.pdu_seconds, "the rest of a PDU")
        kind, length = self.wire.unpack(pdu.HEADER)
        if kind == pdu.PduType.DATA:
            if not pdu.PDV_HEADER_BYTES <= length <= self.limits.pdu_bytes_max:
                raise Violation("a P-DATA-TF is empty or longer than was announced")
            self._pdu_left = length
            return True
        if kind == pdu.PduType.ABORT:
            raise PeerAborted("the peer aborted the association")
        if kind == pdu.PduType.RELEASE_RQ and between_messages:
            self._small_body(length)
            return False
        if kind in pdu.PduType.__members__.values():
            raise Violation("a PDU came where it may not", AbortReason.UNEXPECTED_PDU)
        raise Violation("a PDU of unknown type came", AbortReason.UNRECOGNIZED_PDU)

    def _small_body(self, length: int) -> None:
        if length != 4:
            raise Violation("a release PDU's length is wrong")
        self.wire.take(4)

    # Sending

    def send(self, context_id: int, command: bytes, payload: Payload | None = None) -> None:
        """Send one message. Raises OSError when a file payload cannot be read: only `abort` may follow."""
        self._sender.send(context_id, command, payload)

    def next_message_id(self) -> int:
        """A Message ID for a request of ours: 1..65535, again from 1."""
        self._message_id = self._message_id % 0xFFFF + 1
        return self._message_id

    # Ending

    def release(self) -> None:
        """Ask for the release and wait for the answer; answer the peer's own request when both ask (PS3.8 7.2.2)."""
        wire = self.wire
        wire.send(pdu.RELEASE_RQ)
        wire.expect(self.limits.artim_seconds, "the release")
        while True:
            kind, length = wire.unpack(pdu.HEADER)
            if kind == pdu.PduType.ABORT:
                raise PeerAborted("the peer aborted the association")
            if kind not in (pdu.PduType.RELEASE_RP, pdu.PduType.RELEASE_RQ):
                raise Violation("a PDU came where it may not", AbortReason.UNEXPECTED_PDU)
            self._small_body(length)
            if kind == pdu.PduType.RELEASE_RP:
                break
            wire.send(pdu.RELEASE_RP)
        wire.close()

    def abort(self, reason: AbortReason | None = None) -> None:
        """Send A-ABORT, give the peer a moment to read it, close. Never raises."""
        self.wire.finish(pdu.abort(reason), min(2.0, self.limits.artim_seconds))

    def close(self) -> None:
        """Close without a word, after the peer's own abort or release."""
        self.wire.finish(b"", min(2.0, self.limits.artim_seconds))
