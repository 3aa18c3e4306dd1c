"""DIMSE command sets: always Implicit VR Little Endian, group 0000 (PS3.7 6.3, 9.3, E)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from fileroom.net.associate import text_of
from fileroom.net.failure import Violation

RESPONSE = 0x8000  # the bit a response's command field has
DATASET = 0x0001  # any number but the next one
NO_DATASET = 0x0101

_ELEMENT = struct.Struct("<HHI")
_SHORT = struct.Struct("<H")


class Field(IntEnum):
    """Command Field (0000,0100) of the requests that Fileroom knows (PS3.7 E.1)."""

    C_STORE = 0x0001
    C_GET = 0x0010
    C_FIND = 0x0020
    C_MOVE = 0x0021
    C_ECHO = 0x0030
    C_CANCEL = 0x0FFF


class Tag(IntEnum):
    """Elements of a command set (PS3.7 E.1), group 0000."""

    SOP_CLASS_UID = 0x0002
    REQUESTED_SOP_CLASS_UID = 0x0003
    COMMAND_FIELD = 0x0100
    MESSAGE_ID = 0x0110
    ANSWERED_ID = 0x0120  # Message ID Being Responded To
    MOVE_DESTINATION = 0x0600
    PRIORITY = 0x0700
    DATASET_TYPE = 0x0800
    STATUS = 0x0900
    ERROR_COMMENT = 0x0902
    SOP_UID = 0x1000
    REQUESTED_SOP_UID = 0x1001
    REMAINING = 0x1020
    COMPLETED = 0x1021
    FAILED = 0x1022
    WARNING = 0x1023
    ORIGINATOR_TITLE = 0x1030
    ORIGINATOR_ID = 0x1031


# The same as plain numbers, for every response: a member of an enumeration takes longer to find
_SOP_CLASS_UID, _REQUESTED_SOP_CLASS_UID = int(Tag.SOP_CLASS_UID), int(Tag.REQUESTED_SOP_CLASS_UID)
_SOP_UID, _REQUESTED_SOP_UID = int(Tag.SOP_UID), int(Tag.REQUESTED_SOP_UID)
# What stands in each: the heads of four numbers, followed by their values
_FIELD_HEAD, _ANSWERED_HEAD, _DATASET_HEAD, _STATUS_HEAD = (
    _ELEMENT.pack(0, tag, 2) for tag in (Tag.COMMAND_FIELD, Tag.ANSWERED_ID, Tag.DATASET_TYPE, Tag.STATUS)
)
_ANSWER = struct.Struct("<8sH8sH8sH8sH")
_GROUP_LENGTH = struct.Struct("<HHII")


class Command(NamedTuple):
    """One received command set."""

    field: int  # Command Field, with RESPONSE set in a response
    message_id: int  # of the request: Message ID, or Message ID Being Responded To; 0 when absent
    has_dataset: bool
    elements: Mapping[int, bytes]  # element number in group 0000 -> value as sent

    def text(self, tag: int) -> str:
        """A text or UID element without padding, "" when absent; unprintable bytes become `?`."""
        value = self.elements.get(tag)
        return text_of(value) if value else ""

    def number(self, tag: int, default: int = 0) -> int:
        """A US element. Raises Violation when it is not two bytes."""
        value = self.elements.get(tag)
        if not value:
            return default
        if len(value) != 2:
            raise Violation("a number in a command set is not two bytes")
        return value[0] | value[1] << 8

    @property
    def status(self) -> int:
        """A response's status. Raises Violation when there is none."""
        if Tag.STATUS not in self.elements:
            raise Violation("a response has no status")
        return self.number(Tag.STATUS)


def decode(data: bytes) -> Command:
    """A command set from its bytes. Raises Violation when they are not one."""
    elements: dict[int, bytes] = {}
    at, end = 0, len(data)
    unpack = _ELEMENT.unpack_from
    while at < end:
        if at + 8 > end:
            raise Violation("a command set is cut short")
        group, element, length = unpack(data, at)
        at += 8
        if group or at + length > end:
            raise Violation("a command set holds another group, or a length past its end")
        elements[element] = data[at : at + length]
        at += length
    try:
        (field,) = _SHORT.unpack(elements[Tag.COMMAND_FIELD])
        (dataset_type,) = _SHORT.unpack(elements[Tag.DATASET_TYPE])
        answers = field & RESPONSE or field == Field.C_CANCEL
        (message_id,) = _SHORT.unpack(elements[Tag.ANSWERED_ID if answers else Tag.MESSAGE_ID])
    except (KeyError, struct.error) as error:
        raise Violation("a command set lacks its field, its message ID or its dataset type") from error
    return Command(field, message_id, dataset_type != NO_DATASET, elements)


def encode(elements: Mapping[int, bytes | int | str]) -> bytes:
    """A command set with its group length. Numbers are US, text is padded with a null to even length.

    `elements` must be in ascending order. AE titles and comments are to be passed as bytes padded with a space.
    """
    body = b"".join(
        _element(tag, _SHORT.pack(value))
        if isinstance(value, int)
        else _element(tag, value if isinstance(value, bytes) else value.encode("ascii", "replace"))
        for tag, value in elements.items()
    )
    return _GROUP_LENGTH.pack(0, 0, 4, len(body)) + body


def _element(tag: int, value: bytes) -> bytes:
    if len(value) & 1:
        value += b"\0"
    return _ELEMENT.pack(0, tag, len(value)) + value


def padded(text: str, length_max: int) -> bytes:
    """Text as an AE, LO or SH value: ASCII, cut to `length_max`, padded with a space to even length."""
    data = text.encode("ascii", "replace")[:length_max]
    return data + b" " if len(data) & 1 else data


def response(
    request: Command, status: int, comment: str = "", *, dataset: bool = False, counts: Mapping[str, int] | None = None
) -> bytes:
    """The response to any request of ours: the request's SOP class and instance, a status, perhaps a comment.

    `counts`: remaining, completed, failed, warning sub-operations (C-GET, C-MOVE).
    """
    asked = request.elements.get
    sop_class = asked(_SOP_CLASS_UID) or asked(_REQUESTED_SOP_CLASS_UID)
    sop_uid = asked(_SOP_UID) or asked(_REQUESTED_SOP_UID)
    body = _ANSWER.pack(
        *(_FIELD_HEAD, request.field | RESPONSE, _ANSWERED_HEAD, request.message_id),
        *(_DATASET_HEAD, DATASET if dataset else NO_DATASET, _STATUS_HEAD, status),
    )
    if sop_class:
        body = _element(_SOP_CLASS_UID, sop_class) + body
    if comment:
        body += _element(Tag.ERROR_COMMENT, padded(comment, 64))
    if sop_uid:
        body += _element(_SOP_UID, sop_uid)
    if counts:
        for name, tag in _COUNTS:
            if name in counts:
                body += _element(tag, _SHORT.pack(min(counts[name], 0xFFFF)))
    return _GROUP_LENGTH.pack(0, 0, 4, len(body)) + body


_COUNTS = (
    ("remaining", Tag.REMAINING),
    ("completed", Tag.COMPLETED),
    ("failed", Tag.FAILED),
    ("warning", Tag.WARNING),
)


def store_request(
    message_id: int, sop_class_uid: str, sop_uid: str, priority: int = 0, originator: tuple[str, int] | None = None
) -> bytes:
    """A C-STORE-RQ (PS3.7 9.3.1.1). `originator`: AE title and message ID of the C-MOVE it is for."""
    elements: dict[int, bytes | int | str] = {
        Tag.SOP_CLASS_UID: sop_class_uid,
        Tag.COMMAND_FIELD: Field.C_STORE,
        Tag.MESSAGE_ID: message_id,
        Tag.PRIORITY: priority,
        Tag.DATASET_TYPE: DATASET,
        Tag.SOP_UID: sop_uid,
    }
    if originator is not None:
        elements[Tag.ORIGINATOR_TITLE] = padded(originator[0], 16)
        elements[Tag.ORIGINATOR_ID] = originator[1]
    return encode(elements)


def echo_request(message_id: int) -> bytes:
    """A C-ECHO-RQ (PS3.7 9.3.5.1)."""
    return encode(
        {
            Tag.SOP_CLASS_UID: "1.2.840.10008.1.1",
            Tag.COMMAND_FIELD: Field.C_ECHO,
            Tag.MESSAGE_ID: message_id,
            Tag.DATASET_TYPE: NO_DATASET,
        }
    )
