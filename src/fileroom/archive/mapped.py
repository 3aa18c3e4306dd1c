"""A byte range of a pack as memory: only the pages that are looked at are read, whatever the object's size.

What is deflated inflates into a file without a name, so that a small object can claim disk for a moment, never memory.
"""

from __future__ import annotations

import mmap
import os
from itertools import chain

from fileroom import errors
from fileroom.archive.packs import FileRange, PackFile, storage_error
from fileroom.archive.scratch import Scratch
from fileroom.dicom.deflate import inflated_bytes_max, pieces

_SMALL = 65536  # bytes up to which a copy is cheaper than a map
_INFLATED_IN_MEMORY_MAX = 1 << 20


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


def inflated(found: FileRange, scratch: Scratch) -> bytes | memoryview:
    """A deflated dataset inflated: in memory while small, else in a scratch file, mapped.

    Raises MalformedObject when it is damaged or inflates to more than is taken, Busy, StorageFull, DamagedPack.
    """
    start = bytearray()
    rest = pieces(mapped(found))
    for piece in rest:
        start += piece
        if len(start) > _INFLATED_IN_MEMORY_MAX:
            break
    else:
        return bytes(start)
    file = scratch.file(inflated_bytes_max(found.length), or_less=True)
    size = 0
    try:
        for piece in chain((bytes(start),), rest):
            if size + len(piece) > file.bytes_max:
                raise errors.Busy("what it inflates to is larger than there is space for", hint="try again later")
            with memoryview(piece) as left:
                done = 0
                while done < len(left):
                    done += os.write(file.fd, left[done:])
            size += len(piece)
    except OSError as error:
        raise storage_error(error) from error
    file.settle()
    view = _ScratchMap(file.fd, size, prot=mmap.PROT_READ)
    view.file = file
    return memoryview(view)


class _ScratchMap(mmap.mmap):
    """A map of a scratch file that keeps it counted as long as anything cut from the map is used."""

    file: PackFile
