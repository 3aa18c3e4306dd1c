"""A chest as a CT shows it, in Hounsfield units: a phantom for scrolling and windowing, not for diagnosis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fileroom.demo.fields import Field, random, sample, tissue_noise

SIDE = 512
SPACING = 0.74  # mm between points
SLICE = 2.5  # mm between slices
AIR, LUNG, FAT, SOFT, BLOOD, BONE = -1000, -860, -95, 45, 160, 700


class Chest:
    """One person's chest; slice 0 is the lowest."""

    def __init__(self, seed: str, slices: int, *, nodule: bool = False) -> None:
        """`nodule`: one of 12 mm in the right lung."""
        self._slices = slices
        self._nodule = nodule
        self._seed = seed
        half = SIDE * SPACING / 2
        axis = (np.arange(SIDE, dtype=np.float32) + 0.5) * SPACING - half
        self._y, self._x = axis[:, None], axis[None, :]
        chance = random(seed, "chest")
        self._wide = float(chance.uniform(158, 172))
        self._deep = float(chance.uniform(108, 118))
        self._texture = tissue_noise((512, 512), 1.2, random(seed, "texture"))
        self._vessels = [
            (chance.uniform(-0.8, 0.8), chance.uniform(-0.8, 0.8), chance.uniform(0.8, 3.2)) for _ in range(60)
        ]

    def slice(self, number: int) -> npt.NDArray[np.int16]:
        """One axial slice, rows from front to back (y), columns from the person's right to left (x)."""
        t = number / max(1, self._slices - 1)  # 0 at the diaphragm, 1 at the neck
        narrow = 1 - 0.25 * max(0.0, t - 0.75) / 0.25
        image = np.full((SIDE, SIDE), AIR, dtype=np.float32)
        body = self._oval(0, 0, self._wide * narrow, self._deep * narrow)
        image[body < 1] = FAT
        image[self._oval(0, 2, (self._wide - 16) * narrow, (self._deep - 14) * narrow) < 1] = SOFT
        lungs = 1 - 0.45 * (2 * t - 0.75) ** 2
        for side in (-1, 1):
            lung = self._oval(side * 74 * narrow, 2, 58 * lungs * narrow, 86 * lungs * narrow)
            inside = lung < 1
            image[inside] = LUNG + 45 * sample(self._texture, self._y * 3 + number * 5, self._x * 3)[inside]
            self._branches(image, inside, side, t)
        if self._nodule and (far := abs(number - 0.55 * self._slices) * SLICE) < 6:
            image[self._oval(-80, -18, np.sqrt(36 - far * far), np.sqrt(36 - far * far)) < 1] = SOFT - 5
        if t < 0.6:
            heart = self._oval(18, -28, 62 * (1 - 0.5 * t), 50 * (1 - 0.4 * t))
            image[heart < 1] = BLOOD - 25
        image[self._oval(-8, 48, 13, 13) < 1] = BLOOD + 20  # descending aorta
        if t > 0.45:
            image[self._oval(2, 4, 10, 10) < 1] = AIR + 10  # trachea
        self._bones(image, t, narrow)
        image += 9 * sample(self._texture, self._y * 11 + number * 17, self._x * 11 - number * 13)
        grain = random(self._seed, number).standard_normal((SIDE, SIDE), dtype=np.float32)
        image += 14 * grain * (image > AIR + 40)
        table = (np.abs(self._y - 146) < 2) & (np.abs(self._x) < 180)
        image[table] = -300
        return np.clip(image, -1024, 3071).astype(np.int16)

    def _oval(self, x: float, y: float, wide: float, deep: float) -> Field:
        return ((self._x - x) / wide) ** 2 + ((self._y - y) / deep) ** 2

    def _branches(self, image: Field, inside: npt.NDArray[np.bool_], side: int, t: float) -> None:
        for dx, dy, size in self._vessels:
            x, y = side * (74 - 50 * abs(dx) * (0.6 + 0.4 * t)), 80 * dy * (1 - 0.3 * t)
            image[(self._oval(x, y, size, size * 1.3) < 1) & inside] = 30

    def _bones(self, image: Field, t: float, narrow: float) -> None:
        image[self._oval(0, 74, 21, 16) < 1] = BONE * 0.55  # vertebral body
        image[self._oval(0, 74, 17, 12) < 1] = 230
        image[self._oval(0, 96, 8, 7) < 1] = 20  # canal
        image[self._oval(0, 112, 5, 12) < 1] = BONE
        image[self._oval(0, -96 * narrow, 16, 6) < 1] = BONE * 0.6  # sternum
        ring = np.sqrt(self._oval(0, 2, (self._wide - 12) * narrow, (self._deep - 9) * narrow))
        angle = np.arctan2(self._y, self._x)
        ribs = (np.abs(ring - 1) < 0.035) & (np.sin(angle * 9 + t * 60) > 0.55) & (np.abs(self._x) > 18)
        image[ribs] = BONE
