"""A stored object rewritten whole to a native transfer syntax. Runs in the decode worker.

For receivers that do not take the stored syntax: WADO-RS without `transfer-syntax`, C-MOVE and C-GET (PS3.5 10).
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import BinaryIO

from fileroom.dicom.part10 import prefix, read_meta
from fileroom.dicom.rewrite import rewrite
from fileroom.dicom.syntax import syntax


@dataclass(frozen=True, slots=True)
class Written:
    """How large the rewritten file became."""

    size_bytes: int  # of the whole Part 10 file
    prefix_bytes: int  # before the dataset


def transcode(descriptor: int, offset: int, length: int, target_uid: str, out: BinaryIO) -> Written:
    """Write the Part 10 file at this range to `out` in the native syntax `target_uid`, under the same UIDs.

    The file is mapped, and written as it is read: memory stays at a frame. Raises UndecodableImage and
    MalformedObject as `rewrite` does, OSError when `out` cannot be written.
    """
    lead = offset % mmap.ALLOCATIONGRANULARITY
    with mmap.mmap(descriptor, lead + length, offset=offset - lead, access=mmap.ACCESS_READ) as mapped:
        with memoryview(mapped) as view, view[lead : lead + length] as whole:
            meta = read_meta(whole)
            head = prefix(meta.sop_class_uid, meta.sop_uid, target_uid, meta.source_ae)
            size = out.write(head)
            with whole[meta.dataset_offset :] as dataset:
                for piece in rewrite(dataset, syntax(meta.transfer_syntax), target_uid):
                    size += out.write(piece)
    out.flush()
    return Written(size, len(head))
