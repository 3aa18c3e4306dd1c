"""A breast as a mammogram shows it: outline, skin, muscle, gland, ducts, vessels; lesions where a reader would look.

A phantom for hanging, windowing and comparing, not for diagnosis: what lies in two views of one breast is placed at the
same distance from the nipple, and an earlier examination shows the same tissue, a little differently positioned.
Lengths are millimetres. Images have the chest wall at their left edge; whoever makes a right breast turns them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fileroom.demo.fields import (
    Field,
    distance_to,
    draw,
    enlarge,
    random,
    sample,
    smooth_curve,
    stamp,
    step,
    tissue_noise,
)

FAT, GLAND, MUSCLE = 0.30, 0.27, 0.22  # brightness of fat, and what gland and muscle add to it
_COARSE = 8  # the distance from the skin is worked out on every eighth point


@dataclass(frozen=True, slots=True)
class Lesion:
    """Something in one breast, placed by the nipple."""

    kind: str  # spiculated | round | cluster | coarse | vascular
    behind: float  # the nipple, toward the chest wall
    lateral: float  # of the nipple: up in a CC view
    above: float  # the nipple: up in an MLO view
    size: float


@dataclass(frozen=True, slots=True)
class Breast:
    """One breast at one examination."""

    person: str  # seeds what both breasts share
    side: str  # L | R: with the person, seeds what every view and examination of this breast shares
    depth: float  # from chest wall to nipple in the CC view
    density: float  # 0 fatty .. 1 extremely dense
    lesions: tuple[Lesion, ...] = ()
    shift: float = 0.0  # how differently it lies from the other examination

    @property
    def seed(self) -> str:
        return self.person + self.side


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid an image is made on."""

    rows: int
    columns: int
    spacing: float

    def coarser(self, factor: int) -> Frame:
        return Frame(self.rows // factor, self.columns // factor, self.spacing * factor)

    @property
    def y(self) -> Field:
        return ((np.arange(self.rows, dtype=np.float32) + 0.5) * self.spacing)[:, None]

    @property
    def x(self) -> Field:
        return ((np.arange(self.columns, dtype=np.float32) + 0.5) * self.spacing)[None, :]


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the breast lies in a view."""

    skin: Field  # n x 2 (y, x), from top to bottom
    nipple: tuple[float, float]  # y, x
    muscle: tuple[float, float]  # where the pectoral edge leaves the top (x) and the chest wall (y); 0, 0: not seen


def outline(breast: Breast, view: str, height: float) -> Outline:
    """The skin line of a view, `CC` or `MLO`."""
    y = np.arange(-30, height + 30, 0.5, dtype=np.float32)  # past the image: its border is no skin
    wobble = random(breast.seed, view, "wobble").normal(0, 1, 3)
    depth = breast.depth + 2 * breast.shift
    if view == "CC":
        middle = height * 0.5 + 3 * breast.shift
        t = (y - middle) / np.where(y < middle, 1.0, 0.93) / min(depth * 1.16, height * 0.47)
        x = np.asarray(depth * np.clip(1 - np.abs(t) ** 2.1, 0, 1) ** (1 / 1.7), dtype=np.float32)
        nipple_y, muscle = middle + 2.0, (0.0, 0.0)
    else:
        k = depth / 95
        down = np.array([-20, 0, 12, 28, 42, 52, 58, 66, 76, 85, 91, 95, 99, 110]) * height / 100
        out = np.array([50, 58, 66, 79, 90, 97, 99, 95, 80, 56, 35, 24, 22, 26]) * k
        x = smooth_curve(down.tolist(), out.tolist(), y, 7.0)
        nipple_y = height * 0.585 + 2 * breast.shift
        muscle = (46 * k + 2 * breast.shift, height * 0.60 + 3 * breast.shift)
    x = x + np.where(x > 4, sum(w * np.sin(y / height * np.pi * (3 + 2 * n)) for n, w in enumerate(wobble)), 0)
    base = float(np.interp(nipple_y, y, x))
    x = x + np.where(x > 4, 6.0 * np.exp(-(np.abs((y - nipple_y) / 4.9) ** 3)), 0)
    return Outline(np.stack([y, x], axis=1).astype(np.float32), (nipple_y, base), muscle)


@dataclass(frozen=True, slots=True)
class Layers:
    """A view of a breast before noise and fine detail, on the grid of `frame`."""

    frame: Frame
    outline: Outline
    skin: Field  # distance from it, positive inside
    base: Field  # fat, skin and muscle
    gland: Field  # 0..1: how much of it
    strands: Field  # ducts, ligaments and vessels, brightness


def layers(breast: Breast, view: str, frame: Frame) -> Layers:
    """Everything of a view that is larger than a millimetre or so."""
    height = frame.rows * frame.spacing
    shape = outline(breast, view, height)
    depth = _from_skin(shape, frame)
    y, x = frame.y, frame.x
    ny, nx = shape.nipple
    back, aside = nx - x, y - ny
    radius = np.hypot(back, aside)
    angle = np.arctan2(aside, np.maximum(back, 0.01) + 6)
    muscle = _muscle(shape, frame, breast, view)
    noise = _Noise(breast, view, radius, angle)
    gland = _gland(breast, view, depth, muscle, back, aside, noise)
    fat = FAT * (0.62 + 0.38 * (1 - np.exp(-np.maximum(depth, 0) / 14)))
    fat *= 1 + 0.05 * noise.clouds + 0.035 * noise.fine
    base = fat + 0.085 * np.exp(-(((depth - 0.8) / 0.6) ** 2))
    covered = step(muscle, -0.7, 1.6)
    streaks = 1 + 0.06 * noise.clouds + 0.05 * noise.fine
    base += covered * MUSCLE * streaks * (0.80 + 0.2 * step(muscle, 0, 25))
    strands = noise.strands * (0.03 + 0.055 * step(gland, 0.05, 0.6)) * step(depth, 1.5, 6) * (1 - 0.7 * covered)
    _vessels(strands, breast, view, shape, frame)
    if view == "MLO":
        _nodes(base, breast, shape, frame)
    return Layers(frame, shape, depth, base, gland * (1 - 0.55 * covered), strands)


class _Noise:
    """Noise that follows the ducts: drawn out along rays from the nipple, and the same in every view of a breast."""

    def __init__(self, breast: Breast, view: str, radius: Field, angle: Field) -> None:
        def rays(name: str, power: float, stretch: float) -> Field:
            field = tissue_noise((512, 512), power, random(breast.seed, view, name), stretch)
            return sample(field, angle * (512 / 3.2), radius * (512 / 230))

        def flat(name: str, power: float, pace: float, whose: str = breast.seed) -> Field:
            field = tissue_noise((1024, 1024), power, random(whose, view, name))
            return sample(field, radius * np.sin(angle) * pace, radius * np.cos(angle) * pace)

        self.clouds = flat("clouds", 1.75, 4.0)
        self.fine = flat("fine", 1.0, 4.4)
        shared = flat("shared", 2.2, 4.0, breast.person)
        self.lobes = 0.40 * rays("lobes", 1.7, 0.5) + 0.55 * self.clouds + 0.6 * shared
        thin = rays("strands", 1.25, 0.22)
        cross = flat("ligaments", 1.5, 3.2)
        self.strands = 0.8 * np.exp(-((thin / 0.16) ** 2)) + 0.9 * np.exp(-((cross / 0.07) ** 2))


def _from_skin(shape: Outline, frame: Frame) -> Field:
    """How far inside the skin each place is; negative outside."""
    rows, columns = frame.rows // _COARSE, frame.columns // _COARSE
    y = ((np.arange(rows, dtype=np.float32) + 0.5) * (frame.rows * frame.spacing / rows))[:, None]
    x = ((np.arange(columns, dtype=np.float32) + 0.5) * (frame.columns * frame.spacing / columns))[None, :]
    line = shape.skin[shape.skin[:, 1] > 0]
    line = np.concatenate([[[line[0, 0], -60.0]], line[::2], line[-1:], [[line[-1, 0], -60.0]]])
    far = distance_to(line, y, x)
    border = np.interp(y[:, 0], shape.skin[:, 0], shape.skin[:, 1]).astype(np.float32)[:, None]
    return enlarge(np.where(x < border, far, -far).astype(np.float32), (frame.rows, frame.columns))


def _muscle(shape: Outline, frame: Frame, breast: Breast, view: str) -> Field:
    """How far inside the pectoral muscle; negative outside."""
    top, bottom = shape.muscle
    y, x = frame.y, frame.x
    if not top:  # a CC view shows the muscle in some, a sliver at the chest wall
        sliver = 5.0 * (random(breast.seed, view, "muscle").random() - 0.35)
        middle = frame.rows * frame.spacing / 2
        return np.asarray(sliver - x - ((y - middle) / 42) ** 2 * 3, dtype=np.float32)
    t = np.clip(y / bottom, 0, 1.6)
    edge = top * (1 - t**1.22) + 2.2 * np.sin(t * 3.0)
    return np.asarray((edge - x) * 0.86, dtype=np.float32)


def _gland(breast: Breast, view: str, depth: Field, muscle: Field, back: Field, aside: Field, noise: _Noise) -> Field:
    """How much gland lies where: a cone behind the nipple, broken up by fat, more of it above and outside."""
    spread = 10 + (0.50 + 0.45 * breast.density) * np.maximum(back, 0) + 12 * breast.density
    cone = step(1 - np.abs(aside + (0.16 if view == "CC" else 0.30) * np.maximum(back, 0)) / spread, -0.35, 0.55)
    room = step(depth, 4 + 5 * (1 - breast.density), 17) * step(back, 1, 12)
    behind = step(-muscle, 2, 22 - 8 * breast.density)
    reach = 1 - step(back, breast.depth * (0.45 + 0.35 * breast.density), breast.depth * (0.75 + 0.4 * breast.density))
    envelope = cone * room * behind * reach
    level = 1.35 - 2.3 * breast.density
    blobs = step(noise.lobes + 1.7 * envelope - 1.1, level - 1.0, level + 1.6)
    return envelope**0.6 * (0.10 + 0.90 * blobs) * (1 + 0.07 * noise.fine + 0.05 * noise.clouds)


def _vessels(strands: Field, breast: Breast, view: str, shape: Outline, frame: Frame) -> None:
    chance = random(breast.seed, view, "vessels")
    ny, nx = shape.nipple
    for _ in range(3):
        start = ny + chance.uniform(-60, 60)
        x = np.linspace(2, nx * chance.uniform(0.55, 0.8), 40)
        bend = chance.uniform(-26, 26)
        y = start + bend * (x / nx) ** 1.5 + 2.2 * np.sin(x / chance.uniform(7, 13) + chance.uniform(0, 6))
        inside = np.interp(y, shape.skin[:, 0], shape.skin[:, 1]) - 5 > x
        path = np.stack([y, x], axis=1)[inside] / frame.spacing
        draw(strands, path, chance.uniform(0.6, 1.1) / frame.spacing, 0.06)


def _nodes(base: Field, breast: Breast, shape: Outline, frame: Frame) -> None:
    """Lymph nodes of the axilla, over the muscle, with their fatty hilum."""
    chance = random(breast.seed, "nodes")
    for _ in range(chance.integers(1, 4)):
        y, x = chance.uniform(12, 48), chance.uniform(8, shape.muscle[0] + 8)
        size = chance.uniform(3.2, 5.5)
        stamp(base, y / frame.spacing, x / frame.spacing, size / frame.spacing, 0.075, 4)
        stamp(
            base,
            (y + size * 0.25) / frame.spacing,
            (x + size * 0.3) / frame.spacing,
            size * 0.55 / frame.spacing,
            -0.06,
            3,
        )


def where(lesion: Lesion, view: str, shape: Outline) -> tuple[float, float]:
    """The centre of a lesion in a view: y, x."""
    ny, nx = shape.nipple
    return ny - (lesion.lateral if view == "CC" else lesion.above), nx - lesion.behind


def add_mass(image: Field, lesion: Lesion, centre: tuple[float, float], spacing: float, seed: str) -> None:
    """A mass: round with a fine edge, or irregular with spicules."""
    chance = random(seed, lesion.kind, "mass")
    y, x = centre[0] / spacing, centre[1] / spacing
    radius = lesion.size / 2 / spacing
    if lesion.kind == "round":
        stamp(image, y, x, radius, 0.16, 6)
        return
    stamp(image, y, x, radius * 0.80, 0.11, 3.0)
    for _ in range(9):
        turn, far = chance.uniform(0, 2 * np.pi), radius * chance.uniform(0.4, 0.85)
        stamp(image, y + far * np.sin(turn), x + far * np.cos(turn), radius * chance.uniform(0.25, 0.45), 0.045, 3)
    for turn in chance.uniform(0, 2 * np.pi, 30):
        reach = np.linspace(radius * 0.4, radius * (1.2 + chance.exponential(0.55)), 24)
        bent = turn + chance.uniform(-0.35, 0.35) * (reach / reach[-1]) ** 2
        path = np.stack([y + reach * np.sin(bent), x + reach * np.cos(bent)], axis=1)
        for part in (24, 16, 9):  # fainter toward its end
            draw(image, path[:part], chance.uniform(0.25, 0.42) / spacing, 0.018)


def add_calcifications(image: Field, lesion: Lesion, centre: tuple[float, float], spacing: float, seed: str) -> None:
    """Calcifications: a cluster of small ones, one coarse one, or the walls of a vessel."""
    chance = random(seed, lesion.kind, "calcifications")
    y, x = centre[0] / spacing, centre[1] / spacing
    if lesion.kind == "cluster":
        for _ in range(22):
            dy, dx = chance.normal(0, lesion.size / 4.2 / spacing, 2)
            stamp(image, y + dy, x + dx, chance.uniform(0.11, 0.27) / spacing, chance.uniform(0.22, 0.42), 3)
    elif lesion.kind == "coarse":
        for _ in range(9):
            dy, dx = chance.normal(0, lesion.size / 5 / spacing, 2)
            stamp(image, y + dy, x + dx, chance.uniform(0.5, 1.1) / spacing, 0.22, 4)
    elif lesion.kind == "vascular":
        t = np.linspace(0, 1, 130)
        line = np.stack([y + 9 / spacing * np.sin(t * 4), x - t * lesion.size / spacing], axis=1)
        for wall in (-0.75, 0.75):
            for py, px in line[chance.random(130) < 0.7]:
                stamp(image, py + wall / spacing, px, chance.uniform(0.16, 0.3) / spacing, chance.uniform(0.1, 0.2), 3)


def projection(breast: Breast, view: str, frame: Frame) -> Field:
    """A mammogram's brightness, 0..1, on the grid of `frame`: 0 outside the breast."""
    coarse = layers(breast, view, frame.coarser(max(round(0.2 / frame.spacing), 1)))
    image = coarse.base + GLAND * coarse.gland + coarse.strands
    for lesion in breast.lesions:
        if lesion.kind in ("spiculated", "round"):
            add_mass(image, lesion, where(lesion, view, coarse.outline), coarse.frame.spacing, breast.seed)
    image *= step(coarse.skin, -0.05, 0.5)
    soften(image)
    image = enlarge(image, (frame.rows, frame.columns))
    for lesion in breast.lesions:
        add_calcifications(image, lesion, where(lesion, view, coarse.outline), frame.spacing, breast.seed)
    add_grain(image, random(breast.seed, view, breast.shift, "grain"), 0.011)
    return np.clip(image, 0, 1, out=image)


def soften(image: Field) -> None:
    """Bend what is very bright, so that dense tissue over dense tissue keeps its texture."""
    over = np.maximum(image - 0.55, 0)
    image -= over
    image += 0.30 * (1 - np.exp(-over / 0.30))


def add_grain(image: Field, chance: np.random.Generator, amount: float) -> None:
    """The noise of the detector: a little softer than single points, in brightness; none where it is black."""
    tile = chance.standard_normal((512, 512), dtype=np.float32)
    tile = (tile + 0.45 * (np.roll(tile, 1, 0) + np.roll(tile, 1, 1))) * np.float32(amount / 1.19)
    rows, columns = image.shape
    for top in range(0, rows, 512):
        for left in range(0, columns, 512):
            part = image[top : top + 512, left : left + 512]
            turned = np.rot90(tile, int(chance.integers(4)))
            grain = np.roll(turned, int(chance.integers(512)), 0)[: part.shape[0], : part.shape[1]]
            part += grain * (part > 0.02)
