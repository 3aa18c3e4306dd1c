"""Mammograms as some units store them: mirrored, upside down, lying on their side. Each says so (PS3.3 C.7.6.1.1.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tests.support.corpus.instance import Instance, encode
from tests.support.corpus.mammography import COLUMNS, ROWS, VIEWS, mammogram_exam

# How the stored image came from one that hangs rightly: its rows and columns exchanged, then mirrored left to right,
# then top to bottom.
WAYS = {
    "upright": (False, False, False),
    "mirrored": (False, True, False),
    "upside down": (False, False, True),
    "half round": (False, True, True),
    "exchanged": (True, False, False),
    "to the right": (True, True, False),
    "to the left": (True, False, True),
    "exchanged, half round": (True, True, True),
}
_OPPOSITE = str.maketrans("APRLHF", "PALRFH")


def turned_exam(number: int, ways: Sequence[str], *, shrink: int) -> Iterator[Instance]:
    """The `number`th screening exam, each image stored in the way that `ways` names for it.

    Images are marked by a bright square: at the chest wall, at the end that hangs above (head or outer side).
    """
    size = (ROWS // shrink, COLUMNS // shrink)
    for one, (side, view), way in zip(mammogram_exam(number, shrink=shrink), VIEWS, ways, strict=True):
        yield _turned(one, side, view, size, way)


def _turned(one: Instance, side: str, view: str, size: tuple[int, int], way: str) -> Instance:
    image = np.frombuffer(one.pixels, np.uint16).reshape(size).copy()
    edge, length = (slice(-size[1] // 3, None) if side == "R" else slice(size[1] // 3)), size[0] // 3
    image[:length, edge] = 4095
    inwards = "R" if side == "L" else "L"
    row, column = "P" if side == "R" else "A", inwards if view == "CC" else f"F{inwards}"
    replaced = {0x00200020: ("CS", f"{row}\\{column}"), 0x00280010: ("US", size[0]), 0x00280011: ("US", size[1])}
    exchanged, mirrored, upside_down = WAYS[way]
    if exchanged:
        image, row, column, size = image.T, column, row, (size[1], size[0])
    if mirrored:
        image, row = image[:, ::-1], row.translate(_OPPOSITE)
    if upside_down:
        image, column = image[::-1], column.translate(_OPPOSITE)
    by = {0x00200020: ("CS", f"{row}\\{column}"), 0x00280010: ("US", size[0]), 0x00280011: ("US", size[1])}
    header = one.header
    for tag in by:
        was = encode({tag: replaced[tag]})
        assert header.count(was) == 1
        header = header.replace(was, encode({tag: by[tag]}))
    return replace(one, header=header, pixels=image.tobytes())
