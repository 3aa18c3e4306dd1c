"""An archive with real and made objects behind the DICOMweb door, without a server in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import pydicom
import pytest

from fileroom.archive.arrival import Outcome
from fileroom.archive.decode import Decoder
from fileroom.archive.documents import Documents
from fileroom.archive.search import Search
from fileroom.archive.workers import WorkerLimits
from fileroom.dicomweb.links import bulk_url
from fileroom.dicomweb.routes import routes
from fileroom.dicomweb.stow import Stow
from fileroom.web.router import Router
from tests.support.archives import Archive, ct, running_archive
from tests.support.asking import Answer, ask
from tests.support.real_objects import named

REAL = (
    "CT_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "color3d_jpeg_baseline.dcm",
    "JPEG2000.dcm",
    "emri_small.dcm",
    "emri_small_jpeg_2k_lossless.dcm",
    "liver_1frame.dcm",
    "image_dfl.dcm",
    "rtplan.dcm",
    "reportsi.dcm",
)


@dataclass
class Door:
    """The routes and what lies behind them."""

    archive: Archive
    router: Router
    documents: Documents
    files: dict[str, bytes]  # the real objects as they were stored, by name

    def get(self, target: str, **headers: str) -> Answer:
        return ask(self.router, "/dicomweb" + target, **headers)


def address(dataset: pydicom.Dataset) -> str:
    """Where an instance is, under /dicomweb."""
    return f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}"


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home = tmp_path_factory.mktemp("door")
    with running_archive(home, f"sqlite:///{home / 'index.sqlite'}") as archive:
        real = {name: _renamed(name, number) for number, name in enumerate(REAL)}
        for raw in real.values():
            assert archive.store_file(raw).outcome is Outcome.STORED
        for number in (3, 1, 2):
            archive.store(ct(number))
        archive.store(ct(1, series=2))
        documents = Documents(archive.database, archive.retriever, home / "cache", bulk_url)
        router = Router()
        decoder = Decoder(WorkerLimits(count_max=1, memory_bytes=1 << 30, seconds_max=20))
        routes(
            router,
            search=Search(archive.database),
            retriever=archive.retriever,
            decoder=decoder,
            documents=documents,
            stow=Stow(archive.receiver, "main"),
        )
        yield Door(archive, router, documents, real)
        decoder.close()


def _renamed(name: str, number: int) -> bytes:
    """A real object under a UID of its own: some of them share one."""
    dataset = pydicom.dcmread(named(name))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.8.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.8.{number}.1", f"1.2.8.{number}.1.1"
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.fixture
def real(door: Door) -> Callable[[str], pydicom.Dataset]:
    """Call it with the name of a stored real object."""
    return lambda name: pydicom.dcmread(BytesIO(door.files[name]))
