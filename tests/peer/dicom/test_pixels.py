"""Decoded frames equal pydicom's, and dcmtk's where pydicom has no decoder, over every real object it ships."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.frames import frame_table
from fileroom.dicom.header import Pixels, scan
from fileroom.dicom.part10 import read_meta
from fileroom.dicom.pixels import NativeFrame, decode_frame
from fileroom.dicom.syntax import (
    DEFLATED_FRAMES,
    ENCAPSULATED_LE,
    HTJ2K_LOSSLESS,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    JPEG_LS_LOSSLESS,
    JPEG_XL_LOSSLESS,
    RLE_LOSSLESS,
    syntax,
)
from fileroom.errors import UndecodableImage
from tests.support.real_images import RealImage, all_images, image

Array = numpy.ndarray[Any, Any]
BROKEN_ON_PURPOSE = {"JPEG2000-embedded-sequence-delimiter.dcm", "badVR.dcm"}
DECODED = [
    i
    for i in all_images()
    if i.path.name not in BROKEN_ON_PURPOSE
    and (i.syntax.encapsulated or i.syntax.big_endian or i.pixels.bits_allocated == 1)
]


def reference(one: RealImage, tmp_path: Path) -> Array:
    """All frames by another decoder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            frames = pydicom.dcmread(one.path).pixel_array
        except RuntimeError:
            out = tmp_path / "native.dcm"
            subprocess.run(["/usr/bin/dcmdjpeg", str(one.path), str(out)], check=True)
            frames = pydicom.dcmread(out).pixel_array
    return frames if one.pixels.frames > 1 else frames[numpy.newaxis]


def as_array(frame: NativeFrame, like: Array) -> Array:
    pixels = frame.pixels
    if pixels.bits_allocated == 1:
        return numpy.unpackbits(numpy.frombuffer(frame.data, "u1"), bitorder="little")[: like.size].reshape(like.shape)
    values = numpy.frombuffer(frame.data, like.dtype.newbyteorder("<"))
    if pixels.samples > 1 and pixels.planar == 1:
        return values.reshape(pixels.samples, pixels.rows, pixels.columns).transpose(1, 2, 0)
    return values.reshape(like.shape)


@pytest.mark.parametrize("one", DECODED, ids=lambda one: one.path.name)
def test_every_frame_equals_another_decoders(one: RealImage, tmp_path: Path) -> None:
    expected = reference(one, tmp_path)
    assert one.table.count == one.pixels.frames == len(expected)
    for number in range(0, one.table.count, 7):
        if one.table.native:
            frame = NativeFrame(one.table.carve(number, one.stream(number)), one.pixels)
        else:
            frame = decode_frame(one.stream(number), one.pixels, one.syntax)
        assert numpy.array_equal(as_array(frame, expected[number]), expected[number]), number


def test_many_syntaxes_were_among_them() -> None:
    assert len({image.syntax.uid for image in DECODED}) >= 9
    assert len(DECODED) > 60


def declared(picture: Array, stored: int, planar: int = 0) -> Pixels:
    samples = picture.shape[2] if picture.ndim == 3 else 1
    kind = "RGB" if samples == 3 else "MONOCHROME2"
    signed = int(picture.dtype.kind == "i")
    bits = picture.dtype.itemsize * 8
    return Pixels("PixelData", 0, -1, *picture.shape[:2], samples, bits, stored, stored - 1, signed, planar, 1, kind)


def pictures() -> list[tuple[Array, int]]:
    random = numpy.random.default_rng(3)
    grey = random.integers(0, 4096, (37, 29)).astype("u2")
    return [
        (random.integers(0, 256, (37, 29)).astype("u1"), 8),
        (random.integers(0, 256, (37, 29, 3)).astype("u1"), 8),
        (grey, 12),
        (random.integers(0, 65536, (37, 29)).astype("u2"), 16),
        (random.integers(0, 65536, (37, 29, 3)).astype("u2"), 16),
        (grey.astype("i2") - 2048, 16),
    ]


def encode(uid: str, picture: Array) -> bytes:
    unsigned = picture.view("u2") if picture.dtype.kind == "i" else picture
    bits = picture.dtype.itemsize * 8
    encoders: dict[str, Any] = {
        JPEG_LS_LOSSLESS: lambda: imagecodecs.jpegls_encode(unsigned),
        HTJ2K_LOSSLESS: lambda: imagecodecs.htj2k_encode(picture, reversible=True),
        JPEG_2000_LOSSLESS: lambda: imagecodecs.jpeg2k_encode(picture, codecformat="J2K", reversible=True),
        JPEG_XL_LOSSLESS: lambda: imagecodecs.jpegxl_encode(unsigned, lossless=True),
        JPEG_LOSSLESS: lambda: imagecodecs.jpeg8_encode(unsigned, lossless=True, bitspersample=bits, predictor=5),
        DEFLATED_FRAMES: lambda: imagecodecs.deflate_encode(picture.tobytes(), raw=True),
        ENCAPSULATED_LE: picture.tobytes,
    }
    stream = bytes(encoders[uid]())
    return stream + b"\0" * (len(stream) % 2)


LOSSLESS = (
    JPEG_LS_LOSSLESS,
    HTJ2K_LOSSLESS,
    JPEG_2000_LOSSLESS,
    JPEG_XL_LOSSLESS,
    JPEG_LOSSLESS,
    DEFLATED_FRAMES,
    ENCAPSULATED_LE,
)


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("uid", LOSSLESS)
def test_a_lossless_codec_gives_back_what_went_in(uid: str, number: int) -> None:
    picture, stored = pictures()[number]
    frame = decode_frame(encode(uid, picture), declared(picture, stored), syntax(uid))
    assert bytes(frame.data) == picture.tobytes()


@pytest.mark.parametrize("uid", [JPEG_LS_LOSSLESS, JPEG_2000_LOSSLESS])
def test_a_declared_planar_configuration_is_kept(uid: str) -> None:
    picture, stored = pictures()[1]
    frame = decode_frame(encode(uid, picture), declared(picture, stored, planar=1), syntax(uid))
    assert bytes(frame.data) == picture.transpose(2, 0, 1).tobytes()
    assert frame.pixels.planar == 1


@pytest.mark.parametrize("predictor", range(1, 8))
def test_jpeg_lossless_of_every_predictor_decodes_as_it_was(
    predictor: int, tmp_path: Path, dcmtk: Callable[[str], str]
) -> None:
    whole, packed = image("MR_small.dcm"), tmp_path / "packed.dcm"
    encode = [dcmtk("dcmcjpeg"), "--encode-lossless", "--selection-value", str(predictor), "--true-lossless"]
    subprocess.run([*encode, str(whole.path), str(packed)], check=True)
    assert first_frame(packed).data == whole.stream(0)


@pytest.mark.parametrize("interleave", ["line", "sample", "none"])
@pytest.mark.parametrize("name", ["SC_rgb.dcm", "MR_small.dcm"])
def test_jpeg_ls_of_dcmtk_decodes_as_it_was(
    name: str, interleave: str, tmp_path: Path, dcmtk: Callable[[str], str]
) -> None:
    whole, packed = image(name), tmp_path / "packed.dcm"
    subprocess.run([dcmtk("dcmcjpls"), f"--interleave-{interleave}", str(whole.path), str(packed)], check=True)
    assert bytes(first_frame(packed).data) == whole.stream(0)


@pytest.mark.parametrize("kind", ["--encode-baseline", "--encode-extended"])
@pytest.mark.parametrize("colour", ["--color-ybr", "--color-rgb"])
def test_lossy_jpeg_of_dcmtk_decodes_as_dcmtk_does(
    kind: str, colour: str, tmp_path: Path, dcmtk: Callable[[str], str]
) -> None:
    packed, native = tmp_path / "packed.dcm", tmp_path / "native.dcm"
    source = image("SC_rgb.dcm").path
    subprocess.run([dcmtk("dcmcjpeg"), kind, colour, str(source), str(packed)], check=True)
    subprocess.run([dcmtk("dcmdjpeg"), "--planar-auto", str(packed), str(native)], check=True)
    frame = first_frame(packed)
    theirs = pydicom.dcmread(native)
    assert frame.pixels.photometric == theirs.PhotometricInterpretation == "RGB"
    difference = as_array(frame, theirs.pixel_array).astype(int) - theirs.pixel_array
    assert numpy.abs(difference).max() <= 3


def first_frame(path: Path) -> NativeFrame:
    raw = path.read_bytes()
    meta = read_meta(raw)
    dataset, kind = raw[meta.dataset_offset :], syntax(meta.transfer_syntax)
    header = scan(dataset, kind)
    table = frame_table(dataset, header, kind)
    assert table is not None
    assert header.pixels is not None
    stream = b"".join(dataset[at : at + size] for at, size in table.fragments(0))
    return decode_frame(stream, header.pixels, kind)


def test_a_sign_the_encoder_forgot_is_put_right() -> None:
    one = image("J2K_pixelrep_mismatch.dcm")
    assert one.pixels.pixel_representation == 1
    assert numpy.frombuffer(decode_frame(one.stream(0), one.pixels, one.syntax).data, "<i2").min() == -2000


def test_what_does_not_fit_the_declaration_is_refused() -> None:
    picture, stored = pictures()[2]
    stream, right = encode(JPEG_LS_LOSSLESS, picture), declared(picture, stored)
    lies = {"rows": (0, 36), "columns": (30,), "samples": (3,), "bits_allocated": (8, 24)}
    for wrong in [{name: value} for name, values in lies.items() for value in values]:
        with pytest.raises(UndecodableImage):
            decode_frame(stream, replace(right, **wrong), syntax(JPEG_LS_LOSSLESS))  # type: ignore[arg-type]
    with pytest.raises(UndecodableImage, match="video"):
        decode_frame(stream, right, syntax("1.2.840.10008.1.2.4.102"))
    with pytest.raises(UndecodableImage):
        decode_frame(stream, right, syntax("1.2.3.4.5"))


@given(st.binary(max_size=300), st.sampled_from([RLE_LOSSLESS, DEFLATED_FRAMES, ENCAPSULATED_LE, *LOSSLESS[:5]]))
def test_hostile_bytes_are_an_error_or_a_frame_of_the_declared_size(stream: bytes, uid: str) -> None:
    picture, stored = pictures()[2]
    starts = {JPEG_LS_LOSSLESS: b"\xff\xd8\xff\xf7", JPEG_LOSSLESS: b"\xff\xd8\xff\xc3"}
    try:
        frame = decode_frame(starts.get(uid, b"") + stream, declared(picture, stored), syntax(uid))
    except UndecodableImage:
        return
    assert len(frame.data) == picture.nbytes
