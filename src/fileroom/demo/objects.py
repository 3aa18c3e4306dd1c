"""What every object of the demonstration has in common, and how one becomes a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless

from fileroom.demo.people import INSTITUTION, Visit, uid
from fileroom.dicom.part10 import IMPLEMENTATION_CLASS_UID

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Planned:
    """One object that can be made; its names are known before."""

    sop_uid: str
    study_uid: str
    make: Callable[[], bytes]  # the Part 10 file


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a visit."""

    visit: Visit
    number: int
    description: str
    sop_class: UID

    @property
    def uid(self) -> str:
        return uid(self.visit.accession, "series", self.number)

    def plan(self, instance: int, make: Callable[[Dataset], bytes]) -> Planned:
        """Its object with that instance number; `make` is given what all objects have in common."""
        sop_uid = uid(self.visit.accession, self.number, instance)
        return Planned(sop_uid, self.visit.study_uid, lambda: make(self._header(instance, sop_uid)))

    def _header(self, instance: int, sop_uid: str) -> Dataset:
        """Patient, General Study, Series and Equipment, SOP Common (PS3.3 C.7.1 to C.7.5, C.12.1)."""
        visit, person = self.visit, self.visit.person
        dated = {f"{what}Date": visit.date for what in ("Study", "Series", "Acquisition", "Content")}
        timed = {f"{what}Time": visit.time for what in ("Study", "Series", "Acquisition", "Content")}
        return elements(
            SpecificCharacterSet="ISO_IR 192",
            SOPClassUID=self.sop_class,
            SOPInstanceUID=sop_uid,
            **dated,
            **timed,
            AccessionNumber=visit.accession,
            Modality=visit.modality,
            Manufacturer="Fileroom",
            ManufacturerModelName="Phantom",
            DeviceSerialNumber="1",
            SoftwareVersions="1",
            InstitutionName=INSTITUTION,
            ReferringPhysicianName="Demo-Elm^Eve^^Dr",
            StudyDescription=visit.description,
            SeriesDescription=self.description,
            BodyPartExamined=visit.body_part,
            PatientName=person.name,
            PatientID=person.patient_id,
            IssuerOfPatientID=INSTITUTION,
            PatientBirthDate=person.birth_date,
            PatientSex=person.sex,
            PatientAge=visit.age,
            StudyInstanceUID=visit.study_uid,
            SeriesInstanceUID=self.uid,
            StudyID=visit.accession[:16],
            SeriesNumber=self.number,
            InstanceNumber=instance,
            BurnedInAnnotation="NO",
            LossyImageCompression="00",
        )


def elements(**values: Any) -> Dataset:
    """A dataset with these elements, by keyword (PS3.6)."""
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    """One item of a code sequence (PS3.3 8.8)."""
    return elements(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def set_pixels(dataset: Dataset, shape: Sequence[int], bits: int, *, signed: bool = False) -> None:
    """The description of grey pixels (PS3.3 C.7.6.3): rows and columns, of `bits` in the smallest room."""
    dataset.SamplesPerPixel = 1
    if "PhotometricInterpretation" not in dataset:
        dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = shape
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, int(signed)


def native(dataset: Dataset, pixels: Pixels) -> bytes:
    """A file with the pixels as they are."""
    return native_bytes(dataset, pixels.tobytes(), "OB" if pixels.dtype == np.uint8 else "OW")


def native_bytes(dataset: Dataset, raw: bytes, vr: str) -> bytes:
    """A file with these bytes as its pixel data."""
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = vr
    return _file(dataset, ExplicitVRLittleEndian)


def compressed(dataset: Dataset, frames: Sequence[Pixels]) -> bytes:
    """A file with each frame compressed without loss, by JPEG-LS."""
    streams = [bytes(imagecodecs.jpegls_encode(np.ascontiguousarray(frame))) for frame in frames]
    dataset.PixelData = encapsulate(streams)
    dataset["PixelData"].VR = "OB"
    return _file(dataset, JPEGLSLossless)


def _file(dataset: Dataset, syntax: UID) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    dataset.file_meta = meta
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
