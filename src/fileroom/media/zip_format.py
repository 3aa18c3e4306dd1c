"""The ZIP format as far as it is needed here: members stored, not compressed, so that every size is known beforehand.

Sizes and checks stand in each member's local head, so the archive can also be unpacked while it streams in. ZIP64
records appear where a number does not fit 32 bits (APPNOTE.TXT 4.3, 4.5.3).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDE = 0xFFFFFFFF  # a number from here on needs ZIP64; also what stands in its 32-bit place then
COUNT_WIDE = 0xFFFF

_LOCAL = struct.Struct("<IHHHIIIIHH")
_CENTRAL = struct.Struct("<IHHHHIIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_END_64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<IIQI")
_MADE_BY_UNIX = 3 << 8 | 45
_MODE = 0o100644 << 16  # a plain file that its owner may write


@dataclass(frozen=True, slots=True)
class Slot:
    """One member and its place. Whether its numbers are wide is planned: it stays so when members before it go."""

    name: str  # ASCII
    size_bytes: int
    offset: int  # of its local head
    wide_size: bool
    wide_offset: bool

    @property
    def local_bytes(self) -> int:
        return _LOCAL.size + len(self.name) + (20 if self.wide_size else 0)

    @property
    def central_bytes(self) -> int:
        return _CENTRAL.size + len(self.name) + len(self._central_extra())

    @property
    def cost_bytes(self) -> int:
        """What it adds to the archive in all."""
        return self.local_bytes + self.size_bytes + self.central_bytes

    def local_head(self, crc: int, modified: int) -> bytes:
        """What stands before its bytes. `modified` is a DOS time, see `dos_time`."""
        size = WIDE if self.wide_size else self.size_bytes
        extra = struct.pack("<HHQQ", 1, 16, self.size_bytes, self.size_bytes) if self.wide_size else b""
        head = _LOCAL.pack(
            0x04034B50, self._needs, 0, 0, modified, crc, size, size, len(self.name), len(extra)
        )  # fmt: skip
        return head + self.name.encode("ascii") + extra

    def central_head(self, crc: int, modified: int) -> bytes:
        """Its entry in the directory at the end."""
        size, offset = WIDE if self.wide_size else self.size_bytes, WIDE if self.wide_offset else self.offset
        extra = self._central_extra()
        head = _CENTRAL.pack(
            0x02014B50, _MADE_BY_UNIX, self._needs, 0, 0, modified, crc, size, size,
            len(self.name), len(extra), 0, 0, 0, _MODE, offset,
        )  # fmt: skip
        return head + self.name.encode("ascii") + extra

    def moved(self, offset: int) -> Slot:
        """The same member at another place, not behind the planned one."""
        return replace(self, offset=offset)

    @property
    def _needs(self) -> int:
        return 45 if self.wide_size or self.wide_offset else 20

    def _central_extra(self) -> bytes:
        numbers = ([self.size_bytes] * 2 if self.wide_size else []) + ([self.offset] if self.wide_offset else [])
        return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""


def slot(name: str, size_bytes: int, offset: int) -> Slot:
    """A member at an offset, its numbers wide where they must be."""
    return Slot(name, size_bytes, offset, size_bytes >= WIDE, offset >= WIDE)


def filling(name: str, cost_bytes: int, offset: int) -> Slot:
    """A member at an offset that adds exactly so many bytes to the archive. Raises ValueError when they are too few."""
    size = cost_bytes - slot(name, 0, offset).cost_bytes
    if size >= WIDE:
        size -= replace(slot(name, 0, offset), wide_size=True).cost_bytes - slot(name, 0, offset).cost_bytes
        return Slot(name, size, offset, True, offset >= WIDE)
    if size < 0:
        raise ValueError(f"a ZIP member called {name} takes more than {cost_bytes} bytes")
    return slot(name, size, offset)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything in an archive lies."""

    slots: tuple[Slot, ...]
    size_bytes: int  # of the whole archive
    wide_end: bool

    def end(self, count: int, central_offset: int, central_bytes: int) -> bytes:
        """What stands behind the directory. The numbers may differ from the plan; their sum may not."""
        if not self.wide_end:
            return _END.pack(0x06054B50, 0, 0, count, count, central_bytes, central_offset, 0)
        wide = _END_64.pack(
            0x06064B50, _END_64.size - 12, _MADE_BY_UNIX, 45, 0, 0, count, count, central_bytes, central_offset
        )  # fmt: skip
        locator = _LOCATOR_64.pack(0x07064B50, 0, central_offset + central_bytes, 1)
        few = min(count, COUNT_WIDE)
        plain = _END.pack(0x06054B50, 0, 0, few, few, min(central_bytes, WIDE), min(central_offset, WIDE), 0)
        return wide + locator + plain


def layout(members: Sequence[tuple[str, int]]) -> Layout:
    """Plan an archive of these members, by name and size in bytes, in this order."""
    slots: list[Slot] = []
    at = central = 0
    for name, size_bytes in members:
        placed = slot(name, size_bytes, at)
        slots.append(placed)
        at += placed.local_bytes + size_bytes
        central += placed.central_bytes
    wide_end = len(slots) >= COUNT_WIDE or at + central >= WIDE
    size = at + central + _END.size + (_END_64.size + _LOCATOR_64.size if wide_end else 0)
    return Layout(tuple(slots), size, wide_end)


def dos_time(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """A time as ZIP keeps it: date in the upper, time in the lower half, to two seconds; 1980 to 2107."""
    date = (min(max(year, 1980), 2107) - 1980) << 9 | month << 5 | day
    return date << 16 | hour << 11 | minute << 5 | second // 2
