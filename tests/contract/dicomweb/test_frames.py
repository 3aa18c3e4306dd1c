"""WADO-RS frames against what pydicom reads: native, compressed, one-bit, big endian, deflated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import imagecodecs
import numpy
import pydicom
import pytest
from pydicom.encaps import generate_frames

from tests.contract.dicomweb.conftest import Door, address
from tests.support.multipart_answer import parts

Real = Callable[[str], pydicom.Dataset]

NATIVE = 'multipart/related; type="application/octet-stream"'
AS_STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
EXPLICIT = "1.2.840.10008.1.2.1"

UNCOMPRESSED = ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "emri_small.dcm", "image_dfl.dcm"]
LOSSLESS = ["JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "emri_small_jpeg_2k_lossless.dcm"]
COMPRESSED = [*LOSSLESS, "color3d_jpeg_baseline.dcm"]


def _count(dataset: pydicom.Dataset) -> int:
    return int(dataset.get("NumberOfFrames") or 1)


def _pixels(dataset: pydicom.Dataset, number: int) -> numpy.ndarray:
    array = dataset.pixel_array
    frame = array[number - 1] if _count(dataset) > 1 else array
    return frame.astype(frame.dtype.newbyteorder("<"))


@pytest.mark.parametrize("name", [*UNCOMPRESSED, *LOSSLESS])
@pytest.mark.parametrize("accept", ["", "*/*", NATIVE, f"{NATIVE}; transfer-syntax={EXPLICIT}"])
def test_a_frame_comes_native_unless_asked_otherwise(door: Door, real: Real, name: str, accept: str) -> None:
    dataset = real(name)
    number = _count(dataset)
    answer = door.get(f"{address(dataset)}/frames/{number}", **({"accept": accept} if accept else {}))
    assert answer.status == 200
    (part,) = parts(answer)
    assert part.media_type == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    if dataset.get("PlanarConfiguration") == 1:
        assert numpy.frombuffer(part.body, numpy.uint8).size == _pixels(dataset, number).size
    else:
        assert part.body == _pixels(dataset, number).tobytes()


def test_a_native_frame_leaves_straight_from_its_pack(door: Door, real: Real) -> None:
    answer = door.get(f"{address(real('CT_small.dcm'))}/frames/1")
    assert answer.sent_from_files == 128 * 128 * 2


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("form", ["octets", "own", "any image"])
def test_a_compressed_frame_comes_as_stored_when_asked(door: Door, real: Real, name: str, form: str) -> None:
    dataset = real(name)
    uid = dataset.file_meta.TransferSyntaxUID
    own = {"1.2.840.10008.1.2.5": "image/dicom-rle", "1.2.840.10008.1.2.4.50": "image/jpeg"}.get(uid, "image/jp2")
    accept = {
        "octets": AS_STORED,
        "own": f'multipart/related; type="{own}"; transfer-syntax={uid}',
        "any image": 'multipart/related; type="image/*"; transfer-syntax=*',
    }[form]
    kind = "application/octet-stream" if form == "octets" else own
    count = _count(dataset)
    answer = door.get(f"{address(dataset)}/frames/{','.join(str(n + 1) for n in range(count))}", accept=accept)
    stored = list(generate_frames(dataset.PixelData, number_of_frames=count))
    assert [part.body for part in parts(answer)] == stored
    assert {part.media_type for part in parts(answer)} == {f"{kind}; transfer-syntax={uid}"}
    assert answer.sent_from_files == sum(map(len, stored))


def test_frames_come_in_the_order_of_the_list(door: Door, real: Real) -> None:
    dataset = real("emri_small.dcm")
    answer = door.get(f"{address(dataset)}/frames/3,1,3")
    assert [part.body for part in parts(answer)] == [_pixels(dataset, n).tobytes() for n in (3, 1, 3)]
    assert [part.location.rpartition("/")[2] for part in parts(answer)] == ["3", "1", "3"]


def test_several_compressed_frames_come_native_too(door: Door, real: Real) -> None:
    dataset = real("emri_small_jpeg_2k_lossless.dcm")
    answer = door.get(f"{address(dataset)}/frames/1,2,10")
    assert [part.body for part in parts(answer)] == [_pixels(dataset, n).tobytes() for n in (1, 2, 10)]


def test_one_frame_may_come_by_itself(door: Door, real: Real) -> None:
    dataset = real("JPEG2000.dcm")
    url = f"{address(dataset)}/frames/1"
    native = door.get(url, accept="application/octet-stream")
    assert native.body == _pixels(dataset, 1).tobytes()
    assert native.header("content-type") == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    stored = door.get(url, accept="image/jp2")
    assert stored.body == next(generate_frames(dataset.PixelData, number_of_frames=1))
    assert stored.header("content-type").startswith("image/jp2; transfer-syntax=")
    many = f"{address(real('emri_small.dcm'))}/frames/1,2"
    assert door.get(many, accept="application/octet-stream").status == 406


def test_a_one_bit_frame_starts_on_a_byte(door: Door, real: Real) -> None:
    dataset = real("liver_1frame.dcm")
    (part,) = parts(door.get(f"{address(dataset)}/frames/1"))
    bits = numpy.unpackbits(numpy.frombuffer(part.body, numpy.uint8), bitorder="little")
    assert (bits[: dataset.pixel_array.size] == dataset.pixel_array.ravel()).all()


@pytest.mark.parametrize("name", ["CT_small.dcm", "emri_small_jpeg_2k_lossless.dcm", "image_dfl.dcm"])
def test_a_frame_beyond_the_last_is_not_found(door: Door, real: Real, name: str) -> None:
    dataset = real(name)
    beyond = _count(dataset) + 1
    assert door.get(f"{address(dataset)}/frames/{beyond}").status == 404
    assert door.get(f"{address(dataset)}/frames/1,{beyond}").status == 404
    assert door.get(f"{address(dataset)}/frames/{beyond}", accept=AS_STORED).status == 404


def test_an_object_without_pixels_has_no_frames(door: Door, real: Real) -> None:
    assert door.get(f"{address(real('rtplan.dcm'))}/frames/1").status == 404


@pytest.mark.parametrize("listed", ["0", "x", "1,", ",", "-1", "1.5", "1,,2", "1%2Cx", "9999999999", "１"])
def test_a_malformed_list_is_refused(door: Door, real: Real, listed: str) -> None:
    assert door.get(f"{address(real('CT_small.dcm'))}/frames/{listed}").status == 400


@pytest.mark.parametrize(
    "accept",
    [
        "image/jpeg",
        'multipart/related; type="image/jls"',
        f"{NATIVE}; transfer-syntax=1.2.840.10008.1.2.4.90",
        "text/html",
    ],
)
def test_a_form_that_cannot_be_had_is_refused(door: Door, real: Real, accept: str) -> None:
    assert door.get(f"{address(real('CT_small.dcm'))}/frames/1", accept=accept).status == 406


def test_an_asker_that_has_a_frame_is_told_so(door: Door, real: Real) -> None:
    url = f"{address(real('JPEG2000.dcm'))}/frames/1"
    first = door.get(url, accept=AS_STORED)
    assert door.get(url, accept=AS_STORED, if_none_match=first.header("etag")).status == 304
    assert door.get(url, accept=NATIVE, if_none_match=first.header("etag")).status == 200


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "emri_small.dcm"])
def test_native_frames_come_compressed_to_whom_takes_zstd(door: Door, real: Real, name: str) -> None:
    url = f"{address(real(name))}/frames/{'1,2,3,4,5' if name.startswith('emri') else '1'}"
    plain = door.get(url, accept=NATIVE)
    packed = door.get(url, accept=NATIVE, accept_encoding="gzip, deflate, br, zstd")
    assert packed.header("content-encoding") == "zstd"
    assert len(packed.body) < len(plain.body)
    assert packed.header("etag") != plain.header("etag")
    assert packed.header("vary") == plain.header("vary") == "accept, accept-encoding"
    unpacked = replace(packed, body=imagecodecs.zstd_decode(packed.body))
    assert [part.body for part in parts(unpacked)] == [part.body for part in parts(plain)]
    again = door.get(url, accept=NATIVE, accept_encoding="zstd", if_none_match=packed.header("etag"))
    assert again.status == 304


@pytest.mark.parametrize("coding", ["", "gzip", "*", "zstd;q=0", "br, zstd; q=0.000"])
def test_frames_stay_as_they_are_for_whom_does_not_take_zstd(door: Door, real: Real, coding: str) -> None:
    answer = door.get(f"{address(real('CT_small.dcm'))}/frames/1", accept=NATIVE, accept_encoding=coding)
    assert answer.header("content-encoding") == ""
    assert answer.sent_from_files == 128 * 128 * 2


def test_a_frame_is_not_compressed_a_second_time(door: Door, real: Real) -> None:
    answer = door.get(f"{address(real('JPEG2000.dcm'))}/frames/1", accept=AS_STORED, accept_encoding="zstd")
    assert answer.header("content-encoding") == ""
