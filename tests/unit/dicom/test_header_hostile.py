"""Bytes that lie: the scan answers with one clear error, in bounded time and memory."""

from __future__ import annotations

import contextlib
import struct
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileroom.dicom.header import scan
from fileroom.dicom.layout import DEPTH_MAX
from fileroom.dicom.syntax import (
    DEFLATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    JPEG_BASELINE,
    TransferSyntax,
    syntax,
)
from fileroom.errors import FileroomError, MalformedObject
from tests.support.raw_elements import EXPLICIT, IMPLICIT, UNDEFINED, element, identity, item, sequence, sequence_end

PLAIN = [syntax(uid) for uid in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE)]


def pieces(to: TransferSyntax) -> list[bytes]:
    """The elements of an object with everything in it, each whole."""
    inside = element(0x00080060, "CS", b"SR", to=to) + element(0x00400A30, "UT", b"text", to=to)
    parts = [
        element(0x00080005, "CS", b"ISO_IR 100", to=to),
        *_identity_elements(to),
        element(0x00280010, "US", b"\1\0", to=to),
        sequence(0x00400275, item(inside, to=to), to=to),
        sequence(0x00400555, item(inside, to=to, undefined=True), item(b"", to=to), to=to, undefined=True),
        element(0x00420011, "OB", b"%PDF", to=to),
    ]
    if to.encapsulated:
        parts.append(element(0x7FE00010, "OB", item(b"") + item(b"abcd") + sequence_end(), length=UNDEFINED))
    else:
        parts.append(element(0x7FE00010, "OW", bytes(8), to=to))
    return [part for part in parts if part]


def _identity_elements(to: TransferSyntax) -> list[bytes]:
    whole, size = identity(to), len(identity(to))
    starts = [whole.index(struct.pack((">" if to.big_endian else "<") + "HH", *tag)) for tag in _IDENTITY_TAGS]
    return [whole[a:b] for a, b in zip(starts, [*starts[1:], size], strict=True)]


_IDENTITY_TAGS = ((8, 0x16), (8, 0x18), (0x20, 0x0D), (0x20, 0x0E))


def sequence_of_depth(depth: int, to: TransferSyntax) -> bytes:
    """Sequences of undefined length inside each other."""
    opening = element(0x00400A73, "SQ", item(b"", to=to, undefined=True)[:8], to=to, length=UNDEFINED)
    closing = item(b"", to=to, undefined=True)[8:] + sequence_end(to)
    return opening * depth + closing * depth


@pytest.mark.parametrize("to", [*PLAIN, syntax(JPEG_BASELINE)], ids=lambda to: to.name)
def test_a_dataset_cut_at_any_byte_is_refused_unless_the_cut_is_between_elements(to: TransferSyntax) -> None:
    parts = pieces(to)
    whole = b"".join(parts)
    scan(whole, to)
    boundaries = {len(b"".join(parts[:count])) for count in range(len(parts) + 1)}
    after_uids = len(b"".join(parts[:5]))
    for size in range(len(whole)):
        if size in boundaries and size >= after_uids:
            scan(whole[:size], to)
        else:
            with pytest.raises(MalformedObject):
                scan(whole[:size], to)


def test_a_deflated_dataset_cut_at_any_byte_is_refused() -> None:
    deflater = zlib.compressobj(wbits=-15)
    stream = deflater.compress(b"".join(pieces(EXPLICIT))) + deflater.flush()
    scan(stream, syntax(DEFLATED_LE))
    for size in range(len(stream)):
        with pytest.raises(MalformedObject):
            scan(stream[:size], syntax(DEFLATED_LE))


@pytest.mark.parametrize("to", PLAIN, ids=lambda to: to.name)
def test_sequences_may_lie_64_deep_and_no_deeper(to: TransferSyntax) -> None:
    assert scan(sequence_of_depth(DEPTH_MAX, to) + identity(to), to).values
    for depth in (DEPTH_MAX + 1, 10_000):
        with pytest.raises(MalformedObject, match="deep"):
            scan(sequence_of_depth(depth, to) + identity(to), to)


@pytest.mark.parametrize(
    "lie",
    [
        element(0x00100010, "PN", b"DOE", length=0xFFFF),
        element(0x00091001, "OB", b"", length=0xFFFFFFFE),
        element(0x00091001, "UN", b"", length=UNDEFINED),
        element(0x00081140, "SQ", item(b"ab") + b"junkjunk", length=UNDEFINED),
        element(0x00081140, "SQ", item(b"", undefined=True)[:8] + sequence_end(), length=UNDEFINED),
        sequence(0x00081140, struct.pack("<HHI", 0xFFFE, 0xE000, 0x7FFFFFFF), undefined=True),
        element(0x7FE00010, "OB", item(b"a", undefined=True), length=UNDEFINED) + sequence_end(),
        item(element(0x00100020, "LO", b"OTHER ")),
        struct.pack("<HHI", 0xFFFE, 0xE00D, 0),
        b"\1",
        b"\0" * 9 + b"\1",
    ],
)
def test_structures_that_lie_are_refused(lie: bytes) -> None:
    with pytest.raises(MalformedObject):
        scan(identity() + lie, EXPLICIT)


@pytest.mark.parametrize("to", PLAIN, ids=lambda to: to.name)
def test_an_item_must_end_before_its_sequence_does(to: TransferSyntax) -> None:
    whole = item(element(0x00100020, "LO", b"OTHER ", to=to), to=to, undefined=True)
    begun, ended = whole[:-8], whole[-8:]
    for rest in (sequence_end(to) + ended, whole):
        lie = element(0x00081140, "SQ", begun + rest + sequence_end(to), to=to, length=UNDEFINED)
        with pytest.raises(MalformedObject, match="does not end"):
            scan(identity(to) + lie, to)


@pytest.mark.parametrize("bytes_", [b"", b"\0" * 1000, b"GIF89a" * 100, b"<html>" * 100, b"\xff" * 1000])
@pytest.mark.parametrize("to", [*PLAIN, syntax(DEFLATED_LE)], ids=lambda to: to.name)
def test_what_is_no_dataset_is_refused(bytes_: bytes, to: TransferSyntax) -> None:
    with pytest.raises(MalformedObject):
        scan(bytes_, to)


def test_a_deflate_bomb_is_refused_in_bounded_memory() -> None:
    deflater = zlib.compressobj(9, wbits=-15)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    repeated = zlib.compressobj(9, wbits=-15)
    repeated.compress(bytes(1 << 20))
    piece = repeated.flush(zlib.Z_FULL_FLUSH)
    bomb = block + piece * 1100  # more than 1 GiB when inflated
    tracemalloc.start()
    try:
        with pytest.raises(MalformedObject, match="larger than"):
            scan(bomb, syntax(DEFLATED_LE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 << 20


@pytest.mark.parametrize(
    "many",
    [
        element(0x00091001, "LO", b"") * 200_000,
        element(0x00091001, "", b"", to=IMPLICIT) * 200_000,
        sequence(0x00091001, item(b"") * 200_000, undefined=True),
        sequence(0x00091001, item(element(0x00100020, "LO", b"") * 200_000, undefined=True), undefined=True),
        element(0x7FE00010, "OB", item(b"") * 200_000, length=UNDEFINED) + sequence_end(),
        sequence(0x00091001, item(b"", undefined=True)) * 60_000,
    ],
)
def test_very_many_elements_take_bounded_time(many: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(MalformedObject):
        scan(identity() + many, EXPLICIT)
    assert time.process_time() - began < 2


def test_more_elements_than_any_object_has_are_refused() -> None:
    with pytest.raises(MalformedObject, match="elements"):
        scan(identity() + element(0x00091001, "LO", b"") * (1 << 17), EXPLICIT)


SYNTAXES = [*PLAIN, syntax(JPEG_BASELINE), syntax(DEFLATED_LE), syntax("1.2.3.4")]


@settings(max_examples=300)
@given(st.sampled_from(SYNTAXES), st.data())
def test_random_damage_raises_nothing_but_our_errors_in_a_moment(to: TransferSyntax, data: st.DataObject) -> None:
    whole = bytearray(b"".join(pieces(EXPLICIT if to.deflated else to)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        match data.draw(st.sampled_from(["change", "drop", "insert", "copy"])):
            case "change":
                whole[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0xFE, 0xFF]) | st.integers(0, 255))
            case "drop":
                del whole[at : at + data.draw(st.integers(1, 9))]
            case "insert":
                whole[at:at] = data.draw(st.binary(min_size=1, max_size=9))
            case "copy":
                whole[at:at] = whole[data.draw(st.integers(0, len(whole) - 1)) :][:40]
        if not whole:
            return
    began = time.process_time()
    with contextlib.suppress(FileroomError):
        scan(bytes(whole), to)
    assert time.process_time() - began < 0.5


@given(st.sampled_from(SYNTAXES), st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_our_errors(to: TransferSyntax, dataset: bytes) -> None:
    with pytest.raises(FileroomError):
        scan(dataset, to)
