"""DICOM objects as bytes, by a writer that shares nothing with the code under test.

Explicit VR little endian only (PS3.5 7.1.2), defined lengths.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EXPLICIT_LE = "1.2.840.10008.1.2.1"
_LONG_LENGTH = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT", "SV", "UV"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}

# A value by its VR: text, bytes, numbers, or the items of a sequence.
Value = str | bytes | int | float | Sequence[int] | Sequence[float] | Sequence["Item"]
Item = Mapping[int, tuple[str, "Value"]]
Elements = dict[int, tuple[str, Value]]


def uid(*parts: object) -> str:
    """A UID under 2.25 that depends on nothing but the parts."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=15).digest()
    return f"2.25.{int.from_bytes(digest, 'big')}"


def encode(elements: Item) -> bytes:
    """The elements in tag order. Strings are UTF-8 and padded; a list of dicts is a sequence."""
    return b"".join(_element(tag, vr, value) for tag, (vr, value) in sorted(elements.items()))


def _element(tag: int, vr: str, value: Value) -> bytes:
    data = _value(vr, value)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in _LONG_LENGTH:
        return head + struct.pack("<HI", 0, len(data)) + data
    return head + struct.pack("<H", len(data)) + data


def _value(vr: str, value: Value) -> bytes:
    if vr == "SQ":
        assert isinstance(value, Sequence)
        items = [encode(item) for item in value if isinstance(item, Mapping)]
        return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    if vr == "AT":
        assert isinstance(value, int)
        return struct.pack("<HH", value >> 16, value & 0xFFFF)
    if vr in _NUMBERS:
        numbers = value if isinstance(value, Sequence) else [value]
        return struct.pack(f"<{len(numbers)}{_NUMBERS[vr]}", *numbers)
    data = value if isinstance(value, bytes) else str(value).encode()
    return data + (b"\0" if vr in {"UI", "OB"} else b" ") * (len(data) % 2)


@dataclass(frozen=True, slots=True)
class Instance:
    """One object: its names, and its dataset in explicit VR little endian as header and pixel data."""

    sop_class_uid: str
    sop_uid: str
    study_uid: str
    series_uid: str
    header: bytes  # everything before Pixel Data, or the whole dataset
    pixels: bytes | memoryview = b""  # the value of (7FE0,0010) as OW
    frame_bytes: int = 0  # bytes of one frame, 0 without pixels
    transfer_syntax: str = EXPLICIT_LE

    @property
    def parts(self) -> list[bytes | memoryview]:
        """The dataset's bytes in order, without copying the pixels."""
        if not len(self.pixels):
            return [self.header]
        return [self.header, b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", len(self.pixels)), self.pixels]

    @property
    def dataset(self) -> bytes:
        return b"".join(self.parts)

    @property
    def prefix(self) -> bytes:
        """Preamble, DICM and the File Meta Information (PS3.10 7.1)."""
        meta = encode(
            {
                0x00020001: ("OB", b"\0\x01"),
                0x00020002: ("UI", self.sop_class_uid),
                0x00020003: ("UI", self.sop_uid),
                0x00020010: ("UI", self.transfer_syntax),
                0x00020012: ("UI", "2.25.200"),
                0x00020013: ("SH", "CORPUS"),
            }
        )
        return bytes(128) + b"DICM" + encode({0x00020000: ("UL", len(meta))}) + meta

    @property
    def part10(self) -> bytes:
        """The whole Part 10 file."""
        return b"".join([self.prefix, *self.parts])

    @property
    def digest(self) -> str:
        """SHA-256 of the dataset, hex."""
        return hashlib.sha256(self.dataset).hexdigest()

    def frame(self, number: int) -> bytes:
        """The bytes of frame `number`, the first being 1."""
        return bytes(self.pixels[(number - 1) * self.frame_bytes : number * self.frame_bytes])

    def write(self, path: Path) -> Path:
        """Writes the Part 10 file (not synced)."""
        with path.open("wb", buffering=0) as file:
            file.write(b"".join([self.prefix, *self.parts[:-1]]) if len(self.pixels) else self.part10)
            if len(self.pixels):
                file.write(self.pixels)
        return path


def write_all(instances: Iterable[Instance], folder: Path) -> list[Path]:
    """Each instance as a file named by its place, 00000.dcm first."""
    folder.mkdir(parents=True, exist_ok=True)
    return [instance.write(folder / f"{place:05}.dcm") for place, instance in enumerate(instances)]
