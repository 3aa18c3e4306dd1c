"""An ultrasound of the breast with the mass: a still image and a clip that sweeps across it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage

from fileroom.demo.fields import Field, random, sample, step, tissue_noise
from fileroom.demo.objects import Planned, Series, code, compressed, elements, set_pixels
from fileroom.demo.people import ADA, Visit

VISIT = Visit(ADA, "20260421", "153000", "DEMO-0001-US26", "ULTRASOUND BREAST LEFT", "US", "BREAST")
ROWS, COLUMNS, FRAMES = 480, 640, 48
_SPACING = 0.085  # mm
_TOP, _LEFT, _HEIGHT, _WIDTH = 30, 90, 430, 460  # where the picture lies on the screen


def plan() -> Iterator[Planned]:
    """The still image, then the clip."""
    yield Series(VISIT, 1, "L 2:00 STILL", UltrasoundImageStorage).plan(1, _still)
    yield Series(VISIT, 2, "L 2:00 SWEEP", UltrasoundMultiFrameImageStorage).plan(1, _clip)


def _still(dataset: Dataset) -> bytes:
    """Ultrasound Image (PS3.3 A.6)."""
    dataset.update(_elements())
    set_pixels(dataset, (ROWS, COLUMNS), 8)
    return compressed(dataset, [picture(0.0)])


def _clip(dataset: Dataset) -> bytes:
    """Ultrasound Multi-frame Image (PS3.3 A.7)."""
    dataset.update(_elements())
    dataset.update(
        elements(
            NumberOfFrames=FRAMES,
            FrameTime="50",
            FrameIncrementPointer=0x00181063,
            CineRate=20,
            RecommendedDisplayFrameRate=20,
        )
    )
    set_pixels(dataset, (ROWS, COLUMNS), 8)
    return compressed(dataset, [picture(offset) for offset in np.linspace(-14, 14, FRAMES)])


def _elements() -> Dataset:
    region = elements(
        RegionSpatialFormat=1,
        RegionDataType=1,
        RegionFlags=0,
        RegionLocationMinX0=_LEFT,
        RegionLocationMinY0=_TOP,
        RegionLocationMaxX1=_LEFT + _WIDTH - 1,
        RegionLocationMaxY1=_TOP + _HEIGHT - 1,
        PhysicalUnitsXDirection=3,
        PhysicalUnitsYDirection=3,
        PhysicalDeltaX=_SPACING / 10,
        PhysicalDeltaY=_SPACING / 10,
    )
    return elements(
        ImageType=["ORIGINAL", "PRIMARY", "", "0001"],
        AnatomicRegionSequence=[code("76752008", "Breast")],
        Laterality="L",
        PatientOrientation="",
        SequenceOfUltrasoundRegions=[region],
    )


def picture(offset: float) -> npt.NDArray[np.uint8]:
    """What the probe sees at that many millimetres from the middle of the mass."""
    y = (np.arange(_HEIGHT, dtype=np.float32) * _SPACING)[:, None]
    x = ((np.arange(_WIDTH, dtype=np.float32) - _WIDTH / 2) * _SPACING)[None, :]
    large = _tissue("large", 14, offset, y, x)
    lines = _tissue("lines", 22, offset * 0.6, y * 2.6, x * 0.8)
    echo = 0.10 + 0.02 * large
    gland = step(y + 1.6 * large, 8, 9.5) * step(25 - y + 1.5 * large, 0, 1.5)
    echo = echo + gland * (0.17 + 0.07 * large)
    muscle = step(y + 0.6 * large, 26, 26.6)
    echo = echo * (1 - muscle) + muscle * (0.10 + 0.16 * np.exp(-((lines / 0.25) ** 2)))
    echo = echo + 0.16 * np.exp(-((lines / 0.10) ** 2)) * step(y, 2, 4) * (1 - muscle)
    echo = echo + 0.45 * np.exp(-(((y - 26.2 + 0.6 * large) / 0.25) ** 2)) + 0.5 * np.exp(-(((y - 0.9) / 0.6) ** 2))
    size = np.sqrt(max(0.0, 1 - (offset / 8.5) ** 2))
    if size > 0.1:
        ripple = _tissue("edge", 24, offset, y, x)
        far = np.sqrt((x / (5.2 * size)) ** 2 + ((y - 15.5) / (6.0 * size)) ** 2) + 0.085 * ripple
        echo = echo + 0.10 * np.exp(-(((far - 1.14) / 0.12) ** 2))
        echo = echo * (1 - 0.86 * step(1.06 - far, 0, 0.16))
        shadow = step(1 - np.abs(x) / (4.4 * size), 0, 0.35) * step(y, 17, 21)
        echo = echo * (1 - 0.62 * shadow)
    echo = echo * (1 - 0.010 * y) * (0.9 + 0.1 * np.cos(x / 14))
    inside = np.clip(_speckle(offset) * np.clip(echo, 0.008, 1), 1e-4, None)
    level = np.clip(0.93 + 0.225 * np.log(inside), 0, 1) * 235
    screen = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
    screen[_TOP : _TOP + _HEIGHT, _LEFT : _LEFT + _WIDTH] = level.astype(np.uint8)
    for centimetre in range(4):  # ticks at the side, a centimetre apart
        row = _TOP + round(centimetre * 10 / _SPACING)
        screen[row, _LEFT + _WIDTH + 6 : _LEFT + _WIDTH + (18 if centimetre % 2 == 0 else 12)] = 200
    return screen


def _tissue(name: str, pace: float, offset: float, y: Field, x: Field) -> Field:
    """Noise that changes slowly as the probe moves on."""
    one, other = (tissue_noise((256, 256), 1.6, random(VISIT.accession, name, n)) for n in (0, 1))
    turn = np.float32(offset / 9)
    scale = np.float32(256 / 40 * pace / 14)
    here = sample(one, y * scale + x * 0, x * scale + y * 0) * np.cos(turn)
    return np.asarray(here + sample(other, y * scale + x * 0, x * scale + y * 0) * np.sin(turn), dtype=np.float32)


def _speckle(offset: float) -> Field:
    """The grain of coherent waves: finer in depth than across, coarser far from the focus."""
    chance = random(VISIT.accession, "speckle", round(offset, 3))
    power = np.zeros((_HEIGHT, _WIDTH), dtype=np.float32)
    for _ in range(4):  # two looks, each with its two quadratures
        white = chance.standard_normal((_HEIGHT, _WIDTH), dtype=np.float32)
        for _ in range(2):
            white = white + np.roll(white, 1, 1) + np.roll(white, -1, 1)
        white = white + np.roll(white, 1, 0) + 0.4 * np.roll(white, -1, 0)
        power += (white / white.std()) ** 2
    return np.asarray(np.sqrt(power / 4), dtype=np.float32)
