"""Association requestor: connect, echo, store, release. Used for C-MOVE, for `peer echo` and for forwarding."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from fileroom.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from fileroom.dicom.syntax import IMPLICIT_LE
from fileroom.errors import PeerUnavailable
from fileroom.net import command, pdu
from fileroom.net.associate import (
    Acceptance,
    ContextResult,
    Hello,
    Proposal,
    Request,
    decode_acceptance,
    encode_request,
)
from fileroom.net.association import Association, Context
from fileroom.net.command import RESPONSE, Command, Field, Tag
from fileroom.net.failure import AssociationEnded, PeerAborted, PeerRefused, Violation
from fileroom.net.limits import ASSOCIATE_BYTES_MAX, CONTEXTS_MAX, Limits
from fileroom.net.sending import Payload
from fileroom.net.wire import Wire

VERIFICATION = "1.2.840.10008.1.1"


@dataclass(frozen=True, slots=True)
class Wish:
    """One presentation context to propose."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """What the peer said to one C-STORE."""

    status: int
    comment: str

    @property
    def stored(self) -> bool:
        """Success or warning: the peer has the object (PS3.7 C.1)."""
        return self.status == 0 or self.status & 0xF000 == 0xB000 or self.status in (0x0107, 0x0116)

    @property
    def warned(self) -> bool:
        return self.stored and self.status != 0


class Client:
    """An association that we requested. Owned by one thread; a context manager that releases, or aborts on an error.

    Every method raises PeerUnavailable when the peer is gone, breaks the protocol or takes too long.
    """

    def __init__(self, association: Association) -> None:
        self._association = association
        self._over = False

    @classmethod
    def connect(
        cls, address: tuple[str, int], calling: str, called: str, wishes: Sequence[Wish], limits: Limits | None = None
    ) -> Client:
        """Connect and negotiate at most 128 contexts. Raises PeerUnavailable (PeerRefused when it said no)."""
        if not 1 <= len(wishes) <= CONTEXTS_MAX:
            raise ValueError("an association proposes 1 to 128 presentation contexts")
        limits = limits or Limits()
        try:
            connection = socket.create_connection(address, timeout=limits.connect_seconds)
        except (OSError, UnicodeError) as error:  # the latter: a host that cannot be a name
            reason = getattr(error, "strerror", None) or error
            raise PeerUnavailable(
                f"no connection to {called} at {address[0]}:{address[1]}: {reason}",
                hint="Is the peer running, and is its address right?",
            ) from error
        wire = Wire(connection, limits)
        hello = Hello(called, calling, limits.pdu_bytes_max, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME)
        proposals = tuple(
            Proposal(2 * i + 1, wish.abstract_syntax, wish.transfer_syntaxes) for i, wish in enumerate(wishes)
        )
        try:
            wire.expect(limits.artim_seconds, "the answer to the association request")
            wire.send(encode_request(Request(hello, proposals)))
            return cls(Association(wire, limits, *_accepted(_answer(wire), proposals)))
        except PeerRefused:
            wire.finish(b"", 1.0)
            raise
        except AssociationEnded as error:
            wire.finish(pdu.abort(error.reason if isinstance(error, Violation) else None), 1.0)
            raise

    def context_for(self, sop_class_uid: str, transfer_syntax: str) -> Context | None:
        """The accepted context for this pair, if there is one."""
        for context in self._association.contexts.values():
            if context.abstract_syntax == sop_class_uid and context.transfer_syntax == transfer_syntax:
                return context
        return None

    @property
    def contexts(self) -> tuple[Context, ...]:
        """Every accepted context."""
        return tuple(self._association.contexts.values())

    def echo(self) -> int:
        """C-ECHO; its status. Raises PeerRefused when Verification was not accepted."""
        context = self.context_for(VERIFICATION, IMPLICIT_LE)
        if context is None:
            raise PeerRefused("the peer does not accept Verification")
        message_id = self._association.next_message_id()
        self._association.send(context.context_id, command.echo_request(message_id))
        return self._response(Field.C_ECHO, message_id).status

    def store(
        self,
        context: Context,
        sop_uid: str,
        dataset: Payload,
        *,
        priority: int = 0,
        originator: tuple[str, int] | None = None,
    ) -> StoreAnswer:
        """C-STORE one dataset in the context's transfer syntax and wait for the answer.

        `originator`: AE title and Message ID of the C-MOVE behind it. Raises OSError when the file cannot be read to
        its end: the association is then aborted.
        """
        message_id = self._association.next_message_id()
        request = command.store_request(message_id, context.abstract_syntax, sop_uid, priority, originator)
        try:
            self._association.send(context.context_id, request, dataset)
        except OSError:
            self.abort()
            raise
        answer = self._response(Field.C_STORE, message_id)
        return StoreAnswer(answer.status, answer.text(Tag.ERROR_COMMENT))

    def _response(self, field: Field, message_id: int) -> Command:
        received = self._association.next_command(self._association.limits.answer_seconds)
        if received is None:
            self._over = True
            self._association.close()
            raise AssociationEnded("the peer released the association instead of answering")
        answer = received[1]
        if answer.field != field | RESPONSE or answer.message_id != message_id:
            raise Violation("the peer answered something else than what was asked")
        if answer.has_dataset:
            self._association.skip()
        return answer

    def release(self) -> None:
        """Release in order and close. Idempotent."""
        if not self._over:
            self._over = True
            try:
                self._association.release()
            except AssociationEnded:
                self._association.wire.close()
                raise

    def abort(self) -> None:
        """Abort and close. Idempotent, never raises."""
        if not self._over:
            self._over = True
            self._association.abort()

    def cut(self) -> None:
        """Called by another thread: whoever waits for the peer here is told at once that the association is over."""
        self._association.wire.cut()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            with contextlib.suppress(AssociationEnded):  # all is answered: how the peer says goodbye does not matter
                self.release()
        else:
            self.abort()


def _answer(wire: Wire) -> Acceptance:
    kind, length = wire.unpack(pdu.HEADER)
    if kind == pdu.PduType.ASSOCIATE_AC:
        if length > ASSOCIATE_BYTES_MAX:
            raise Violation("an A-ASSOCIATE-AC is longer than is taken")
        return decode_acceptance(wire.take(length))
    if kind == pdu.PduType.ASSOCIATE_RJ and length == 4:
        body = wire.take(4)
        code = int.from_bytes(body[1:4], "big")
        raise PeerRefused(f"the peer rejected the association: {pdu.rejection_text(body)}", code)
    if kind == pdu.PduType.ABORT:
        raise PeerAborted("the peer aborted the association instead of answering")
    raise Violation("the peer answered an association request with another PDU")


def _accepted(acceptance: Acceptance, proposals: Sequence[Proposal]) -> tuple[dict[int, Context], Hello]:
    proposed = {proposal.context_id: proposal for proposal in proposals}
    contexts: dict[int, Context] = {}
    for answer in acceptance.answers:
        proposal = proposed.get(answer.context_id)
        if answer.result != ContextResult.ACCEPTED:
            continue
        if proposal is None or answer.transfer_syntax not in proposal.transfer_syntaxes:
            raise Violation("the peer accepted a presentation context that was not proposed")
        contexts[answer.context_id] = Context(
            answer.context_id, proposal.abstract_syntax, answer.transfer_syntax, we_may_request=True
        )
    return contexts, acceptance.hello
