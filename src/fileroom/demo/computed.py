"""A chest CT and its prior: thin slices and a nodule that grew."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import Dataset
from pydicom.uid import CTImageStorage

from fileroom.demo.chest import HEIGHT, SIDE, SPACING, Chest
from fileroom.demo.objects import Planned, Series, compressed, elements, native, set_pixels
from fileroom.demo.people import DOV, Visit, uid

EXAMS = (
    (Visit(DOV, "20250203", "111500", "DEMO-0004-CT25", "CT CHEST WITH CONTRAST", "CT", "CHEST"), 5.0, 4.0),
    (Visit(DOV, "20260211", "104500", "DEMO-0004-CT26", "CT CHEST WITH CONTRAST, FOLLOW-UP", "CT", "CHEST"), 2.5, 7.0),
)


def plan() -> Iterator[Planned]:
    """Every slice, the lowest first."""
    for visit, thickness, nodule in EXAMS:
        series = Series(visit, 2, f"CHEST {thickness:g} SOFT", CTImageStorage)
        for number in range(int(HEIGHT / thickness)):
            yield _plan_slice(series, Chest(DOV.patient_id, nodule), number, thickness)


def _plan_slice(series: Series, chest: Chest, number: int, thickness: float) -> Planned:
    return series.plan(number + 1, lambda header: _slice(header, chest, number * thickness, thickness))


def _slice(dataset: Dataset, chest: Chest, z: float, thickness: float) -> bytes:
    """CT Image (PS3.3 A.3)."""
    half = SIDE * SPACING / 2 - SPACING / 2
    dataset.update(
        elements(
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
            KVP=120,
            SliceThickness=thickness,
            SpacingBetweenSlices=thickness,
            ConvolutionKernel="SOFT",
            ContrastBolusAgent="none: a phantom",
            PatientPosition="HFS",
            FrameOfReferenceUID=uid(dataset.AccessionNumber, "frame of reference"),
            PositionReferenceIndicator="",
            ImagePositionPatient=[round(-half, 3), round(-half, 3), z],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            SliceLocation=z,
            PixelSpacing=[SPACING, SPACING],
            AcquisitionNumber=1,
            RescaleIntercept=-1024,
            RescaleSlope=1,
            RescaleType="HU",
            WindowCenter=[40, -600, 400],
            WindowWidth=[400, 1500, 1800],
            WindowCenterWidthExplanation=["SOFT TISSUE", "LUNG", "BONE"],
        )
    )
    pixels = (chest.slice(z) + 1024).astype("uint16")
    set_pixels(dataset, pixels.shape, 12)
    return native(dataset, pixels) if thickness < 4 else compressed(dataset, [pixels])
