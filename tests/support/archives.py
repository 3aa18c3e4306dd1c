"""A whole archive in a temporary home, for tests that put objects in and take them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from fileroom import migrations
from fileroom.archive.packs import Packs
from fileroom.archive.receive import Receipt, ReceiveLimits, Receiver, Source
from fileroom.archive.retrieve import Retriever
from fileroom.database import Database

SOURCE = Source("import", "test", "main")
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"


@dataclass(frozen=True, slots=True)
class Archive:
    """The parts of one archive."""

    home: Path
    database: Database
    packs: Packs
    receiver: Receiver
    retriever: Retriever

    def store(self, dataset: Dataset, source: Source = SOURCE) -> Receipt:
        """Put one dataset in as a C-STORE door would."""
        return self.store_bytes(encoded(dataset), dataset.SOPInstanceUID, source)

    def store_bytes(self, raw: bytes, sop_uid: str, source: Source = SOURCE) -> Receipt:
        with self.receiver.dataset(source, EXPLICIT_LE, CT, sop_uid, "TESTER") as intake:
            intake.write(raw)
            return intake.submit().wait()

    def store_file(self, raw: bytes, source: Source = SOURCE) -> Receipt:
        """Put one Part 10 file in as STOW-RS or an import would."""
        with self.receiver.file(source, len(raw)) as intake:
            intake.write(raw)
            return intake.submit().wait()


@contextmanager
def running_archive(home: Path, database_url: str, limits: ReceiveLimits | None = None) -> Iterator[Archive]:
    """An archive whose committer runs; stopped in order at the end."""
    database = Database(database_url)
    migrations.upgrade(database)
    packs = Packs(home / "packs")
    receiver = Receiver(database, packs, limits or ReceiveLimits())
    receiver.start()
    try:
        yield Archive(home, database, packs, receiver, Retriever(database, packs))
    finally:
        receiver.stop()
        database.close()


def ct(number: int = 1, *, study: int = 1, series: int = 1, patient: str = "P1", pixels: bytes = b"") -> Dataset:
    """A small CT slice with UIDs made from its numbers."""
    dataset = Dataset()
    dataset.SOPClassUID = CT
    dataset.SOPInstanceUID = f"1.2.9.{study}.{series}.{number}"
    dataset.StudyDate = "20240131"
    dataset.Modality = "CT"
    dataset.PatientName = f"Test^{patient}"
    dataset.PatientID = patient
    dataset.StudyInstanceUID = f"1.2.9.{study}"
    dataset.SeriesInstanceUID = f"1.2.9.{study}.{series}"
    dataset.SeriesNumber = series
    dataset.InstanceNumber = number
    dataset.Rows, dataset.Columns = 4, 4
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = pixels or bytes(range(number % 200, number % 200 + 32))
    return dataset


def encoded(dataset: Dataset) -> bytes:
    """The dataset's bytes in Explicit VR Little Endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return buffer.getvalue()
