"""Memory for objects on their way in: bounded altogether, taken without waiting, its pages used again and again.

A buffer is address space; only what is written to becomes memory, and only that is charged.
"""

from __future__ import annotations

import mmap
import threading

SMALL_BYTES = 1 << 20
_STEP_BYTES = 1 << 20  # a large buffer is charged in steps of this
_KEPT_SMALL = 16
_KEPT_LARGE_BYTES = 96 << 20  # memory that stays in large buffers while nobody uses them


class Buffer:
    """Room for one object. `memory` may be written up to what is charged for it."""

    __slots__ = ("charged", "memory", "touched")

    def __init__(self, size: int) -> None:
        self.memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.charged = 0
        self.touched = 0  # the most that was ever charged: what of it is memory by now


class Buffers:
    """The buffers of one process. Thread-safe."""

    def __init__(self, size_bytes_max: int, large_bytes: int) -> None:
        self._large_bytes = large_bytes
        self._free = size_bytes_max
        self._lock = threading.Lock()
        self._small: list[Buffer] = []
        self._large: list[Buffer] = []

    @property
    def free_bytes(self) -> int:
        """What may still be charged."""
        return self._free

    def take(self, size: int) -> Buffer | None:
        """A buffer with room for `size` bytes, more by `extend`; None when memory is out or the size is too large."""
        if size > self._large_bytes:
            return None
        small = size <= SMALL_BYTES
        with self._lock:
            kept = self._small if small else self._large
            buffer = kept.pop() if kept else None
        if buffer is None:
            buffer = Buffer(SMALL_BYTES if small else self._large_bytes)
        if not self.extend(buffer, size):
            self.give_back(buffer)
            return None
        return buffer

    def extend(self, buffer: Buffer, size: int) -> bool:
        """Whether the buffer may hold `size` bytes from now on; never waits."""
        if size <= buffer.charged:
            return True
        if size > len(buffer.memory):
            return False
        charge = min(len(buffer.memory), size + (-size % _STEP_BYTES))
        with self._lock:
            if charge - buffer.charged > self._free:
                return False
            self._free -= charge - buffer.charged
        buffer.charged = charge
        buffer.touched = max(buffer.touched, charge)
        return True

    def give_back(self, buffer: Buffer) -> None:
        """Nobody uses it any more."""
        with self._lock:
            self._free += buffer.charged
            buffer.charged = 0
            if len(buffer.memory) <= SMALL_BYTES:
                if len(self._small) < _KEPT_SMALL:
                    self._small.append(buffer)
            elif sum(kept.touched for kept in self._large) + buffer.touched <= _KEPT_LARGE_BYTES:
                self._large.append(buffer)
