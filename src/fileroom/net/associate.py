"""A-ASSOCIATE-RQ and A-ASSOCIATE-AC as values, and their bytes (PS3.8 9.3.2, 9.3.3, D; PS3.7 D.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from fileroom.net.failure import AbortReason, Violation
from fileroom.net.limits import CONTEXTS_MAX
from fileroom.net.pdu import HEADER, PduType

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
SYNTAXES_MAX = 256  # transfer syntaxes read of one context: the standard has about 60
_ITEMS_MAX = 4 * CONTEXTS_MAX  # of one PDU; all but its contexts come once

_ITEM = struct.Struct(">BxH")
_FIXED = struct.Struct(">HH16s16s32s")


class ContextResult(IntEnum):
    """The answer to one presentation context (PS3.8 table 9-18)."""

    ACCEPTED = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX = 3
    TRANSFER_SYNTAXES = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """One presentation context as proposed."""

    context_id: int  # odd, 1..255
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]  # in the proposer's order


@dataclass(frozen=True, slots=True)
class Answer:
    """One presentation context as answered."""

    context_id: int
    result: int  # a ContextResult; other numbers from a peer mean refused
    transfer_syntax: str  # chosen; means nothing unless accepted


@dataclass(frozen=True, slots=True)
class Role:
    """SCP/SCU role selection for one abstract syntax, seen from the association's requestor (PS3.7 D.3.3.4)."""

    abstract_syntax: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class Hello:
    """What both PDUs carry beside their contexts."""

    called: str  # AE title, without padding
    calling: str
    pdu_bytes_max: int  # the longest P-DATA-TF its sender takes; 0: no bound
    implementation_uid: str = ""
    implementation_version: str = ""
    roles: tuple[Role, ...] = ()
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """An A-ASSOCIATE-RQ."""

    hello: Hello
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An A-ASSOCIATE-AC."""

    hello: Hello
    answers: tuple[Answer, ...]


def encode_request(request: Request) -> bytes:
    """The whole PDU."""
    contexts = []
    for proposal in request.proposals:
        body = struct.pack(">Bxxx", proposal.context_id) + _item(0x30, proposal.abstract_syntax.encode())
        body += b"".join(_item(0x40, uid.encode()) for uid in proposal.transfer_syntaxes)
        contexts.append(_item(0x20, body))
    return _encode(PduType.ASSOCIATE_RQ, request.hello, contexts)


def encode_acceptance(acceptance: Acceptance) -> bytes:
    """The whole PDU."""
    contexts = []
    for answer in acceptance.answers:
        body = struct.pack(">BxBx", answer.context_id, answer.result) + _item(0x40, answer.transfer_syntax.encode())
        contexts.append(_item(0x21, body))
    return _encode(PduType.ASSOCIATE_AC, acceptance.hello, contexts)


def decode_request(body: bytes) -> Request:
    """An A-ASSOCIATE-RQ from what follows its PDU header. Raises Violation.

    Extended negotiation, asynchronous operations and user identity are stepped over: the first two have nothing to
    negotiate here, and the third is not kept, so that it cannot leak.
    """
    hello, contexts = _decode(body, 0x20)
    proposals = []
    for context_id, _, subitems in contexts:
        abstract = next((_uid(value) for kind, value in subitems if kind == 0x30), "")
        syntaxes = tuple(_uid(value) for kind, value in subitems if kind == 0x40)
        if not abstract:
            raise Violation("a presentation context has no abstract syntax")
        proposals.append(Proposal(context_id, abstract, syntaxes))
    return Request(hello, tuple(proposals))


def decode_acceptance(body: bytes) -> Acceptance:
    """An A-ASSOCIATE-AC from what follows its PDU header. Raises Violation."""
    hello, contexts = _decode(body, 0x21)
    answers = []
    for context_id, result, subitems in contexts:
        chosen = next((_uid(value) for kind, value in subitems if kind == 0x40), "")
        answers.append(Answer(context_id, result, chosen))
    return Acceptance(hello, tuple(answers))


def _encode(kind: PduType, hello: Hello, contexts: list[bytes]) -> bytes:
    user = _item(0x51, struct.pack(">I", hello.pdu_bytes_max)) + _item(0x52, hello.implementation_uid.encode())
    for role in hello.roles:
        uid = role.abstract_syntax.encode()
        user += _item(0x54, struct.pack(">H", len(uid)) + uid + bytes((role.scu, role.scp)))
    if hello.implementation_version:
        user += _item(0x55, hello.implementation_version.encode())
    body = b"".join(
        (
            _FIXED.pack(hello.protocol_version, 0, _ae(hello.called), _ae(hello.calling), b""),
            _item(0x10, hello.application_context.encode()),
            *contexts,
            _item(0x50, user),
        )
    )
    return HEADER.pack(kind, len(body)) + body


def _item(kind: int, body: bytes) -> bytes:
    return _ITEM.pack(kind, len(body)) + body


def _ae(title: str) -> bytes:
    return title.encode("ascii", "replace")[:16].ljust(16)


_Contexts = list[tuple[int, int, list[tuple[int, bytes]]]]  # context, result or reserved byte, sub-items


def _decode(body: bytes, context_kind: int) -> tuple[Hello, _Contexts]:
    if len(body) < _FIXED.size:
        raise Violation("an association PDU is too short")
    version, _, called, calling, _ = _FIXED.unpack_from(body)
    application, user = "", b""
    contexts: _Contexts = []
    seen: set[int] = set()
    for number, (kind, value) in enumerate(_items(body, _FIXED.size)):
        if number == _ITEMS_MAX:
            raise Violation("an association PDU holds too many items")
        if kind == 0x10:
            application = _uid(value)
        elif kind == 0x50:
            user = value
        elif kind == context_kind:
            if len(value) < 4:
                raise Violation("a presentation context is too short")
            context_id = value[0]
            if context_id % 2 == 0 or context_id in seen or len(seen) == CONTEXTS_MAX:
                raise Violation("a presentation context's number is even or used twice")
            seen.add(context_id)
            contexts.append((context_id, value[2], list(islice(_items(value, 4), SYNTAXES_MAX + 1))))
    hello = _user_information(user, text_of(called), text_of(calling), application, version)
    return hello, contexts


def _user_information(user: bytes, called: str, calling: str, application: str, version: int) -> Hello:
    pdu_bytes_max = 0
    implementation_uid = implementation_version = ""
    roles: list[Role] = []
    for kind, value in _items(user, 0):
        if kind == 0x51:
            if len(value) != 4:
                raise Violation("the maximum length item is not four bytes")
            pdu_bytes_max = int.from_bytes(value, "big")
        elif kind == 0x52:
            implementation_uid = text_of(value)
        elif kind == 0x55:
            implementation_version = text_of(value)
        elif kind == 0x54 and len(roles) < CONTEXTS_MAX:
            roles.append(_role(value))
    return Hello(
        called, calling, pdu_bytes_max, implementation_uid, implementation_version, tuple(roles), application, version
    )


def _role(value: bytes) -> Role:
    length = int.from_bytes(value[:2], "big")
    if len(value) != length + 4:
        raise Violation("a role selection item's length is wrong")
    return Role(_uid(value[2:-2]), value[-2] == 1, value[-1] == 1)


def _items(body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    end = len(body)
    while start < end:
        if start + 4 > end:
            raise Violation("an item is cut short")
        kind, length = _ITEM.unpack_from(body, start)
        start += 4
        if start + length > end:
            raise Violation("an item is longer than what holds it", AbortReason.INVALID_PARAMETER)
        yield kind, body[start : start + length]
        start += length


def _uid(value: bytes) -> str:
    text = value.strip(b"\0 ")
    if len(text) > 64:
        raise Violation("a UID is longer than 64 characters")
    return text_of(text)


def text_of(value: bytes) -> str:
    """ASCII text without padding; anything unprintable becomes `?`, so that it can be logged and answered."""
    text = value.decode("ascii", "replace").strip("\0 ")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else "?" for c in text)
