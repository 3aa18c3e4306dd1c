"""Seeded fields of numbers that phantoms are made of: noise with a spectrum like tissue's, curves, soft steps.

Arrays are float32 throughout. Equal arguments give equal values on one machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]


def random(*parts: object) -> np.random.Generator:
    """A generator that depends on the parts alone."""
    return np.random.default_rng([zlib.crc32(repr(part).encode()) for part in parts])


def tissue_noise(shape: tuple[int, int], power: float, seed: np.random.Generator, stretch: float = 1.0) -> Field:
    """Noise of mean 0 and deviation 1 whose amplitude falls with frequency to the `power`; 1.5 looks like tissue.

    `stretch` over 1 draws its structures out along the rows.
    """
    rows, columns = shape
    white = np.fft.rfft2(seed.standard_normal(shape, dtype=np.float32))
    fy = np.fft.fftfreq(rows)[:, None] * rows
    fx = np.fft.rfftfreq(columns)[None, :] * columns * stretch * rows / columns
    frequency = np.hypot(fy, fx).astype(np.float32)
    frequency[0, 0] = 1
    white *= (1 / (2 + frequency) ** power).astype(np.float32)
    white[0, 0] = 0
    noise = np.fft.irfft2(white, s=shape).astype(np.float32)
    return np.asarray(noise / noise.std(), dtype=np.float32)


def step(x: Field | npt.NDArray[Any], low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, smooth between them."""
    t = np.clip((x - low) * (1 / (high - low)), 0, 1).astype(np.float32)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def sample(field: Field, y: Field, x: Field) -> Field:
    """The field between its points, by straight lines. It repeats itself outside; both its sides are powers of two."""
    rows, columns = field.shape
    y0, x0 = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    y, x = (y - y0).astype(np.float32), (x - x0).astype(np.float32)
    y0 &= rows - 1
    x0 &= columns - 1
    x1 = (x0 + 1) & (columns - 1)
    flat = field.ravel()
    at = y0 * columns
    top = flat[at + x0]
    top += x * (flat[at + x1] - top)
    at = ((y0 + 1) & (rows - 1)) * columns
    bottom = flat[at + x0]
    bottom += x * (flat[at + x1] - bottom)
    top += y * (bottom - top)
    return np.asarray(top, dtype=np.float32)


def enlarge(field: Field, shape: tuple[int, int]) -> Field:
    """The field drawn out to a shape, by straight lines."""
    for axis, size in enumerate(shape):
        old = field.shape[axis]
        at = np.clip((np.arange(size, dtype=np.float32) + 0.5) * (old / size) - 0.5, 0, old - 1.001)
        low = at.astype(np.int32)
        part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
        lower = np.take(field, low, axis=axis)
        field = np.take(field, low + 1, axis=axis)
        field -= lower
        field *= part
        field += lower
    return field


def smooth_curve(xs: Sequence[float], ys: Sequence[float], at: Field, width: float) -> Field:
    """A curve near the given points, rounded over `width` in the unit of `at`, which is evenly spaced."""
    pace = float(at[1] - at[0])
    half = max(int(2.5 * width / pace), 1)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) * pace / width) ** 2)
    straight = np.interp(
        np.concatenate([at[0] - np.arange(half, 0, -1) * pace, at, at[-1] + np.arange(1, half + 1) * pace]), xs, ys
    )
    return np.convolve(straight, kernel / kernel.sum(), "valid").astype(np.float32)


def distance_to(points: npt.NDArray[Any], y: Field, x: Field) -> Field:
    """How far each place of a coarse grid is from a line through points (n x 2: y, x), always positive."""
    best = np.full(np.broadcast_shapes(y.shape, x.shape), np.inf, dtype=np.float32)
    for (ay, ax), (by, bx) in zip(points[:-1].tolist(), points[1:].tolist(), strict=True):
        dy, dx = by - ay, bx - ax
        length = dy * dy + dx * dx or 1e-9
        t = np.clip(((y - ay) * dy + (x - ax) * dx) * (1 / length), 0, 1)
        np.minimum(best, (y - ay - t * dy) ** 2 + (x - ax - t * dx) ** 2, out=best)
    return np.sqrt(best)


def stamp(image: Field, y: float, x: float, radius: float, value: float, sharpness: float = 2.0) -> None:
    """Add a round spot, in points of the image. Sharpness 2 is a bell; higher ones are flat with a steeper edge."""
    reach = radius * (2.5 if sharpness <= 2 else 1.6)
    top, bottom = max(int(y - reach), 0), min(int(y + reach) + 2, image.shape[0])
    left, right = max(int(x - reach), 0), min(int(x + reach) + 2, image.shape[1])
    if top >= bottom or left >= right:
        return
    dy = (np.arange(top, bottom, dtype=np.float32) - y)[:, None]
    dx = (np.arange(left, right, dtype=np.float32) - x)[None, :]
    far = (dy * dy + dx * dx) * (1 / radius**2)
    image[top:bottom, left:right] += value * np.exp(-(far ** (sharpness / 2)))


def draw(image: Field, path: npt.NDArray[Any], radius: float, value: float) -> None:
    """Lay a soft line along a path (n x 2: y, x), its brightness `value` wherever it runs. Points of the image."""
    if len(path) < 2:
        return
    lengths = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0], np.cumsum(lengths)])
    pace = max(radius * 0.5, 0.5)
    layer_top, layer_left = np.floor(path.min(axis=0) - 3 * radius - 2).astype(int)
    layer_bottom, layer_right = np.ceil(path.max(axis=0) + 3 * radius + 2).astype(int)
    top, left = max(layer_top, 0), max(layer_left, 0)
    bottom, right = min(layer_bottom, image.shape[0]), min(layer_right, image.shape[1])
    if top >= bottom or left >= right:
        return
    layer = np.zeros((bottom - top, right - left), dtype=np.float32)
    for at in np.arange(0, along[-1], pace):
        y = float(np.interp(at, along, path[:, 0])) - top
        x = float(np.interp(at, along, path[:, 1])) - left
        _lighten(layer, y, x, radius)
    image[top:bottom, left:right] += value * layer


def _lighten(layer: Field, y: float, x: float, radius: float) -> None:
    reach = 2.5 * radius
    top, bottom = max(int(y - reach), 0), min(int(y + reach) + 2, layer.shape[0])
    left, right = max(int(x - reach), 0), min(int(x + reach) + 2, layer.shape[1])
    if top >= bottom or left >= right:
        return
    dy = (np.arange(top, bottom, dtype=np.float32) - y)[:, None]
    dx = (np.arange(left, right, dtype=np.float32) - x)[None, :]
    spot = np.exp(-(dy * dy + dx * dx) * (1 / radius**2))
    part = layer[top:bottom, left:right]
    np.maximum(part, spot, out=part)
