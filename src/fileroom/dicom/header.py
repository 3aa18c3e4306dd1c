"""The header scan: one pass over a dataset that reads what the index needs and skips the rest (PS3.5 7)."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

from fileroom.dicom.syntax import TransferSyntax

Buffer = bytes | bytearray | memoryview | mmap.mmap


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the pixels lie and how they are laid out, as the dataset claims. Nothing here is checked against the data.

    Numbers are 0 when the dataset does not say, except `samples` and `frames`, which are then 1.
    """

    keyword: str  # "PixelData", "FloatPixelData" or "DoubleFloatPixelData"
    offset: int  # first byte of the value, from the start of the dataset (deflated: of the inflated dataset)
    length: int  # bytes; -1: undefined length, that is fragments
    rows: int
    columns: int
    samples: int  # per pixel
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int  # 0 unsigned, 1 two's complement
    planar: int  # planar configuration: 0 colour by pixel, 1 colour by plane
    frames: int
    photometric: str


@dataclass(frozen=True, slots=True)
class Header:
    """What the index needs of one object."""

    values: dict[str, str]  # column (attributes.py) to text; values joined by a backslash; absent or empty: no key
    charset: str  # Specific Character Set as sent; "" when absent
    pixels: Pixels | None  # None: no pixel data element
    warnings: tuple[str, ...]  # odd but kept; never a value of the dataset


def scan(dataset: Buffer, syntax: TransferSyntax) -> Header:
    """Read the header."""
    raise NotImplementedError
