"""A head as magnetic resonance shows it: the same tissues in every weighting and every plane.

Lengths are millimetres: x to the person's left, y to the back, z to the head, from the middle of the brain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from fileroom.demo.fields import Field, random, step

Paint = Callable[[Field, str | float], None]  # covers a part of the image with a tissue, or a brightness

# What each tissue gives in each weighting
SIGNAL: Mapping[str, Mapping[str, float]] = {
    "T1": {"scalp": 0.85, "bone": 0.07, "fluid": 0.13, "grey": 0.42, "white": 0.62, "muscle": 0.35, "lesion": 0.46},
    "T2": {"scalp": 0.62, "bone": 0.06, "fluid": 1.00, "grey": 0.56, "white": 0.37, "muscle": 0.22, "lesion": 0.80},
    "FLAIR": {"scalp": 0.55, "bone": 0.05, "fluid": 0.08, "grey": 0.50, "white": 0.38, "muscle": 0.25, "lesion": 0.95},
}


@dataclass(frozen=True, slots=True)
class Head:
    """One person's head at one examination."""

    seed: str
    lesions: int  # in the white matter, the older ones first

    def signal(self, weighting: str, x: Field, y: Field, z: Field, noise: np.random.Generator) -> Field:
        """The brightness, 0..1, where these places are."""
        gives = SIGNAL[weighting]
        covers, shade = _covers(self, _bytes(x), _bytes(y), _bytes(z))
        image = np.zeros(shade.shape, dtype=np.float32)
        for inside, tissue in covers:
            value = gives[tissue] if isinstance(tissue, str) else tissue
            image += inside * (np.float32(value) - image)
        image *= shade
        real = image + 0.018 * noise.standard_normal(image.shape, dtype=np.float32)
        other = 0.018 * noise.standard_normal(image.shape, dtype=np.float32)
        return np.asarray(np.hypot(real, other), dtype=np.float32)

    def covers(self, paint: Paint, x: Field, y: Field, z: Field) -> Field:
        """Name what lies where, from the outside in; the shading of the coil."""
        fold = _noise(self.seed, "folds", x, y, z, 15.0)
        fine = _noise(self.seed, "fine", x, y, z, 7.0)
        brain = _within(x, y + 2, z - 4, 66, 82, 62) + 1.6 * fine
        self._shell(paint, x, y, z, brain)
        sulci = step(0.34 - np.abs(fold) - np.clip(brain - 4, 0, None) / 38, -0.06, 0.10)
        sulci = np.maximum(sulci, step(1.6 - np.abs(x + 0.8 * fine) - np.clip(brain - 24, 0, None) / 5, 0, 1.0))
        ribbon = step(0.62 - np.abs(fold) - np.clip(brain - 4, 0, None) / 42, -0.10, 0.10)
        inside = step(brain, 0.0, 1.2)
        paint(inside, "white")
        paint(inside * np.maximum(ribbon, step(5.0 - brain, -0.7, 0.7)), "grey")
        paint(inside * sulci, "fluid")
        self._deep(paint, x, y, z, fine)
        self._lesions(paint, x, y, z, fine)
        shade = (1 + 0.08 * np.cos((x + 20) / 110) * np.cos((y - 30) / 120)) * (1 + 0.03 * fine)
        return np.asarray(shade, dtype=np.float32)

    def _shell(self, paint: Paint, x: Field, y: Field, z: Field, brain: Field) -> None:
        head = _within(x, y, z, 79, 98, 79)
        face = _within(x, y + 44, z + 62, 56, 52, 58)
        neck = _within(x, y - 26, z + 96, 56, 58, 90)
        outer = np.maximum(head, np.maximum(face, neck))
        paint(step(outer, 0, 1), "scalp")
        paint(step(np.maximum(face, neck), 5, 7), "muscle")
        skull = _within(x, y, z, 73, 92, 73)
        paint(step(skull, 0, 1), "bone")
        paint(step(np.abs(skull - 3.0), 1.8, 0.8) * step(skull, 0, 1), 0.35)  # marrow
        paint(step(_within(x, y + 2, z - 4, 68.5, 84.5, 64.5), 0, 1), "fluid")
        for side in (-1, 1):
            eye = _within(x - side * 31, y + 70, z + 34, 12.5, 12.5, 12.5)
            paint(step(eye, -4, -3), "scalp")
            paint(step(eye, -0.5, 0.5), "fluid")
            paint(step(_within(x - side * 31, y + 79, z + 34, 5, 2.5, 5), 0, 0.8), "grey")
        paint(step(_within(x, y + 78, z + 60, 14, 18, 22), 0, 1), 0.03)  # air of the nose

    def _deep(self, paint: Paint, x: Field, y: Field, z: Field, fine: Field) -> None:
        behind = _within(x, y - 46, z + 42, 50, 32, 25) + 0.6 * fine
        leaves = np.abs(np.sin((np.hypot(y - 22, z + 30)) / 2.1 + 0.6 * fine))
        paint(step(behind, 0, 1), "grey")
        paint(step(behind, 1, 3) * step(leaves, 0.55, 0.95) * step(14 - behind, 0, 4), "white")
        paint(step(behind, 9, 12), "white")
        paint(step(_within(x, y - 14, z + 42, 15, 15, 40), 0, 1.2), "white")  # stem
        paint(step(_within(x, y - 29, z + 38, 7, 5, 12), 0, 1), "fluid")  # fourth ventricle
        aside = np.abs(x)
        paint(step(_within(aside - 24, y + 2, z - 2, 9, 19, 11), 0, 1.5), "grey")  # lentiform nucleus
        paint(step(_within(aside - 11, y - 12, z - 2, 9, 14, 10), 0, 1.5), "grey")  # thalamus
        paint(step(_within(aside - 12 - 0.1 * y, y + 16, z - 12, 5, 13, 10), 0, 1.2), "grey")  # caudate
        curve = 7 + 0.0032 * (y + 8) ** 2
        paint(step(_within(aside - curve, y - 4, z - 17 + 0.0022 * y * y, 5.5, 38, 8.5), 0, 1.0), "fluid")
        paint(step(_within(aside - 27, y - 36, z + 2, 6, 14, 7), 0, 1.2), "fluid")
        paint(step(_within(x, y - 2, z + 4, 2.4, 13, 11), 0, 0.8), "fluid")  # third ventricle

    def _lesions(self, paint: Paint, x: Field, y: Field, z: Field, fine: Field) -> None:
        chance = random(self.seed, "lesions")
        for _ in range(self.lesions):
            side, along, up = chance.choice((-1, 1)), chance.uniform(-38, 40), chance.uniform(14, 34)
            away, long = chance.uniform(17, 30), chance.uniform(4, 8.5)
            spot = _within(x - side * away, y - along, z - up, long, long * 0.6, long * 0.6) + 0.5 * fine
            paint(step(spot, -0.4, 1.4), "lesion")


def _bytes(places: Field) -> tuple[tuple[int, ...], bytes]:
    return places.shape, np.ascontiguousarray(places, dtype=np.float32).tobytes()


@lru_cache(maxsize=4)
def _covers(head: Head, *places: tuple[tuple[int, ...], bytes]) -> tuple[list[tuple[Field, str | float]], Field]:
    """What covers what in a slice: kept, since the weightings of a slice are made one after the other."""
    x, y, z = (np.frombuffer(raw, dtype=np.float32).reshape(shape) for shape, raw in places)
    found: list[tuple[Field, str | float]] = []

    def paint(inside: Field, tissue: str | float) -> None:
        if inside.any():
            found.append((inside, tissue))

    return found, head.covers(paint, x, y, z)


def _within(x: Field, y: Field, z: Field, a: float, b: float, c: float) -> Field:
    """About how far inside an ellipsoid with these half axes each place is, in millimetres."""
    far = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    return np.asarray((1 - far) * min(a, b, c), dtype=np.float32)


@cache
def _cube(seed: str, name: str) -> Field:
    """Noise in three dimensions that repeats itself, without what is larger than a sixth of its side."""
    size = 64
    white = np.fft.rfftn(random(seed, name).standard_normal((size, size, size), dtype=np.float32))
    f = np.fft.fftfreq(size) * size
    far = np.sqrt(f[:, None, None] ** 2 + f[None, :, None] ** 2 + (np.fft.rfftfreq(size) * size)[None, None, :] ** 2)
    white *= np.exp(-(((far - 6) / 2.6) ** 2))
    noise = np.fft.irfftn(white, s=(size, size, size), axes=(0, 1, 2)).astype(np.float32)
    return np.asarray(noise / noise.std(), dtype=np.float32)


def _noise(seed: str, name: str, x: Field, y: Field, z: Field, wave: float) -> Field:
    """That noise at these places, its waves about `wave` long."""
    cube = _cube(seed, name)
    scale = 64 / 6 / wave
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.float32)
    places = [np.asarray(place * scale + 32) for place in (x, y, z)]
    floors = [np.floor(place).astype(np.int32) for place in places]
    parts = [(place - floor).astype(np.float32) for place, floor in zip(places, floors, strict=True)]
    for corner in range(8):
        at, weight = [], np.ones(1, dtype=np.float32)
        for axis in range(3):
            up = corner >> axis & 1
            at.append((floors[axis] + up) & 63)
            weight = weight * (parts[axis] if up else 1 - parts[axis])
        total += weight * cube[at[0], at[1], at[2]]
    return total
