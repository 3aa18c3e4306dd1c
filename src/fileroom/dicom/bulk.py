"""Bulk values: where the value lies that a BulkDataURI of the metadata names (PS3.18 F.2.6, 10.4.1.1.5)."""

from __future__ import annotations

from fileroom.dicom.deflate import inflate
from fileroom.dicom.header import Buffer
from fileroom.dicom.heads import DEPTH_MAX, ITEM, ITEM_END, UNDEFINED, Heads
from fileroom.dicom.syntax import TransferSyntax
from fileroom.errors import NotFound


def bulk_value(dataset: Buffer, syntax: TransferSyntax, tag_path: str) -> tuple[int, int]:
    """Offset and length of the value a BulkDataURI of `to_json` names, from the dataset's start (deflated: inflated).

    The length is -1 for fragments (encapsulated pixel data), which start at the offset. Bytes are as stored: of a
    big-endian object, big-endian. Raises NotFound when nothing lies there, MalformedObject as `to_json` does.
    """
    if syntax.deflated:
        dataset = inflate(dataset)
    steps = tag_path.split("/")
    heads = Heads(dataset, syntax.big_endian)
    implicit, position, end = syntax.implicit, 0, len(dataset)
    if len(steps) % 2 == 0 or len(steps) > 2 * DEPTH_MAX + 1:
        raise NotFound("no such bulk value")
    for number in range(0, len(steps), 2):
        vr, position, length = _find(heads, _hexadecimal(steps[number], 8), position, end, implicit)
        if number + 1 == len(steps):
            return position, -1 if length == UNDEFINED else length
        implicit = implicit or vr == "UN"
        end = end if length == UNDEFINED else position + length
        position, end = _item(heads, steps[number + 1], position, end, implicit)
    raise NotFound("no such bulk value")


def _hexadecimal(step: str, digits: int) -> int:
    try:
        return int(step, 16) if len(step) == digits else -1
    except ValueError:
        return -1


def _find(heads: Heads, wanted: int, position: int, end: int, implicit: bool) -> tuple[str, int, int]:
    while position < end:
        tag, vr, start, length = heads.head(position, end, implicit)
        if tag == wanted:
            return vr, start, length
        if tag == ITEM_END:
            break
        position = heads.skip(start, end, implicit or vr == "UN") if length == UNDEFINED else start + length
    raise NotFound("no such bulk value")


def _item(heads: Heads, step: str, position: int, end: int, implicit: bool) -> tuple[int, int]:
    """Start and end of a sequence's item with this number."""
    wanted = int(step) if step.isascii() and step.isdigit() and len(step) < 9 else 0
    for _ in range(wanted):
        if position >= end:
            break
        tag, _vr, start, length = heads.head(position, end, implicit)
        if tag != ITEM:
            break
        wanted -= 1
        if not wanted:
            return start, end if length == UNDEFINED else start + length
        position = _item_end(heads, start, length, end, implicit)
    raise NotFound("no such bulk value")


def _item_end(heads: Heads, start: int, length: int, end: int, implicit: bool) -> int:
    if length != UNDEFINED:
        return start + length
    position = start
    while True:
        tag, vr, start, length = heads.head(position, end, implicit)
        if tag == ITEM_END:
            return start
        position = heads.skip(start, end, implicit or vr == "UN") if length == UNDEFINED else start + length
