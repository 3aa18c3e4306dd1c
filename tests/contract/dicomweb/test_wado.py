"""WADO-RS objects: as stored by sendfile, rewritten where that is not accepted, refused where it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pydicom
import pytest

from tests.contract.dicomweb.conftest import REAL, Door, address
from tests.support.archives import ct, encoded
from tests.support.multipart_answer import parts

AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
AS_DICOM = 'multipart/related; type="application/dicom"'
EXPLICIT, IMPLICIT, J2K = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.90"

Real = Callable[[str], pydicom.Dataset]


@pytest.mark.parametrize("name", REAL)
def test_an_object_comes_back_as_stored_byte_for_byte_straight_from_its_pack(door: Door, real: Real, name: str) -> None:
    dataset = real(name)
    answer = door.get(address(dataset), accept=AS_STORED)
    assert answer.status == 200
    (part,) = parts(answer)
    assert part.body == door.files[name]
    assert part.media_type == f"application/dicom; transfer-syntax={dataset.file_meta.TransferSyntaxUID}"
    assert part.location == f"http://127.0.0.1:8080/dicomweb{address(dataset)}"
    assert answer.sent_from_files == len(door.files[name])
    single = door.get(address(dataset), accept="application/dicom; transfer-syntax=*")
    assert (single.body, single.header("content-type")) == (part.body, part.media_type)


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_implicit.dcm", "JPEG2000.dcm", "rtplan.dcm", "image_dfl.dcm"]
)
@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/dicom", f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}'],
)
def test_without_a_transfer_syntax_an_object_comes_in_explicit_little_endian(
    door: Door, real: Real, name: str, accept: str
) -> None:
    dataset = real(name)
    answer = door.get(address(dataset), **({"accept": accept} if accept else {}))
    assert answer.status == 200
    body = answer.body if accept == "application/dicom" else parts(answer)[0].body
    read = pydicom.dcmread(BytesIO(body))
    assert read.file_meta.TransferSyntaxUID == EXPLICIT
    assert read.SOPInstanceUID == dataset.SOPInstanceUID
    if "PixelData" in dataset:
        assert (read.pixel_array == dataset.pixel_array).all()


def test_stored_explicit_little_endian_leaves_untouched(door: Door, real: Real) -> None:
    answer = door.get(address(real("CT_small.dcm")))
    assert parts(answer)[0].body == door.files["CT_small.dcm"]
    assert answer.sent_from_files > 30_000


def test_a_series_and_a_study_have_a_part_an_object(door: Door) -> None:
    series = door.get("/studies/1.2.9.1/series/1.2.9.1.1")
    assert [pydicom.dcmread(BytesIO(part.body)).InstanceNumber for part in parts(series)] == [1, 2, 3]
    study = door.get("/studies/1.2.9.1")
    assert [part.location.rpartition("/")[2] for part in parts(study)] == [
        "1.2.9.1.1.1",
        "1.2.9.1.1.2",
        "1.2.9.1.1.3",
        "1.2.9.1.2.1",
    ]


def test_a_compressed_object_comes_in_its_own_syntax_when_that_is_named(door: Door, real: Real) -> None:
    dataset = real("emri_small_jpeg_2k_lossless.dcm")
    answer = door.get(address(dataset), accept=f'multipart/related; type="application/dicom"; transfer-syntax={J2K}')
    assert parts(answer)[0].body == door.files["emri_small_jpeg_2k_lossless.dcm"]


@pytest.mark.parametrize(
    "accept",
    [
        f'multipart/related; type="application/dicom"; transfer-syntax={J2K}',
        "image/jpeg",
        'multipart/related; type="application/octet-stream"',
        "application/dicom+xml",
    ],
)
def test_what_cannot_be_had_as_accepted_is_refused(door: Door, real: Real, accept: str) -> None:
    answer = door.get(address(real("CT_small.dcm")), accept=accept)
    assert answer.status == 406
    assert "transfer-syntax=*" in answer.json()["hint"]


def test_the_best_accepted_form_wins(door: Door, real: Real) -> None:
    url = address(real("JPEG2000.dcm"))
    explicit_first = f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}, {AS_STORED};q=0.5'
    either = f'multipart/related; type="application/dicom"; transfer-syntax={EXPLICIT}, {AS_STORED}'
    assert EXPLICIT in parts(door.get(url, accept=explicit_first))[0].media_type
    assert parts(door.get(url, accept=either))[0].body == door.files["JPEG2000.dcm"]
    named = door.get(f"{url}?accept=application/dicom;transfer-syntax=*", accept="text/html")
    assert named.body == door.files["JPEG2000.dcm"]


def test_implicit_little_endian_is_made_on_request(door: Door, real: Real) -> None:
    dataset = real("CT_small.dcm")
    answer = door.get(address(dataset), accept=f"application/dicom; transfer-syntax={IMPLICIT}")
    read = pydicom.dcmread(BytesIO(answer.body))
    assert read.file_meta.TransferSyntaxUID == IMPLICIT
    assert read == dataset


def test_an_asker_that_has_an_object_is_told_so(door: Door, real: Real) -> None:
    url = address(real("CT_small.dcm"))
    first = door.get(url, accept=AS_STORED)
    assert first.header("cache-control") == "private, no-cache"
    assert door.get(url, accept=AS_STORED, if_none_match=first.header("etag")).status == 304
    assert door.get(url, accept="application/dicom", if_none_match=first.header("etag")).status == 200


def test_what_is_not_here_is_not_found(door: Door) -> None:
    for url in ("/studies/9", "/studies/1.2.9.1/series/9", "/studies/1.2.9.1/series/1.2.9.1.2/instances/1.2.9.1.1.1"):
        answer = door.get(url)
        assert answer.status == 404
        assert answer.json()["error"].startswith("no such")


def test_a_partly_decodable_study_says_that_it_is_partial(door: Door) -> None:
    dataset = pydicom.dcmread(BytesIO(door.files["CT_small.dcm"]))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.7.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.7", "1.2.7.2"
    buffer = BytesIO()
    dataset.save_as(buffer)
    door.archive.store_file(buffer.getvalue())
    video = pydicom.dcmread(BytesIO(door.files["JPEG2000.dcm"]))
    video.SOPInstanceUID = video.file_meta.MediaStorageSOPInstanceUID = "1.2.7.3"
    video.StudyInstanceUID, video.SeriesInstanceUID = "1.2.7", "1.2.7.2"
    video.PatientID, video.PatientName = dataset.PatientID, dataset.PatientName
    video.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, video, enforce_file_format=True)
    door.archive.store_file(buffer.getvalue())
    answer = door.get("/studies/1.2.7")
    assert answer.status == 206
    assert "left out" in answer.header("warning")
    assert [part.location.rpartition("/")[2] for part in parts(answer)] == ["1.2.7.1"]
    assert door.get("/studies/1.2.7", accept=AS_STORED).status == 200
    assert door.get("/studies/1.2.7/series/1.2.7.2/instances/1.2.7.3").status == 406


def test_bytes_received_by_c_store_come_back_as_a_file_with_the_same_dataset(door: Door) -> None:
    (part,) = parts(door.get("/studies/1.2.9.1/series/1.2.9.1.2/instances/1.2.9.1.2.1", accept=AS_STORED))
    assert part.body.endswith(encoded(ct(1, series=2)))
    assert pydicom.dcmread(BytesIO(part.body)).file_meta.MediaStorageSOPInstanceUID == "1.2.9.1.2.1"
