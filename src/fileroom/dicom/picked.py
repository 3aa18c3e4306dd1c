"""A few elements of a dataset as values, the rest stepped over: what a large object says at its top level (PS3.5 7)."""

from __future__ import annotations

from collections.abc import Collection

from fileroom.dicom.element import Elements
from fileroom.dicom.elements import read_elements
from fileroom.dicom.heads import UNDEFINED, Heads
from fileroom.dicom.layout import Buffer
from fileroom.dicom.syntax import TransferSyntax
from fileroom.errors import MalformedObject

VALUE_BYTES_MAX = 1 << 20  # of one element, its head counted; a larger one is left out


def pick(
    dataset: Buffer,
    syntax: TransferSyntax,
    wanted: Collection[int],
    value_bytes_max: int = VALUE_BYTES_MAX,
    *,
    all_of_them: bool = False,
) -> Elements:
    """The wanted top-level elements, whole, as they stand in the dataset. Nothing behind the last of them is read.

    `syntax`: not a deflated one. Raises MalformedObject when the dataset cannot be read so far; with `all_of_them`
    also when one is too large to be read.
    """
    heads, end, last = Heads(dataset, syntax.big_endian), len(dataset), max(wanted, default=0)
    slices: list[bytes] = []
    at = 0
    while at < end:
        if end - at >= 8:
            group, number, _, _ = heads.explicit(dataset, at)
            if group << 16 | number > last:
                break
        tag, vr, start, length = heads.head(at, end, syntax.implicit)
        behind = start + length if length != UNDEFINED else heads.skip(start, end, syntax.implicit or vr == "UN")
        if tag in wanted:
            if behind - at <= value_bytes_max:
                slices.append(bytes(dataset[at:behind]))
            elif all_of_them:
                raise MalformedObject("what the image says of its frames is larger than any is read")
        at = behind
    return read_elements(b"".join(slices), syntax)
