"""A chest in Hounsfield units: a phantom for scrolling, windowing and reformatting, not for diagnosis.

Lengths are millimetres: x to the person's left, y to the back, z to the head, 0 being the lowest slice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from fileroom.demo.fields import Field, random, tissue_noise

SIDE, SPACING = 512, 0.74
HEIGHT = 280.0
AIR, FAT, SOFT, BLOOD, MARROW, BONE = -1000.0, -100.0, 50.0, 210.0, 190.0, 750.0
_RIB_FALL = 105.0  # how much lower a rib ends in front than it begins at the spine


@dataclass(frozen=True, slots=True)
class Chest:
    """One person's chest at one examination."""

    seed: str
    nodule: float  # radius; 0: none

    def slice(self, z: float) -> npt.NDArray[np.int16]:
        """The axial slice at that height, rows from front to back."""
        canvas = Canvas()
        wide, deep = _girth(z)
        canvas.oval(0, 4, wide, deep, 20)  # skin
        canvas.oval(0, 4, wide - 2, deep - 2, FAT)
        canvas.oval(0, 4, wide - 14, deep - 12, SOFT)
        canvas.oval(0, 2, wide - 22, deep - 21, FAT)
        _lungs(canvas, z, self)
        _abdomen(canvas, z)
        _middle(canvas, z)
        _bones(canvas, z, wide, deep)
        image = canvas.image
        chance = random(self.seed, "noise", z)
        grain = chance.standard_normal(image.shape, dtype=np.float32)
        image += (grain + np.roll(grain, 1, 0) + np.roll(grain, 1, 1)) * (7 * (image > -980))
        canvas.oval_edge(0, 122, 215, 30, -420)  # the table
        image[np.hypot(canvas.x, canvas.y) > SIDE * SPACING / 2] = -1024
        return np.clip(np.rint(image), -1024, 3071).astype(np.int16)


class Canvas:
    """A slice being painted; edges are as soft as a point is wide."""

    def __init__(self) -> None:
        axis = (np.arange(SIDE, dtype=np.float32) + 0.5) * SPACING - SIDE * SPACING / 2
        self.y, self.x = axis[:, None], axis[None, :]
        self.image: Field = np.full((SIDE, SIDE), AIR, dtype=np.float32)

    def oval(self, x: float, y: float, wide: float, deep: float, value: float | Field, turn: float = 0.0) -> None:
        """Fill an oval with half axes `wide` and `deep`, turned by an angle. A field: as large as the slice."""
        if wide <= 0.2 or deep <= 0.2:
            return
        rows, columns, cover = self._cover(x, y, wide, deep, turn)
        part = self.image[rows, columns]
        new = value[rows, columns] if isinstance(value, np.ndarray) else value
        part += cover * (new - part)

    def oval_edge(self, x: float, y: float, wide: float, deep: float, value: float) -> None:
        """The lower edge of an oval, 2 mm thick."""
        f = np.sqrt(((self.x - x) / wide) ** 2 + ((self.y - y) / deep) ** 2)
        self.image[(np.abs(f - 1) < 1.0 / deep) & (self.y > y)] = value

    def _cover(self, x: float, y: float, wide: float, deep: float, turn: float) -> tuple[slice, slice, Field]:
        reach = max(wide, deep) + SPACING if turn else 0
        rows = _range(y, reach or deep + SPACING)
        columns = _range(x, reach or wide + SPACING)
        dy, dx = self.y[rows] - np.float32(y), self.x[:, columns] - np.float32(x)
        if turn:
            c, s = math.cos(turn), math.sin(turn)
            dx, dy = dx * c + dy * s, dy * c - dx * s
        far = np.sqrt((dx / wide) ** 2 + (dy / deep) ** 2)
        return rows, columns, np.clip((1 - far) * (min(wide, deep) / SPACING) + 0.5, 0, 1)


def _range(middle: float, reach: float) -> slice:
    half = SIDE * SPACING / 2
    low, high = (middle - reach + half) / SPACING - 1, (middle + reach + half) / SPACING + 1
    return slice(max(int(low), 0), max(min(int(high) + 1, SIDE), 0))


def _girth(z: float) -> tuple[float, float]:
    """Half width and half depth of the body: narrower toward the neck."""
    up = max(0.0, (z - 215) / 65) ** 1.6
    return 166 - 66 * up, 116 - 34 * up


def _lungs(canvas: Canvas, z: float, chest: Chest) -> None:
    size = math.sqrt(max(0.0, 1 - ((z - 95) / 172) ** 2)) if z > 95 else 1.0
    noise = np.roll(_lung_noise(chest.seed), int(z * 7), 0)
    inside: Field = (-875 + 45 * (canvas.y + 90) / 180 + 28 * noise).astype(np.float32)
    for spot in _vessels(chest.seed, z):
        _vessel(inside, *spot)
    if chest.nodule:
        dz = z - 176
        radius = math.sqrt(max(chest.nodule**2 - dz * dz, 0))
        _vessel(inside, -84, -22, radius, 35)
        for turn in range(5):
            _vessel(inside, -84 + radius * math.cos(turn * 1.3), -22 + radius * math.sin(turn * 1.3), radius * 0.35, 20)
    canvas.oval(-72, 2, 64 * size, 92 * size, inside, 0.06)
    canvas.oval(72, 2, 62 * size, 90 * size, inside, -0.06)


def _vessel(image: Field, x: float, y: float, radius: float, value: float) -> None:
    rows, columns = _range(y, radius + 1), _range(x, radius + 1)
    axis = (np.arange(SIDE, dtype=np.float32) + 0.5) * SPACING - SIDE * SPACING / 2
    far = np.hypot(axis[rows][:, None] - y, axis[columns][None, :] - x)
    part = image[rows, columns]
    part += np.clip((radius - far) / SPACING + 0.5, 0, 1) * (value - part)


def _abdomen(canvas: Canvas, z: float) -> None:
    """Liver, spleen and stomach under their domes."""
    for x, top, wide, deep, value in ((-66, 84, 84, 98, 112), (72, 62, 70, 92, FAT)):
        rise = (top - z) / top
        if rise > 0:
            part = math.sqrt(min(rise * 1.9, 1.0))
            canvas.oval(x, 4, wide * part, deep * part, value)
    if z < 52:
        part = math.sqrt((52 - z) / 52)
        canvas.oval(92, 44, 38 * part, 46 * part, 128)
        canvas.oval(58, -30, 42 * part, 40 * part, 45)
        canvas.oval(58, -44, 30 * part, 16 * part, AIR + 20)


def _middle(canvas: Canvas, z: float) -> None:
    """Heart, great vessels, airways, gullet."""
    canvas.oval(0, 6, 26, 62, FAT)
    if abs(z - 84) < 66:
        part = math.sqrt(1 - ((z - 84) / 66) ** 2)
        canvas.oval(22, -26, 74 * part, 56 * part, FAT, 0.5)
        canvas.oval(24, -26, 68 * part, 50 * part, 95, 0.5)
        if part > 0.45:
            canvas.oval(44, -16, 25 * part, 19 * part, BLOOD, 0.5)  # left ventricle, thick walls
            canvas.oval(18, -48, 36 * part, 15 * part, BLOOD + 10, 0.35)
            canvas.oval(-18, -26, 19 * part, 25 * part, BLOOD - 5)
            canvas.oval(10, 12, 30 * part, 15 * part, BLOOD - 10)
    canvas.oval(24, 50, 12.5, 12.5, BLOOD)  # descending aorta
    if 110 < z < 192:
        canvas.oval(-10, -26, 16.5, 16.5, BLOOD)
        canvas.oval(-34, -16, 9, 8, BLOOD + 60)
    if 132 < z < 158:
        canvas.oval(20, -30, 15, 14, BLOOD + 40)
        canvas.oval(-14, 0, 34, 8, BLOOD + 40, 0.15)
        canvas.oval(38, 0, 22, 9, BLOOD + 40, 0.9)
    if 184 < z < 204:
        canvas.oval(8, 12, 13, 44, BLOOD, -0.4)
    if z >= 204:
        for x, y, radius in ((-20, -16, 7), (-2, -10, 4.5), (18, 4, 5), (-34, -22, 8), (30, -20, 7)):
            canvas.oval(x * (1 + (z - 204) / 120), y, radius, radius, BLOOD)
    canvas.oval(13, 34, 7, 5, SOFT - 10)
    apart = max(0.0, 172 - z)
    if z > 168:
        canvas.oval(0, 12, 11, 10.5, 30)
        canvas.oval(0, 12, 9, 8.5, AIR)
    elif z > 112:
        for side in (-1, 1):
            canvas.oval(side * (7 + apart * 0.75), 14 + apart * 0.1, 8, 7, 40)
            canvas.oval(side * (7 + apart * 0.75), 14 + apart * 0.1, 6.4, 5.4, AIR)


def _bones(canvas: Canvas, z: float, wide: float, deep: float) -> None:
    level = z % 26
    disc = level < 5
    canvas.oval(0, 74, 22, 17, 90 if disc else BONE * 0.55)
    canvas.oval(0, 74, 19.5, 14.5, 75 if disc else MARROW)
    canvas.oval(0, 97, 13, 11, BONE * 0.8)
    canvas.oval(0, 97, 9.5, 8, 15)
    if level > 9:
        canvas.oval(0, 110, 3.4, 8, BONE * 0.7)
        for side in (-1, 1):
            canvas.oval(side * 24, 99, 17, 5, BONE * 0.65, side * 0.3)
    if 95 < z < 240:
        broad = 24 if z > 205 else 16
        canvas.oval(0, -deep + 15, broad, 6, BONE * 0.6)
        canvas.oval(0, -deep + 15, broad - 2.5, 3.8, MARROW)
    if z > 165:
        for side in (-1, 1):
            canvas.oval(side * (wide - 58), 70, 36, 3.4, BONE * 0.8, side * -0.6)
    if z > 244:
        for side in (-1, 1):
            canvas.oval(side * (30 + (z - 244) * 1.6), -deep + 22 + (z - 244) * 0.5, 34, 6.5, BONE * 0.7, side * 0.35)
    for rib in range(-1, 12):
        drop = (rib * 26 + 40 - z) / _RIB_FALL
        if 0.02 < drop < 1:
            _rib(canvas, drop, wide - 17, deep - 16)


def _rib(canvas: Canvas, drop: float, wide: float, deep: float) -> None:
    """One rib where the slice cuts it: an arc along the wall, cortex around marrow."""
    for radius, value in ((4.6, BONE), (2.6, MARROW + 60)):
        for along in np.linspace(-0.085, 0.085, 11):
            turn = math.pi * (0.07 + 0.86 * (drop + along))  # 0: back, pi: front
            if 0.1 < turn < 2.75:
                x, y = wide * math.sin(turn), 4 + deep * math.cos(turn)
                size = radius * math.sqrt(1 - (along / 0.1) ** 2)
                canvas.oval(x, y, size, size, value)
                canvas.oval(-x, y, size, size, value)


@cache
def _lung_noise(seed: str) -> Field:
    return tissue_noise((SIDE, SIDE), 0.9, random(seed, "lung"))


@cache
def tree(seed: str) -> npt.NDArray[np.float32]:
    """The vessels of both lungs as beads: n x 4, x, y, z and radius, in order of z."""
    chance = random(seed, "vessels")
    beads: list[npt.NDArray[np.float64]] = []
    for side in (-1, 1):
        for turn in np.linspace(0, 2 * math.pi, 8)[:-1]:
            way = np.array([side * 0.75, 0.75 * math.cos(turn), 0.95 * math.sin(turn)])
            _grow(beads, chance, np.array([side * 38.0, 4.0, 142.0]), way, 4.4, 7)
    all_beads = np.concatenate(beads).astype(np.float32)
    return all_beads[np.argsort(all_beads[:, 2])]


def _grow(
    beads: list[npt.NDArray[np.float64]],
    chance: np.random.Generator,
    start: npt.NDArray[np.float64],
    way: npt.NDArray[np.float64],
    radius: float,
    generations: int,
) -> None:
    way = way / np.linalg.norm(way)
    length = chance.uniform(9, 17) * (0.7 + 0.06 * generations)
    along = np.arange(0, length, max(radius * 0.5, 0.7))[:, None]
    bend = chance.normal(0, 0.012, 3)
    path = start + along * way + along**2 * bend
    beads.append(np.concatenate([path, np.full((len(path), 1), radius)], axis=1))
    if generations == 0:
        return
    for _ in range(2):
        _grow(
            beads,
            chance,
            path[-1],
            way + chance.normal(0, 0.42, 3),
            radius * chance.uniform(0.68, 0.84),
            generations - 1,
        )


def _vessels(seed: str, z: float) -> list[tuple[float, float, float, float]]:
    """Where vessels cross a slice: x, y, radius and value."""
    beads = tree(seed)
    low, high = np.searchsorted(beads[:, 2], (z - 4.5, z + 4.5))
    near = beads[low:high]
    size = near[:, 3] ** 2 - (near[:, 2] - z) ** 2
    near, size = near[size > 0.03], np.sqrt(size[size > 0.03])
    return [(float(x), float(y), float(r), 60.0) for (x, y), r in zip(near[:, :2], size, strict=True)]
