"""A breast tomosynthesis: slices through one breast, a millimetre apart, in each of which only some of it is sharp."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from fileroom.demo.breast import GLAND, Breast, Frame, add_grain, add_mass, layers, soften, where
from fileroom.demo.fields import Field, enlarge, random, sample, step, tissue_noise
from fileroom.demo.objects import code, compressed, elements, set_pixels
from fileroom.demo.people import uid

FRAME = Frame(1440, 1120, 0.16)
SLICES = 48
_DEEP = 9  # layers of tissue of their own; a slice shows the two it lies between
_MASS_AT, _MASS_DEEP = 27, 5.0  # slice, and how many slices it is seen in on either side
_TOP = 1023
_KIND = ["ORIGINAL", "PRIMARY", "TOMOSYNTHESIS", "NONE"]


def tomosynthesis(dataset: Dataset, breast: Breast) -> bytes:
    """Breast Tomosynthesis Image (PS3.3 A.55), left MLO."""
    visit = dataset.StudyDate + dataset.StudyTime
    organization = uid(dataset.AccessionNumber, "dimensions")
    dimension = elements(
        DimensionOrganizationUID=organization,
        DimensionIndexPointer=0x00209057,
        FunctionalGroupPointer=0x00209111,
        DimensionDescriptionLabel="Position in the breast",
    )
    view = code("399368009", "medio-lateral oblique")
    view.ViewModifierCodeSequence = []
    dataset.update(
        elements(
            ImageType=_KIND,
            PixelPresentation="MONOCHROME",
            VolumetricProperties="VOLUME",
            VolumeBasedCalculationTechnique="TOMOSYNTHESIS",
            ContentQualification="PRODUCT",
            NumberOfFrames=SLICES,
            BreastImplantPresent="NO",
            AcquisitionContextSequence=[],
            ViewCodeSequence=[view],
            PresentationLUTShape="IDENTITY",
            FrameOfReferenceUID=uid(dataset.AccessionNumber, "frame of reference"),
            PositionReferenceIndicator="",
            DimensionOrganizationSequence=[elements(DimensionOrganizationUID=organization)],
            DimensionIndexSequence=[dimension],
            SharedFunctionalGroupsSequence=[_shared()],
            PerFrameFunctionalGroupsSequence=[_of_frame(visit, number) for number in range(1, SLICES + 1)],
        )
    )
    for keyword in ("AcquisitionDate", "AcquisitionTime"):
        del dataset[keyword]
    set_pixels(dataset, (FRAME.rows, FRAME.columns), 10)
    return compressed(dataset, list(slices(breast)))


def _shared() -> Dataset:
    anatomy = elements(AnatomicRegionSequence=[code("76752008", "Breast")], FrameLaterality="L")
    measures = elements(SliceThickness=1, PixelSpacing=[FRAME.spacing, FRAME.spacing])
    return elements(
        FrameAnatomySequence=[anatomy],
        PlaneOrientationSequence=[elements(ImageOrientationPatient=[0, -1, 0, -0.707107, 0, -0.707107])],
        PixelMeasuresSequence=[measures],
        FrameVOILUTSequence=[elements(WindowCenter=480, WindowWidth=780)],
        PixelValueTransformationSequence=[elements(RescaleIntercept=0, RescaleSlope=1, RescaleType="US")],
    )


def _of_frame(when: str, number: int) -> Dataset:
    content = elements(
        FrameReferenceDateTime=when,
        FrameAcquisitionDateTime=when,
        FrameAcquisitionDuration=4000.0,
        StackID="1",
        InStackPositionNumber=number,
        DimensionIndexValues=number,
    )
    kind = elements(
        FrameType=_KIND,
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="TOMOSYNTHESIS",
    )
    deep = (number - SLICES / 2) * 0.707107  # from upper inner to lower outer
    return elements(
        XRay3DFrameTypeSequence=[kind],
        FrameContentSequence=[content],
        PlanePositionSequence=[elements(ImagePositionPatient=[round(60 + deep, 3), 40, round(90 - deep, 3)])],
    )


def slices(breast: Breast) -> Iterator[npt.NDArray[np.uint16]]:
    """The slices, from one side of the breast to the other."""
    coarse = FRAME.coarser(2)
    whole = layers(breast, "MLO", coarse)
    tissue = [_layer(breast, number, coarse) for number in range(_DEEP)]
    mass = np.zeros_like(whole.base)
    for lesion in breast.lesions:
        add_mass(mass, lesion, where(lesion, "MLO", whole.outline), coarse.spacing, breast.seed)
    edge = step(whole.skin, -0.05, 0.6)
    fat, gland, strands = whole.base * edge, GLAND * 1.25 * whole.gland * edge, 1.5 * whole.strands * edge
    for number in range(SLICES):
        at = number / (SLICES - 1) * (_DEEP - 1)
        low = min(int(at), _DEEP - 2)
        part = at - low
        here = (tissue[low] * (1 - part) + tissue[low + 1] * part) * np.float32(1 / np.hypot(part, 1 - part))
        image = fat + gland * (0.22 + 0.78 * step(here, -0.9, 1.3))
        image += strands * step(np.roll(here, 20, 0), -0.3, 0.8)
        image += mass * np.float32(0.12 + 1.2 * np.exp(-(((number - _MASS_AT) / _MASS_DEEP) ** 2)))
        soften(image)
        image = enlarge(image, (FRAME.rows, FRAME.columns))
        add_grain(image, random(breast.seed, "tomosynthesis", number), 0.014)
        yield np.clip(image * np.float32(_TOP * 1.05), 0, _TOP).astype(np.uint16)


def _layer(breast: Breast, number: int, frame: Frame) -> Field:
    noise = tissue_noise((512, 512), 1.35, random(breast.seed, "tomosynthesis layer", number))
    return sample(noise, frame.y * (512 / 200), frame.x * (512 / 200))
