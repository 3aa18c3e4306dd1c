"""A-ASSOCIATE PDUs as values."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ

from fileroom.net.associate import (
    SYNTAXES_MAX,
    Acceptance,
    Answer,
    Hello,
    Proposal,
    Request,
    Role,
    decode_acceptance,
    decode_request,
    encode_acceptance,
    encode_request,
)
from fileroom.net.failure import Violation

HELLO = Hello("FILEROOM", "SCANNER 1", 131072, "1.2.3", "VERSION_1", (Role("1.2.840.10008.5.1.4.1.1.2", False, True),))
REQUEST = Request(
    HELLO,
    (
        Proposal(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",)),
        Proposal(255, "1.2.840.10008.5.1.4.1.1.2", ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")),
    ),
)
ACCEPTANCE = Acceptance(HELLO, (Answer(1, 0, "1.2.840.10008.1.2"), Answer(255, 4, "1.2.840.10008.1.2")))


def test_a_request_survives_its_bytes() -> None:
    assert decode_request(encode_request(REQUEST)[6:]) == REQUEST


def test_an_acceptance_survives_its_bytes() -> None:
    assert decode_acceptance(encode_acceptance(ACCEPTANCE)[6:]) == ACCEPTANCE


def test_pynetdicom_reads_our_request() -> None:
    read = A_ASSOCIATE_RQ()
    read.decode(encode_request(REQUEST))
    assert read.calling_ae_title.strip() == "SCANNER 1"
    assert [item.context_id for item in read.presentation_context] == [1, 255]
    assert read.user_information.maximum_length == 131072
    assert read.encode() == encode_request(REQUEST)


def test_pynetdicom_reads_our_acceptance() -> None:
    read = A_ASSOCIATE_AC()
    read.decode(encode_acceptance(ACCEPTANCE))
    assert [item.result for item in read.presentation_context] == [0, 4]


def _item(kind: int, body: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BxH", kind, len(body) if length is None else length) + body


def _with(items: bytes) -> bytes:
    return struct.pack(">HH16s16s32s", 1, 0, b"FILEROOM".ljust(16), b"X".ljust(16), b"") + items


@pytest.mark.parametrize(
    "items",
    [
        _item(0x20, b"\2\0\0\0" + _item(0x30, b"1.2")),  # an even number
        _item(0x20, b"\1\0\0\0" + _item(0x30, b"1.2")) * 2,  # a number used twice
        _item(0x20, b"\1\0\0\0"),  # no abstract syntax
        _item(0x20, b"\1\0"),  # cut short
        _item(0x20, b"\1\0\0\0" + _item(0x30, b"1.2", 99)),  # a sub-item longer than its item
        _item(0x20, b"\1\0\0\0" + _item(0x30, b"1" * 65)),  # a UID over 64 characters
        _item(0x20, b"\1\0\0\0" + _item(0x30, b"1.2"), 0xFFFF),  # an item longer than its PDU
        _item(0x50, _item(0x51, b"\0\0\1")),  # a maximum length of three bytes
        _item(0x50, _item(0x54, b"\0\x401.2\1\1")),  # a role whose UID is longer than the item
        b"\x10\0\0",  # an item that ends in its header
    ],
)
def test_what_breaks_the_format_is_a_violation(items: bytes) -> None:
    with pytest.raises(Violation):
        decode_request(_with(items))


def test_a_request_crammed_with_items_costs_no_more_than_an_honest_one() -> None:
    crammed = (
        struct.pack(">Bxxx", 1) + _item(0x30, b"1.2") + _item(0x40, b"1.2.840.10008.1.2") + _item(0x40, b"") * 15000
    )
    request = decode_request(_with(_item(0x20, crammed)))
    assert len(request.proposals[0].transfer_syntaxes) <= SYNTAXES_MAX
    with pytest.raises(Violation, match="too many items"):
        decode_request(_with(_item(0x77, b"") * 1000))


def test_unknown_items_user_identity_and_extended_negotiation_are_stepped_over() -> None:
    secret = b"\2\1\0\4user\0\4pass"
    items = _item(0x99, b"?") + _item(0x50, _item(0x56, b"\0\3abcdef") + _item(0x58, secret) + _item(0x53, b"\0\5\0\5"))
    assert "pass" not in repr(decode_request(_with(items)))


def test_control_characters_in_a_title_cannot_reach_a_log() -> None:
    body = struct.pack(">HH16s16s32s", 1, 0, b"A\nfake=line".ljust(16), b"\x1b[31mX".ljust(16), b"")
    hello = decode_request(body).hello
    assert (hello.called, hello.calling) == ("A?fake=line", "?[31mX")


@given(st.data())
def test_no_mutation_of_a_request_does_anything_but_decode_or_violate(data: st.DataObject) -> None:
    raw = bytearray(encode_request(REQUEST)[6:])
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    for decode in (decode_request, decode_acceptance):
        try:
            decode(cut)
        except Violation:
            continue


@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_decode_or_violate(raw: bytes) -> None:
    for decode in (decode_request, decode_acceptance):
        try:
            decode(_with(raw))
        except Violation:
            continue
