"""A byte range of a pack as memory: only the pages that are looked at are read, whatever the object's size."""

from __future__ import annotations

import mmap
import os

from fileroom import errors
from fileroom.archive.packs import FileRange

_SMALL = 65536  # bytes up to which a copy is cheaper than a map


def mapped(found: FileRange) -> bytes | memoryview:
    """The range's bytes, read-only. The map lives as long as the view or anything cut from it.

    Raises DamagedPack when the pack is shorter than recorded: touching a map behind a file's end would end the process.
    """
    if found.length <= _SMALL:
        return found.read()
    if os.fstat(found.fd).st_size < found.offset + found.length:
        raise errors.DamagedPack("a pack is shorter than its index says", hint="run: fileroom scrub")
    start = found.offset - found.offset % mmap.ALLOCATIONGRANULARITY
    whole = mmap.mmap(found.fd, found.offset + found.length - start, prot=mmap.PROT_READ, offset=start)
    return memoryview(whole)[found.offset - start :]
