"""Command sets."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pynetdicom.dsutils import encode as encode_with_pynetdicom

from fileroom.net import command
from fileroom.net.command import RESPONSE, Field, Tag
from fileroom.net.failure import Violation

CT = "1.2.840.10008.5.1.4.1.1.2"


def _read(raw: bytes) -> Dataset:
    return read_dataset(io.BytesIO(raw), is_implicit_VR=True, is_little_endian=True)


def test_a_store_request_reads_back() -> None:
    decoded = command.decode(command.store_request(7, CT, "1.2.3", 1, ("MOVER", 9)))
    assert (decoded.field, decoded.message_id, decoded.has_dataset) == (Field.C_STORE, 7, True)
    assert (decoded.text(Tag.SOP_CLASS_UID), decoded.text(Tag.SOP_UID)) == (CT, "1.2.3")
    assert (decoded.text(Tag.ORIGINATOR_TITLE), decoded.number(Tag.ORIGINATOR_ID)) == ("MOVER", 9)


def test_pydicom_reads_our_store_request_and_its_group_length_is_right() -> None:
    raw = command.store_request(7, CT, "1.2.3", 1, ("MOVER", 9))
    read = _read(raw)
    assert read.CommandGroupLength == len(raw) - 12
    assert (read.AffectedSOPClassUID, read.MessageID, read.Priority) == (CT, 7, 1)
    assert (read.MoveOriginatorApplicationEntityTitle, read.MoveOriginatorMessageID) == ("MOVER", 9)


def test_we_read_what_pynetdicom_writes() -> None:
    sent = Dataset()
    sent.AffectedSOPClassUID, sent.CommandField, sent.MessageID = CT, 0x21, 513
    sent.Priority, sent.CommandDataSetType, sent.MoveDestination = 2, 1, "DEST"
    raw = encode_with_pynetdicom(sent, True, True)
    assert raw is not None
    decoded = command.decode(raw)
    assert (decoded.field, decoded.message_id, decoded.text(Tag.MOVE_DESTINATION)) == (Field.C_MOVE, 513, "DEST")


def test_a_response_repeats_what_was_asked_and_carries_counts() -> None:
    request = command.decode(command.store_request(7, CT, "1.2.3"))
    raw = command.response(request, 0xB000, "a comment", dataset=True, counts={"completed": 70_000, "failed": 2})
    read = _read(raw)
    assert read.CommandField == Field.C_STORE | RESPONSE
    assert (read.MessageIDBeingRespondedTo, read.Status, read.ErrorComment) == (7, 0xB000, "a comment")
    assert (read.AffectedSOPClassUID, read.AffectedSOPInstanceUID) == (CT, "1.2.3")
    assert (read.NumberOfCompletedSuboperations, read.NumberOfFailedSuboperations) == (65535, 2)
    assert command.decode(raw).has_dataset


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        command.store_request(7, CT, "1.2.3")[:-1],
        command.store_request(7, CT, "1.2.3")[:20],
        b"\x08\0\x05\0\0\0\0\0" + command.echo_request(1),
        command.encode({Tag.COMMAND_FIELD: 1, Tag.DATASET_TYPE: 0}),
        command.encode({Tag.COMMAND_FIELD: b"\1\0\0\0", Tag.MESSAGE_ID: 1, Tag.DATASET_TYPE: 0}),
    ],
    ids=["empty", "cut in a value", "cut in a header", "another group", "no message ID", "a field of four bytes"],
)
def test_what_is_no_command_set_is_a_violation(raw: bytes) -> None:
    with pytest.raises(Violation):
        command.decode(raw)


@given(st.binary(max_size=200), st.integers(0, 150))
def test_no_bytes_do_anything_but_decode_or_violate(noise: bytes, at: int) -> None:
    good = command.store_request(7, CT, "1.2.3")
    for raw in (noise, good[:at] + noise, good[:at] + noise + good[at + len(noise) :]):
        try:
            decoded = command.decode(raw)
            assert decoded.text(Tag.SOP_UID).isprintable()
            assert decoded.number(Tag.PRIORITY) >= 0
        except Violation:
            continue
