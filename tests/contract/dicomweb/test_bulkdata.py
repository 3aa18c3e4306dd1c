"""WADO-RS bulk data: every address that metadata gives leads to the value that was stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pydicom
import pytest
from pydicom.encaps import generate_frames

from tests.contract.dicomweb.conftest import REAL, Door, address
from tests.support.multipart_answer import parts

Real = Callable[[str], pydicom.Dataset]
BASE = "http://127.0.0.1:8080/dicomweb"


def _addresses(item: dict[str, Any], steps: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    for tag, element in item.items():
        if "BulkDataURI" in element:
            yield (*steps, int(tag, 16)), element["BulkDataURI"]
        if element["vr"] == "SQ":
            for number, inner in enumerate(element.get("Value", [])):
                yield from _addresses(inner, (*steps, int(tag, 16), number))


@pytest.mark.parametrize("name", REAL)
def test_every_address_in_metadata_leads_to_its_value(door: Door, real: Real, name: str) -> None:
    dataset = real(name)
    (item,) = door.get(address(dataset) + "/metadata").json()
    for steps, uri in _addresses(item):
        assert uri.startswith(BASE)
        answer = door.get(uri.removeprefix(BASE))
        compressed = dataset.file_meta.TransferSyntaxUID.is_compressed and steps == (0x7FE00010,)
        assert answer.status == 200
        if compressed and not dataset.file_meta.TransferSyntaxUID.is_deflated:
            assert len(parts(answer)) == int(dataset.get("NumberOfFrames") or 1)
        elif dataset.file_meta.TransferSyntaxUID.is_little_endian:
            value = dataset
            for step in steps:
                value = value[step].value if not isinstance(value, pydicom.Sequence) else value[step]
            assert b"".join(part.body for part in parts(answer)) == value


def test_a_value_may_come_by_itself_and_leaves_from_its_pack(door: Door, real: Real) -> None:
    dataset = real("CT_small.dcm")
    answer = door.get(address(dataset) + "/bulkdata/7fe00010", accept="application/octet-stream")
    assert answer.body == dataset.PixelData
    assert answer.sent_from_files == len(dataset.PixelData)
    again = door.get(
        address(dataset) + "/bulkdata/7FE00010", accept="application/octet-stream", if_none_match=answer.header("etag")
    )
    assert again.status == 304


def test_compressed_pixels_come_frame_by_frame_as_stored_when_asked(door: Door, real: Real) -> None:
    dataset = real("emri_small_jpeg_2k_lossless.dcm")
    answer = door.get(
        address(dataset) + "/bulkdata/7FE00010",
        accept='multipart/related; type="application/octet-stream"; transfer-syntax=*',
    )
    assert [part.body for part in parts(answer)] == list(generate_frames(dataset.PixelData, number_of_frames=10))


@pytest.mark.parametrize(
    "path", ["00000000", "00100010x", "x", "7FE00010/1", "7FE00010/1/00100010", "00081140/9/00081150", "%2e%2e"]
)
def test_an_address_that_leads_nowhere_is_not_found(door: Door, real: Real, path: str) -> None:
    assert door.get(f"{address(real('CT_small.dcm'))}/bulkdata/{path}").status == 404


def test_pixels_of_an_object_without_any_are_not_found(door: Door, real: Real) -> None:
    assert door.get(f"{address(real('rtplan.dcm'))}/bulkdata/7FE00010").status == 404
