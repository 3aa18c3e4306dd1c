"""Two MR examinations of one head: T1, T2 and FLAIR axial, T1 sagittal; lesions, of which the later one shows more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset
from pydicom.uid import MRImageStorage

from fileroom.demo.brain import Head
from fileroom.demo.fields import random
from fileroom.demo.objects import Planned, Series, compressed, elements, set_pixels
from fileroom.demo.people import EBBA, Visit, uid

SIDE, SPACING = 256, 0.9
EXAMS = (
    (Visit(EBBA, "20240911", "133000", "DEMO-0005-MR24", "MR BRAIN", "MR", "BRAIN"), 4),
    (Visit(EBBA, "20250918", "140500", "DEMO-0005-MR25", "MR BRAIN, FOLLOW-UP", "MR", "BRAIN"), 7),
)


@dataclass(frozen=True, slots=True)
class Sequence:
    """One series of an examination."""

    number: int
    name: str
    weighting: str
    sagittal: bool
    slices: int
    spacing: float
    echo: float
    repetition: float
    inversion: float | None = None


SEQUENCES = (
    Sequence(2, "T1 SAGITTAL", "T1", True, 23, 6.0, 9, 550),
    Sequence(3, "T2 AXIAL", "T2", False, 26, 5.5, 102, 4800),
    Sequence(4, "FLAIR AXIAL", "FLAIR", False, 26, 5.5, 115, 9000, 2500),
    Sequence(5, "T1 AXIAL", "T1", False, 26, 5.5, 9, 550),
)


def plan() -> Iterator[Planned]:
    """Every slice; the weightings of one place follow each other, which makes them faster."""
    for visit, lesions in EXAMS:
        head = Head(EBBA.patient_id, lesions)
        for sagittal in (True, False):
            group = [sequence for sequence in SEQUENCES if sequence.sagittal is sagittal]
            for number in range(group[0].slices):
                for sequence in group:
                    yield _plan_slice(
                        Series(visit, sequence.number, sequence.name, MRImageStorage), sequence, head, number
                    )


def _plan_slice(series: Series, sequence: Sequence, head: Head, number: int) -> Planned:
    return series.plan(number + 1, lambda header: _slice(header, sequence, head, number))


def _slice(dataset: Dataset, sequence: Sequence, head: Head, number: int) -> bytes:
    """MR Image (PS3.3 A.4)."""
    at = (number - (sequence.slices - 1) / 2) * sequence.spacing
    half = (SIDE - 1) / 2 * SPACING
    across = ((np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2) * SPACING)[None, :]
    if sequence.sagittal:
        orientation, position = [0, 1, 0, 0, 0, -1], [round(at, 3), round(-half, 3), round(half, 3)]
        x, y, z = np.full((1, 1), at, dtype=np.float32), across, -across.T - 12
    else:
        orientation, position = [1, 0, 0, 0, 1, 0], [round(-half, 3), round(-half, 3), round(at, 3)]
        x, y, z = across, across.T, np.full((1, 1), at + 2, dtype=np.float32)
    dataset.update(
        elements(
            ImageType=["ORIGINAL", "PRIMARY", "M", "NORM"],
            ScanningSequence="IR" if sequence.inversion else "SE",
            SequenceVariant="SK",
            ScanOptions="",
            MRAcquisitionType="2D",
            SliceThickness=5,
            SpacingBetweenSlices=sequence.spacing,
            RepetitionTime=sequence.repetition,
            EchoTime=sequence.echo,
            EchoTrainLength=1,
            MagneticFieldStrength=1.5,
            FlipAngle=90,
            PatientPosition="HFS",
            FrameOfReferenceUID=uid(dataset.AccessionNumber, "frame of reference"),
            PositionReferenceIndicator="",
            ImagePositionPatient=position,
            ImageOrientationPatient=orientation,
            SliceLocation=round(at, 3),
            PixelSpacing=[SPACING, SPACING],
            WindowCenter=500,
            WindowWidth=1000,
        )
    )
    if sequence.inversion:
        dataset.InversionTime = sequence.inversion
    noise = random(dataset.AccessionNumber, sequence.name, number)
    image = head.signal(sequence.weighting, x, y, z, noise)
    set_pixels(dataset, (SIDE, SIDE), 12)
    return compressed(dataset, [np.clip(image * 1000, 0, 4095).astype(np.uint16)])
