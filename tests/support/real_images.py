"""The real objects that hold pixels, opened with our own readers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fileroom.dicom.frames import FrameTable, frame_table
from fileroom.dicom.header import Pixels, scan
from fileroom.dicom.part10 import read_meta
from fileroom.dicom.syntax import TransferSyntax, syntax
from fileroom.errors import RefusedObject
from tests.support.real_objects import all_files


@dataclass(frozen=True, slots=True)
class RealImage:
    """One object with pixels."""

    path: Path
    dataset: bytes
    syntax: TransferSyntax
    pixels: Pixels
    table: FrameTable

    def stream(self, frame: int) -> bytes:
        """The stored bytes of a frame, from 0."""
        return b"".join(self.dataset[at : at + size] for at, size in self.table.fragments(frame))


@cache
def all_images() -> tuple[RealImage, ...]:
    """Every one of a name that our scan takes; deflated ones left out."""
    images = {}
    for path in all_files():
        raw = path.read_bytes()
        try:
            meta = read_meta(raw)
            dataset, kind = raw[meta.dataset_offset :], syntax(meta.transfer_syntax)
            header = scan(dataset, kind)
        except RefusedObject:
            continue
        table = None if kind.deflated else frame_table(dataset, header, kind)
        if header.pixels is not None and table is not None:
            images[path.name] = RealImage(path, dataset, kind, header.pixels, table)
    return tuple(images.values())


def image(name: str) -> RealImage:
    """The one of that name. Raises LookupError."""
    for one in all_images():
        if one.path.name == name:
            return one
    raise LookupError(f"no real image named {name}")
