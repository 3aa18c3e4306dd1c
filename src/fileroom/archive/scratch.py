"""Files without a name for what is made on the way out: large decoded frames, rewritten objects, inflated values.

A slow reader keeps what it was sent until it has it all, so one process lets such files hold only so much together.
"""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from fileroom.archive.packs import PackFile, storage_error
from fileroom.errors import Busy

SCRATCH_BYTES_MAX = 8 << 30  # of all such files of one process, unless a setting says otherwise


class Scratch:
    """The temporary files of one process, bounded in what they hold together. Thread-safe."""

    def __init__(self, folder: Path | None = None, bytes_max: int = SCRATCH_BYTES_MAX) -> None:
        """`folder`: where they lie; None: the system's place for them."""
        self._folder = folder
        self._bytes_max = bytes_max
        self._held_bytes = 0
        self._lock = threading.RLock()  # the collector may close a file while this thread holds it

    @property
    def held_bytes(self) -> int:
        """Bytes that are promised to files now."""
        return self._held_bytes

    def file(self, bytes_max: int | None, *, or_less: bool = False) -> ScratchFile:
        """An empty file that may hold so many bytes; `or_less`: or what it can have. None: what it can have.

        No file has more than half of what is left, so that no file keeps every other out. Raises Busy, StorageFull.
        """
        with self._lock:
            half = (self._bytes_max - self._held_bytes) // 2
            at_most = min(half, bytes_max or half)
            promised = at_most if or_less or bytes_max is None else bytes_max
            if not 0 < promised <= half:
                raise Busy("files made for other callers take all the space there is for such", hint="try again later")
            self._held_bytes += promised
        try:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as out:
                return ScratchFile(os.dup(out.fileno()), self, promised)
        except OSError as error:
            self.give_back(promised)
            raise storage_error(error) from error

    def give_back(self, size: int) -> None:
        """So many bytes are promised no more."""
        with self._lock:
            self._held_bytes -= size


class ScratchFile(PackFile):
    """One such file: open, and counted, as long as it is referenced."""

    __slots__ = ("_scratch", "bytes_max")

    def __init__(self, fd: int, scratch: Scratch, bytes_max: int) -> None:
        super().__init__(fd)
        self._scratch = scratch
        self.bytes_max = bytes_max  # what it may hold; written by one thread

    def settle(self) -> int:
        """It is written: from now on only its real size counts. The size in bytes; Busy when that is too much."""
        size = os.fstat(self.fd).st_size
        if size > self.bytes_max:
            raise Busy("a file made on the way out is larger than there is space for", hint="try again later")
        self._scratch.give_back(self.bytes_max - size)
        self.bytes_max = size
        return size

    def __del__(self) -> None:
        super().__del__()
        self._scratch.give_back(self.bytes_max)
