"""dicomweb-client, as a program of somebody else's would use the running server."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom.encaps import generate_frames

from tests.support.fileroom import FileroomServer
from tests.support.real_objects import named

NAMES = ("CT_small.dcm", "JPEG2000.dcm", "emri_small.dcm", "MR_small_implicit.dcm", "rtplan.dcm")


@pytest.fixture(scope="module")
def datasets() -> dict[str, pydicom.Dataset]:
    return {name: pydicom.dcmread(named(name)) for name in NAMES}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, datasets: dict[str, pydicom.Dataset]) -> Iterator[DICOMwebClient]:
    server = FileroomServer(tmp_path_factory.mktemp("client") / "home")
    client = DICOMwebClient(server.dicomweb)
    client.store_instances(list(datasets.values()))
    yield client
    server.close()


def _uids(dataset: pydicom.Dataset) -> tuple[str, str, str]:
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def test_studies_series_and_instances_are_found(client: DICOMwebClient, datasets: dict[str, pydicom.Dataset]) -> None:
    ct = datasets["CT_small.dcm"]
    studies = client.search_for_studies(search_filters={"PatientName": "compressedsamples^ct*"})
    assert [pydicom.Dataset.from_json(item).StudyInstanceUID for item in studies] == [ct.StudyInstanceUID]
    series = client.search_for_series(ct.StudyInstanceUID, fields=["Manufacturer"])
    assert pydicom.Dataset.from_json(series[0]).Manufacturer == ct.Manufacturer
    instances = client.search_for_instances(search_filters={"SOPInstanceUID": ct.SOPInstanceUID})
    assert pydicom.Dataset.from_json(instances[0]).Rows == 128
    assert len(client.search_for_studies(limit=2)) == 2
    assert len(client.search_for_studies(limit=2, get_remaining=True)) == len(NAMES)
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_object_comes_back_as_it_was_sent(
    client: DICOMwebClient, datasets: dict[str, pydicom.Dataset], name: str
) -> None:
    dataset = datasets[name]
    read = client.retrieve_instance(*_uids(dataset), media_types=(("application/dicom", "*"),))
    assert read == dataset
    assert read.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
    explicit = pydicom.uid.ExplicitVRLittleEndian
    rewritten = client.retrieve_instance(*_uids(dataset), media_types=(("application/dicom", explicit),))
    assert rewritten.file_meta.TransferSyntaxUID == explicit
    (of_study,) = client.retrieve_study(dataset.StudyInstanceUID)
    assert of_study.SOPInstanceUID == dataset.SOPInstanceUID
    (of_series,) = client.retrieve_series(*_uids(dataset)[:2])
    assert of_series == of_study


def test_metadata_reads_as_the_dataset(client: DICOMwebClient, datasets: dict[str, pydicom.Dataset]) -> None:
    for dataset in datasets.values():
        item = client.retrieve_instance_metadata(*_uids(dataset))
        assert client.retrieve_series_metadata(*_uids(dataset)[:2]) == [item]
        assert client.retrieve_study_metadata(dataset.StudyInstanceUID) == [item]
        assert item["00080018"]["Value"] == [dataset.SOPInstanceUID]


def test_bulk_data_is_fetched_by_its_address(client: DICOMwebClient, datasets: dict[str, pydicom.Dataset]) -> None:
    dataset = datasets["CT_small.dcm"]
    item = client.retrieve_instance_metadata(*_uids(dataset))
    (value,) = client.retrieve_bulkdata(item["7FE00010"]["BulkDataURI"])
    assert value == dataset.PixelData


def test_frames_come_native_and_as_stored(client: DICOMwebClient, datasets: dict[str, pydicom.Dataset]) -> None:
    many = datasets["emri_small.dcm"]
    frames = client.retrieve_instance_frames(*_uids(many), frame_numbers=[2, 10])
    assert frames == [many.pixel_array[n - 1].tobytes() for n in (2, 10)]
    packed = datasets["JPEG2000.dcm"]
    (stored,) = client.retrieve_instance_frames(
        *_uids(packed), frame_numbers=[1], media_types=(("image/jp2", "1.2.840.10008.1.2.4.91"), ("image/jp2", "*"))
    )
    assert stored == next(generate_frames(packed.PixelData, number_of_frames=1))
    (native,) = client.retrieve_instance_frames(*_uids(packed), frame_numbers=[1])
    assert native == packed.pixel_array.tobytes()


def test_pictures_come_in_the_asked_form(client: DICOMwebClient, datasets: dict[str, pydicom.Dataset]) -> None:
    dataset = datasets["CT_small.dcm"]
    png = client.retrieve_instance_rendered(*_uids(dataset), media_types=("image/png",))
    assert numpy.asarray(Image.open(BytesIO(png))).shape[:2] == (128, 128)
    frame = client.retrieve_instance_frames_rendered(
        *_uids(datasets["emri_small.dcm"]), [3], media_types=("image/jpeg",), params={"quality": 80}
    )
    assert Image.open(BytesIO(frame)).format == "JPEG"
