"""A chest radiograph: the thickness of what the rays pass, worked out from simple bodies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation

from fileroom.demo.breast import Frame, add_grain
from fileroom.demo.chest import tree
from fileroom.demo.fields import Field, draw, enlarge, random, stamp, step, tissue_noise
from fileroom.demo.objects import Planned, Series, code, compressed, elements, set_pixels
from fileroom.demo.people import DOV, Visit

VISIT = Visit(DOV, "20260109", "082000", "DEMO-0004-DX26", "CHEST PA", "DX", "CHEST")
FRAME = Frame(2160, 2000, 0.18)
_COARSE = Frame(1080, 1000, 0.36)
_TOP = 4095


def plan() -> Iterator[Planned]:
    """The image."""
    yield Series(VISIT, 1, "CHEST PA", DigitalXRayImageStorageForPresentation).plan(1, _image)


def _image(dataset: Dataset) -> bytes:
    """Digital X-Ray Image, for presentation (PS3.3 A.26)."""
    dataset.update(
        elements(
            ImageType=["ORIGINAL", "PRIMARY"],
            PresentationIntentType="FOR PRESENTATION",
            AnatomicRegionSequence=[code("51185008", "Chest")],
            ImageLaterality="U",
            ViewPosition="PA",
            PositionerType="NONE",
            PatientOrientation=["L", "F"],
            KVP=117,
            DetectorType="DIRECT",
            DetectorConfiguration="AREA",
            DetectorID="1",
            ImagerPixelSpacing=[FRAME.spacing, FRAME.spacing],
            PixelIntensityRelationship="LOG",
            PixelIntensityRelationshipSign=1,
            RescaleIntercept=0,
            RescaleSlope=1,
            RescaleType="US",
            PresentationLUTShape="IDENTITY",
            AcquisitionContextSequence=[],
            WindowCenter=2130,
            WindowWidth=2900,
        )
    )
    brightness = enlarge(thickness(VISIT.person.patient_id), (FRAME.rows, FRAME.columns))
    add_grain(brightness, random(VISIT.accession, "grain"), 0.010)
    set_pixels(dataset, brightness.shape, 12)
    return compressed(dataset, [np.clip(brightness * _TOP, 0, _TOP).astype(np.uint16)])


def thickness(seed: str) -> Field:
    """Brightness, 0..1: bright where much was passed. Rows from head to foot, columns from the person's right."""
    z = (330 - _COARSE.y).astype(np.float32)  # as in `chest`, 0 at the lowest slice
    x = (_COARSE.x - _COARSE.columns * _COARSE.spacing / 2).astype(np.float32)
    body = _body(x, z)
    lungs, heart = _lungs(x, z)
    total = body - 0.90 * lungs + 0.55 * np.minimum(heart, lungs)
    noise = tissue_noise((1024, 1024), 1.6, random(seed, "radiograph"))
    noise = enlarge(noise, body.shape)
    total *= 1 + 0.015 * noise
    total += _bones(x, z, body.shape) + _tree(seed, lungs)
    level = np.clip(total, 0, None) / 230
    image = 1.25 * level / (0.75 + level) + 0.16 * (level - 0.5)
    return np.clip(image * step(body, 2, 30), 0, 1).astype(np.float32)


def _chord(x: Field, z: Field, cx: float, cz: float, a: float, b: float, c: float) -> Field:
    """How thick an ellipsoid is from front to back: half axes a, b and c along x, y and z."""
    return np.asarray(
        2 * b * np.sqrt(np.clip(1 - ((x - cx) / a) ** 2 - ((z - cz) / c) ** 2, 0, None)), dtype=np.float32
    )


def _body(x: Field, z: Field) -> Field:
    up = np.clip((z - 215) / 65, 0, None)
    wide = 172 - 118 * step(up, 0.15, 1.35)
    trunk = 205 * np.sqrt(np.clip(1 - (x / wide) ** 2, 0, None)) * (1 - 0.30 * step(up, 0, 1.3))
    shoulders = sum(_chord(x, z, side * 118, 205, 78, 52, 66) for side in (-1, 1))
    return np.asarray(np.maximum(trunk, shoulders) + 0.25 * np.minimum(trunk, shoulders), dtype=np.float32)


def _lungs(x: Field, z: Field) -> tuple[Field, Field]:
    """The air passed, and the heart and vessels that stand in it."""
    air = np.zeros(np.broadcast_shapes(x.shape, z.shape), dtype=np.float32)
    for side, floor in ((-1, 52.0), (1, 38.0)):
        lung = _chord(x, z, side * 70, 105, 66, 84, 172) * step(side * x, 10, 16)
        dome = floor - ((x - side * 62) / 66) ** 2 * 46 - 6 * step(side * x, 60, 130)
        air += lung * (0.10 + 0.90 * step(z - dome, -2, 3))
    heart = 1.5 * np.maximum(_chord(x, z, 26, 74, 62, 62, 50), _chord(x + 0.35 * (z - 92), z, -10, 96, 40, 56, 44))
    knob = np.maximum(0.8 * _chord(x, z, 28, 190, 18, 34, 19), 0.55 * _chord(x, z, 30, 152, 18, 34, 16))
    band = 62 * step(31 - np.abs(x - 2) - 0.04 * np.abs(z - 120), 0, 12)
    heart = np.maximum(heart, np.maximum(knob, band) + 0.3 * np.minimum(knob, band))
    heart -= 40 * step(9.5 - np.abs(x + 1), 0, 5) * step(z, 160, 185)  # windpipe
    return air, np.maximum(heart, 0)


def _bones(x: Field, z: Field, shape: tuple[int, ...]) -> Field:
    between = step(np.abs((z % 26) - 13), 8, 11)  # 1 where a disc is
    spine = step(20 - np.abs(x - 1.5 * np.sin(z / 60)), 0, 4) * (15 - 9 * between)
    spine += 6 * step(5 - np.abs(x), 0, 4) * (1 - between)
    bones = np.zeros(shape, dtype=np.float32)
    bones += spine.astype(np.float32)
    for rib in range(12):
        top = rib * 25.5 + 34
        wide = 138 - 0.0042 * max(0.0, top - 120) ** 2
        for side in (-1, 1):
            turn = np.linspace(0.10, 0.60, 40) * np.pi
            _tube(
                bones, side * wide * np.sin(turn), top + 10 * np.sin(turn * 1.4) - 52 * (turn / np.pi) ** 1.5, 6.2, 15
            )
            turn = np.linspace(0.52, 0.86, 30) * np.pi
            _tube(bones, side * wide * np.sin(turn), top - 6 - 105 * (turn / np.pi) ** 1.15, 6.8, 7)
    for side in (-1, 1):
        t = np.linspace(0, 1, 40)
        _tube(bones, side * (14 + 132 * t), 246 + 20 * np.sin(t * 4.6 - 1.6), 6.5, 20)
        _tube(bones, side * (118 + 18 * np.sin(t * 2.8)), 230 - 120 * t, 3.5, 13)
        _tube(bones, side * (168 + 4 * t), 232 - 150 * t, 13, 26)
    return bones


def _tube(bones: Field, x: npt.NDArray[np.float64], z: npt.NDArray[np.float64], radius: float, value: float) -> None:
    """A long bone: marrow, and a cortex that shows as brighter edges."""
    path = np.stack([(330 - z) / _COARSE.spacing, x / _COARSE.spacing + _COARSE.columns / 2], axis=1)
    draw(bones, path, radius / _COARSE.spacing, value)
    normal = np.gradient(path, axis=0)
    normal = np.stack([-normal[:, 1], normal[:, 0]], axis=1) / np.hypot(*normal.T)[:, None]
    for side in (-1, 1):
        draw(bones, path + side * normal * (radius * 0.72 / _COARSE.spacing), 1.3 / _COARSE.spacing, value * 0.35)


def _tree(seed: str, lungs: Field) -> Field:
    vessels = np.zeros(lungs.shape, dtype=np.float32)
    beads = tree(seed)
    for x, _, z, radius in beads[::3].tolist():
        row, column = (330 - z) / _COARSE.spacing, x / _COARSE.spacing + _COARSE.columns / 2
        stamp(vessels, row, column, max(radius, 0.7) * 1.1 / _COARSE.spacing, radius * 1.5)
    return np.asarray(np.minimum(vessels, 80) * step(lungs, 20, 90), dtype=np.float32)
