"""What is kept apart from the ledger, to judge it by: signed checkpoints, and the hashes of the lines they cover.

A folder of them holds, for each checkpoint, `SIZE.note` and the hashes of the lines since the one before,
`FROM-TO.leaves`, 32 bytes each. The signed root proves the hashes, and these tell which line was changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fileroom import errors
from fileroom.audit.note import BadNote, Checkpoint, Verifier
from fileroom.audit.tree import HASH_BYTES, Range

_NOTE = re.compile(r"\d{20}\.note")
_LEAVES = re.compile(r"(\d{20})-(\d{20})\.leaves")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint, and where it was found."""

    source: str
    checkpoint: Checkpoint
    signed: bool | None  # by the ledger's key; None: no key to check it with


def anchor(source: str, note: str, verifier: Verifier | None) -> Anchor:
    """A checkpoint from its note. Raises BadNote for text that is none; a bad signature shows in `signed`."""
    checkpoint = Checkpoint.unverified(note)
    if verifier is None:
        return Anchor(source, checkpoint, None)
    try:
        signed = Checkpoint.parse(verifier.check(note)) == checkpoint and checkpoint.origin == verifier.name
    except BadNote:
        signed = False
    return Anchor(source, checkpoint, signed)


def note_files(path: Path) -> list[Path]:
    """The checkpoints of a folder, in their order, or the file itself. Raises NotFound."""
    if path.is_dir():
        return sorted(file for file in path.iterdir() if _NOTE.fullmatch(file.name))
    if path.is_file():
        return [path]
    raise errors.NotFound(f"{path} is not there")


def read_anchors(path: Path, verifier: Verifier | None) -> list[Anchor]:
    """The checkpoints in a file or a folder. Raises NotFound, BadRequest for a file that holds none."""
    found = []
    for file in note_files(path):
        try:
            found.append(anchor(str(file), file.read_text("utf-8"), verifier))
        except (BadNote, OSError, UnicodeDecodeError) as error:
            raise errors.BadRequest(f"{file} holds no checkpoint", hint="name the .note file, or its folder") from error
    return found


class Leaves:
    """The hashes of lines that a folder keeps, from the first on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: list[tuple[int, int, Path]] = []  # first line, behind the last, where
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            named = _LEAVES.fullmatch(file.name)
            if named and int(named[1]) == self.size and file.stat().st_size == HASH_BYTES * (int(named[2]) - self.size):
                self._files.append((int(named[1]), int(named[2]), file))

    @property
    def size(self) -> int:
        """How many lines they are of."""
        return self._files[-1][1] if self._files else 0

    def __iter__(self) -> Iterator[bytes]:
        for _, _, file in self._files:
            data = file.read_bytes()
            for at in range(0, len(data), HASH_BYTES):
                yield data[at : at + HASH_BYTES]

    def proven(self, anchors: Iterable[Anchor]) -> int:
        """How many of them, from the first, a checkpoint proves that is not signed by somebody else."""
        roots = {a.checkpoint.size: a.checkpoint.root for a in anchors if a.signed is not False}
        grown, proven = Range(), 0
        for leaf in self:
            grown.append(leaf)
            if roots.get(grown.size) == grown.root() if grown.size in roots else False:
                proven = grown.size
        return proven

    def find(self, leaf: bytes) -> int | None:
        """Which line had this hash."""
        for first, _, file in self._files:
            data, at = file.read_bytes(), -1
            while (at := data.find(leaf, at + 1)) >= 0:
                if at % HASH_BYTES == 0:
                    return first + at // HASH_BYTES
        return None

    def add(self, leaves: bytes) -> None:
        """Keep more, behind those here; durable once the folder is synced."""
        first, behind = self.size, self.size + len(leaves) // HASH_BYTES
        if leaves:
            path = self.folder / f"{first:020d}-{behind:020d}.leaves"
            write_file(path, leaves)
            self._files.append((first, behind, path))


def write_file(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write a file that is whole or not there, and survives power loss. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
