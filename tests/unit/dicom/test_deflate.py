"""Deflated datasets come out as they went in, or with an error and within bounds."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.deflate import deflate, inflate, pieces
from fileroom.errors import MalformedObject


@given(st.binary(max_size=5000), st.binary(max_size=20))
def test_what_was_deflated_inflates_whatever_follows_it(dataset: bytes, behind: bytes) -> None:
    stream = deflate(dataset)
    assert len(stream) % 2 == 0
    assert inflate(stream + behind) == inflate(memoryview(stream)) == dataset


def test_large_datasets_come_in_bounded_pieces() -> None:
    dataset = bytes(range(256)) * 40_000
    made = list(pieces(deflate(dataset)))
    assert b"".join(made) == dataset
    assert max(map(len, made)) <= 1 << 20


def test_more_than_the_bound_is_refused() -> None:
    assert len(inflate(deflate(bytes(1000)), 1000)) == 1000
    with pytest.raises(MalformedObject, match="larger than 999"):
        inflate(deflate(bytes(1000)), 999)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_inflate(stream: bytes) -> None:
    try:
        ours = inflate(stream)
    except MalformedObject:
        return
    assert ours in (_raw(stream, -15), _raw(stream, 15))


def _raw(stream: bytes, wbits: int) -> bytes | None:
    try:
        return zlib.decompressobj(wbits).decompress(stream)
    except zlib.error:
        return None
