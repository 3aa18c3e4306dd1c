"""An archive as it leaves: every object is read and compared with its recorded digest, and only then sent.

At any moment one piece of an object is in memory; a large object is read twice, the second time by the kernel alone.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Callable, Iterator

from fileroom import errors
from fileroom.archive.packs import FileRange
from fileroom.archive.retrieve import Retriever
from fileroom.media.dicomdir import padded
from fileroom.media.notes import MISSING, Missing, filled, missing_note
from fileroom.media.plan import Plan, PlannedFile
from fileroom.media.zip_format import Slot, filling

log = logging.getLogger("fileroom.media")

SMALL_BYTES = 1 << 20  # up to this, what was read to be checked is what is sent
_PIECE_BYTES = 1 << 18

Part = bytes | FileRange


class Stream:
    """One archive, once. `missing` grows while it is read.

    What turns out to be damaged is left out and told in MISSING.TXT, which also takes the room that was planned for
    it: the archive has the size it was announced with, whatever happens.
    """

    def __init__(self, plan: Plan, retriever: Retriever, sent: Callable[[int], None] = lambda objects: None) -> None:
        """`sent` is told how many objects have been dealt with."""
        self._plan = plan
        self._retriever = retriever
        self._sent = sent
        self._at = 0
        self._central: list[bytes] = []
        self._spare_bytes = 0
        self.missing: list[Missing] = list(plan.missing)
        for one in plan.missing:
            _say(one)

    def parts(self) -> Iterator[Part]:
        """The archive's bytes, in order; together `plan.layout.size_bytes`."""
        plan, slots = self._plan, self._plan.layout.slots
        yield from self._made(slots[0], plan.readme)
        gone: set[int] = set()
        for place, (file, slot) in enumerate(zip(plan.files, slots[1:], strict=False)):
            try:
                crc, body = checked(self._retriever.file(file.stored), file.stored.prefix_bytes, file.stored.digest)
            except errors.DamagedPack as error:
                self._leave_out(file, slot, str(error))
                gone.add(place)
            else:
                yield self._head(slot, crc, file.modified)
                yield body
            self._sent(place + 1)
        directory = slots[len(plan.files) + 1]
        yield from self._made(directory, padded(plan.dicomdir(gone), plan.dicomdir_bytes))
        if self.missing:
            yield from self._missing_note()
        central = b"".join(self._central)
        yield central
        yield plan.layout.end(len(self._central), self._at, len(central))

    def _made(self, slot: Slot, content: bytes) -> Iterator[bytes]:
        yield self._head(slot, zlib.crc32(content), self._plan.modified)
        yield content

    def _head(self, slot: Slot, crc: int, modified: int) -> bytes:
        """A member's head; its entry in the directory at the end is made as well."""
        placed = slot.moved(self._at)
        self._central.append(placed.central_head(crc, modified))
        self._at += placed.local_bytes + placed.size_bytes
        return placed.local_head(crc, modified)

    def _leave_out(self, file: PlannedFile, slot: Slot, why: str) -> None:
        missing = Missing(file.stored.sop_uid, why)
        _say(missing)
        self.missing.append(missing)
        self._spare_bytes += slot.cost_bytes

    def _missing_note(self) -> Iterator[bytes]:
        planned = self._plan.layout.slots[-1] if self._plan.missing_bytes else None
        room = self._spare_bytes + (planned.cost_bytes if planned is not None else 0)
        slot = planned if planned is not None and not self._spare_bytes else filling(MISSING, room, self._at)
        note = missing_note(self.missing, self._plan.total)
        yield from self._filled(slot, note)

    def _filled(self, slot: Slot, note: bytes) -> Iterator[bytes]:
        """The note with empty lines behind it, in pieces: it may have to take the place of something large."""
        first = filled(note, min(slot.size_bytes, max(len(note) + 1, _PIECE_BYTES) & ~1))
        more, rest = divmod(slot.size_bytes - len(first), _PIECE_BYTES)
        lines, last = b"\r\n" * (_PIECE_BYTES // 2), filled(b"", rest)
        crc = zlib.crc32(first)
        for _ in range(more):
            crc = zlib.crc32(lines, crc)
        yield self._head(slot, zlib.crc32(last, crc), self._plan.modified)
        yield first
        for _ in range(more):
            yield lines
        yield last


def checked(file: FileRange, prefix_bytes: int, digest: str) -> tuple[int, Part]:
    """The CRC-32 of a Part 10 file, and what to send of it.

    Raises DamagedPack when its bytes cannot be read or its dataset is not what was recorded.
    """
    sha, crc = hashlib.sha256(), 0
    whole = file.read() if file.length <= SMALL_BYTES else None
    if whole is not None:
        crc = zlib.crc32(whole)
        sha.update(memoryview(whole)[prefix_bytes:])
    else:
        for at in range(0, file.length, _PIECE_BYTES):
            piece = file.part(at, min(_PIECE_BYTES, file.length - at)).read()
            crc = zlib.crc32(piece, crc)
            sha.update(memoryview(piece)[max(0, prefix_bytes - at) :])
    if sha.hexdigest() != digest:
        raise errors.DamagedPack("its bytes are not what was recorded when it arrived", hint="run: fileroom scrub")
    return crc, file if whole is None else whole


def _say(missing: Missing) -> None:
    log.warning("left out of an archive to take away", extra={"sop_uid": missing.sop_uid, "reason": missing.why})
