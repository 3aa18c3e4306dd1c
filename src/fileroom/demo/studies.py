"""The studies of the demonstration: people who do not exist, mammograms with priors, a chest CT with one.

The same every time: the same UIDs, the same bytes on one machine, so that loading it twice adds nothing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian

from fileroom.demo.breast import Breast, Frame, Lesion, projection
from fileroom.demo.chest import SIDE, SLICE, SPACING, Chest
from fileroom.dicom.part10 import IMPLEMENTATION_CLASS_UID

INSTITUTION = "Fileroom Demonstration"
_FRAME = Frame(2364, 1894, 0.1)
_SLICES = 110
_VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    name: str
    patient_id: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One examination."""

    person: Person
    date: str
    time: str
    accession: str
    description: str
    modality: str

    @property
    def study_uid(self) -> str:
        return _uid(self.accession, "study")


@dataclass(frozen=True, slots=True)
class Exam:
    """One mammography: how each breast is at that time."""

    visit: Visit
    left: Breast
    right: Breast


ADA = Person("Demo-Alder^Ada", "DEMO-0001", "19680314", "F")
BEA = Person("Demo-Birch^Bea", "DEMO-0002", "19741102", "F")
CLEO = Person("Demo-Cedar^Cleo", "DEMO-0003", "19590723", "F")
DOV = Person("Demo-Dogwood^Dov", "DEMO-0004", "19610905", "M")

_ROUND = Lesion("round", 30, 14, 20, 11)
_EXAMS = (
    Exam(
        Visit(ADA, "20240409", "091500", "DEMO-A-24", "SCREENING MAMMOGRAPHY", "MG"),
        Breast("ada", "L", 92, 0.45, shift=0.8),
        Breast("ada", "R", 90, 0.45, shift=-0.6),
    ),
    Exam(
        Visit(ADA, "20260414", "100500", "DEMO-A-26", "SCREENING MAMMOGRAPHY", "MG"),
        Breast("ada", "L", 92, 0.42, (Lesion("spiculated", 38, 12, 18, 13), Lesion("cluster", 30, -10, 6, 9))),
        Breast("ada", "R", 90, 0.42),
    ),
    Exam(
        Visit(BEA, "20230620", "141000", "DEMO-B-23", "SCREENING MAMMOGRAPHY", "MG"),
        Breast("bea", "L", 84, 0.8, shift=0.5),
        Breast("bea", "R", 86, 0.8, (_ROUND,), 0.7),
    ),
    Exam(
        Visit(BEA, "20250617", "143500", "DEMO-B-25", "SCREENING MAMMOGRAPHY", "MG"),
        Breast("bea", "L", 84, 0.76),
        Breast("bea", "R", 86, 0.76, (_ROUND,)),
    ),
    Exam(
        Visit(CLEO, "20231107", "080500", "DEMO-C-23", "SCREENING MAMMOGRAPHY", "MG"),
        Breast("cleo", "L", 102, 0.15, (Lesion("vascular", 60, 10, 14, 40),), 0.9),
        Breast("cleo", "R", 100, 0.15, (Lesion("coarse", 44, -12, -6, 7),), -0.4),
    ),
    Exam(
        Visit(CLEO, "20251111", "083000", "DEMO-C-25", "SCREENING MAMMOGRAPHY", "MG"),
        Breast("cleo", "L", 102, 0.13, (Lesion("vascular", 60, 10, 14, 40),)),
        Breast("cleo", "R", 100, 0.13, (Lesion("coarse", 44, -12, -6, 7),)),
    ),
)
_CHESTS = (
    Visit(DOV, "20250203", "111500", "DEMO-D-25", "CHEST WITH CONTRAST", "CT"),
    Visit(DOV, "20260211", "104500", "DEMO-D-26", "CHEST WITH CONTRAST, FOLLOW-UP", "CT"),
)
OBJECTS = 4 * len(_EXAMS) + _SLICES * len(_CHESTS)


def objects() -> Iterator[bytes]:
    """Every object of the demonstration as a Part 10 file: OBJECTS of them."""
    for exam in _EXAMS:
        for number, (breast, view) in enumerate(
            ((exam.right, "CC"), (exam.left, "CC"), (exam.right, "MLO"), (exam.left, "MLO")), 1
        ):
            yield _mammogram(exam.visit, breast, view, number)
    for visit in _CHESTS:
        chest = Chest(visit.person.patient_id, _SLICES, nodule=visit is _CHESTS[-1])
        for number in range(_SLICES):
            yield _ct(visit, chest, number)


def _uid(*parts: object) -> str:
    """A UID under 2.25 that depends on nothing but the parts (PS3.5 B.2)."""
    digest = hashlib.sha256(repr(("fileroom demonstration", parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def _common(visit: Visit, sop_class: UID, series: str, number: int, instance: int) -> Dataset:
    """Patient, General Study, General Series, General Equipment and SOP Common (PS3.3 C.7.1 to C.7.5, C.12.1)."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = _uid(visit.accession, series, instance)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = visit.date
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = visit.time
    dataset.AccessionNumber = visit.accession
    dataset.Modality = visit.modality
    dataset.Manufacturer = "Fileroom"
    dataset.ManufacturerModelName = "Phantom"
    dataset.DeviceSerialNumber = "1"
    dataset.SoftwareVersions = "1"
    dataset.InstitutionName = INSTITUTION
    dataset.ReferringPhysicianName = "Demo-Elm^Eve^^Dr"
    dataset.StudyDescription = visit.description
    dataset.SeriesDescription = series
    dataset.PatientName = visit.person.name
    dataset.PatientID = visit.person.patient_id
    dataset.PatientBirthDate = visit.person.birth_date
    dataset.PatientSex = visit.person.sex
    dataset.PatientAge = f"{int(visit.date[:4]) - int(visit.person.birth_date[:4]):03}Y"
    dataset.StudyInstanceUID = visit.study_uid
    dataset.SeriesInstanceUID = _uid(visit.accession, series)
    dataset.StudyID = visit.accession
    dataset.SeriesNumber = number
    dataset.InstanceNumber = instance
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    return dataset


def _mammogram(visit: Visit, breast: Breast, view: str, number: int) -> bytes:
    """Digital Mammography X-Ray Image, for presentation (PS3.3 A.27)."""
    brightness = projection(breast, view, _FRAME)
    pixels = np.clip(brightness * 4600, 0, 4095).astype(np.uint16)
    if breast.side == "R":  # the chest wall of a right breast is at the right edge
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    name = f"{breast.side} {view}"
    dataset = _common(visit, DigitalMammographyXRayImageStorageForPresentation, name, number, 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.BodyPartExamined = "BREAST"
    dataset.AnatomicRegionSequence = Sequence([_code("76752008", "Breast")])
    dataset.ImageLaterality = breast.side
    dataset.ViewPosition = view
    code, meaning = _VIEW_CODES[view]
    item = _code(code, meaning)
    item.ViewModifierCodeSequence = Sequence([])
    dataset.ViewCodeSequence = Sequence([item])
    inward = "R" if breast.side == "L" else "L"
    dataset.PatientOrientation = ["A" if breast.side == "L" else "P", inward if view == "CC" else f"F{inward}"]
    dataset.PositionerType = "MAMMOGRAPHIC"
    dataset.PositionerPrimaryAngle = 0 if view == "CC" else 45
    dataset.KVP = 29
    dataset.ExposureInuAs = 90000
    dataset.AnodeTargetMaterial = "TUNGSTEN"
    dataset.FilterMaterial = "RHODIUM"
    dataset.BodyPartThickness = 54
    dataset.CompressionForce = 110
    dataset.OrganDose = 0.012
    dataset.OrganExposed = "BREAST"
    dataset.DetectorType = "DIRECT"
    dataset.DetectorConfiguration = "AREA"
    dataset.DetectorID = "1"
    dataset.DistanceSourceToDetector = 700
    dataset.DistanceSourceToPatient = 660
    dataset.EstimatedRadiographicMagnificationFactor = "1.06"
    dataset.ImagerPixelSpacing = [_FRAME.spacing, _FRAME.spacing]
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.BreastImplantPresent = "NO"
    dataset.PartialView = "NO"
    dataset.AcquisitionContextSequence = Sequence([])
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = 1850, 3300
    return _file(dataset, pixels)


def _ct(visit: Visit, chest: Chest, number: int) -> bytes:
    """CT Image (PS3.3 A.3)."""
    dataset = _common(visit, CTImageStorage, "CHEST 2.5 SOFT", 2, number + 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.BodyPartExamined = "CHEST"
    dataset.KVP = 120
    dataset.SliceThickness = SLICE
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = _uid(visit.accession, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    half = SIDE * SPACING / 2
    dataset.ImagePositionPatient = [-half, -half, round(number * SLICE, 2)]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [SPACING, SPACING]
    dataset.AcquisitionNumber = 1
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 15, 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1500]
    dataset.WindowCenterWidthExplanation = ["SOFT", "LUNG"]
    return _file(dataset, chest.slice(number))


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _file(dataset: Dataset, pixels: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> bytes:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    dataset.file_meta = meta
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
