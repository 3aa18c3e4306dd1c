"""Mammograms for presentation, four views an examination, each with its prior; one tomosynthesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset
from pydicom.uid import BreastTomosynthesisImageStorage, DigitalMammographyXRayImageStorageForPresentation

from fileroom.demo.breast import Breast, Frame, Lesion, projection
from fileroom.demo.objects import Planned, Series, code, compressed, elements, native, set_pixels
from fileroom.demo.people import ADA, BEA, CLEO, Person, Visit
from fileroom.demo.tomosynthesis import tomosynthesis

VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))
VIEW_CODES = {"CC": ("399162004", "cranio-caudal"), "MLO": ("399368009", "medio-lateral oblique")}
_LARGE, _SMALL = Frame(3328, 2560, 0.07), Frame(2294, 1914, 0.1)


@dataclass(frozen=True, slots=True)
class Exam:
    """One mammography: how each breast is at that time, and how the unit writes its images."""

    visit: Visit
    left: Breast
    right: Breast
    frame: Frame = _SMALL
    bits: int = 12
    inverted: bool = False  # MONOCHROME1
    compressed: bool = True


def _visit(person: Person, date: str, time: str) -> Visit:
    accession = f"{person.patient_id}-MG{date[2:4]}"
    return Visit(person, date, time, accession, "SCREENING MAMMOGRAPHY", "MG", "BREAST")


_ROUND = Lesion("round", 30, 14, 20, 11)
_VESSEL = Lesion("vascular", 60, 10, 14, 40)
_COARSE = Lesion("coarse", 44, -12, -6, 7)
_SPICULATED, _CLUSTER = Lesion("spiculated", 42, 22, 24, 14), Lesion("cluster", 34, 10, 16, 9)
EXAMS = (
    Exam(
        _visit(ADA, "20240409", "091500"),
        Breast("ada", "L", 92, 0.45, shift=0.8),
        Breast("ada", "R", 90, 0.45, shift=-0.6),
        _LARGE,
    ),
    Exam(  # a new mass on the left and new calcifications on the right
        _visit(ADA, "20260414", "100500"),
        Breast("ada", "L", 92, 0.42, (_SPICULATED,)),
        Breast("ada", "R", 90, 0.42, (_CLUSTER,)),
        _LARGE,
        compressed=False,
    ),
    Exam(
        _visit(BEA, "20230620", "141000"),
        Breast("bea", "L", 84, 0.8, shift=0.5),
        Breast("bea", "R", 86, 0.8, (_ROUND,), 0.7),
        inverted=True,
    ),
    Exam(
        _visit(BEA, "20250617", "143500"),
        Breast("bea", "L", 84, 0.76),
        Breast("bea", "R", 86, 0.76, (_ROUND,)),
        bits=14,
    ),
    Exam(
        _visit(CLEO, "20231107", "080500"),
        Breast("cleo", "L", 102, 0.15, (_VESSEL,), 0.9),
        Breast("cleo", "R", 100, 0.15, (_COARSE,), -0.4),
    ),
    Exam(
        _visit(CLEO, "20251111", "083000"),
        Breast("cleo", "L", 102, 0.13, (_VESSEL,)),
        Breast("cleo", "R", 100, 0.13, (_COARSE,)),
    ),
)


def plan() -> Iterator[Planned]:
    """Every mammogram, then the tomosynthesis of the examination with the mass."""
    for exam in EXAMS:
        for number, (side, view) in enumerate(VIEWS, 1):
            yield _plan_view(exam, side, view, number)
    current = EXAMS[1]
    series = Series(current.visit, 5, "L MLO TOMOSYNTHESIS", BreastTomosynthesisImageStorage)
    yield series.plan(1, lambda header: tomosynthesis(header, current.left))


def _plan_view(exam: Exam, side: str, view: str, number: int) -> Planned:
    series = Series(exam.visit, number, f"{side} {view}", DigitalMammographyXRayImageStorageForPresentation)
    breast = exam.right if side == "R" else exam.left
    return series.plan(1, lambda header: mammogram(header, exam, breast, view))


def mammogram(dataset: Dataset, exam: Exam, breast: Breast, view: str) -> bytes:
    """Digital Mammography X-Ray Image, for presentation (PS3.3 A.27)."""
    top = (1 << exam.bits) - 1
    brightness = projection(breast, view, exam.frame)
    np.clip(brightness * np.float32(top * 1.1), 0, top, out=brightness)
    pixels = brightness.astype(np.uint16)
    if breast.side == "R":  # the chest wall of a right breast is at the right edge
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    centre = round(0.50 * top)
    if exam.inverted:
        pixels, centre = top - pixels, top - centre
        dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.update(_view_elements(breast.side, view))
    dataset.update(_detector_elements(exam.frame.spacing))
    dataset.update(
        elements(
            PixelIntensityRelationship="LOG",
            PixelIntensityRelationshipSign=-1 if exam.inverted else 1,
            RescaleIntercept=0,
            RescaleSlope=1,
            RescaleType="US",
            PresentationLUTShape="INVERSE" if exam.inverted else "IDENTITY",
            WindowCenter=centre,
            WindowWidth=round(0.78 * top),
        )
    )
    set_pixels(dataset, pixels.shape, exam.bits)
    return compressed(dataset, [pixels]) if exam.compressed else native(dataset, pixels)


def _view_elements(side: str, view: str) -> Dataset:
    """Which breast from where (PS3.3 C.8.11.7, C.7.6.1)."""
    inward = "R" if side == "L" else "L"
    item = code(*VIEW_CODES[view])
    item.ViewModifierCodeSequence = []
    return elements(
        ImageType=["ORIGINAL", "PRIMARY"],
        PresentationIntentType="FOR PRESENTATION",
        AnatomicRegionSequence=[code("76752008", "Breast")],
        ImageLaterality=side,
        ViewPosition=view,
        ViewCodeSequence=[item],
        PatientOrientation=["A" if side == "L" else "P", inward if view == "CC" else f"F{inward}"],
        PositionerPrimaryAngle=0 if view == "CC" else 45,
        BreastImplantPresent="NO",
        PartialView="NO",
        AcquisitionContextSequence=[],
    )


def _detector_elements(spacing: float) -> Dataset:
    """How it was exposed (PS3.3 C.8.11.4, C.8.7.2)."""
    return elements(
        PositionerType="MAMMOGRAPHIC",
        KVP=29,
        ExposureTime=900,
        Exposure=90,
        AnodeTargetMaterial="TUNGSTEN",
        FilterMaterial="RHODIUM",
        BodyPartThickness=54,
        CompressionForce=110,
        OrganDose=0.012,
        OrganExposed="BREAST",
        DetectorType="DIRECT",
        DetectorConfiguration="AREA",
        DetectorID="1",
        DistanceSourceToDetector=700,
        DistanceSourceToPatient=660,
        EstimatedRadiographicMagnificationFactor="1.06",
        ImagerPixelSpacing=[spacing, spacing],
    )
