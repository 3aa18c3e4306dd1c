"""An archive written to a file: complete under its name, or not there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from fileroom import errors
from fileroom.archive.retrieve import Retriever
from fileroom.media.notes import Missing
from fileroom.media.plan import Plan
from fileroom.media.stream import Part, Stream

_COPY_BYTES = 8 << 20


def export(
    plan: Plan, retriever: Retriever, file: Path, progress: Callable[[int], None] = lambda objects: None
) -> list[Missing]:
    """Write the archive, durably; what could not be read and is left out.

    It grows under the name with `.part` behind, which goes when it is done or fails. Raises BadRequest when the file
    exists, InUse when another export writes it, StorageFull, which also says that the place cannot be written.
    """
    check_absent(file)
    part = file.with_name(file.name + ".part")
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.InUse(f"another export is writing {file}") from None
        try:
            os.ftruncate(fd, 0)
            stream = Stream(plan, retriever, progress)
            _write(fd, stream.parts())
            os.fsync(fd)
            check_absent(file)
            os.rename(part, file)
            _sync_folder(file.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(file, error) from error
    finally:
        os.close(fd)
    return stream.missing


def check_absent(file: Path) -> None:
    """Raises BadRequest when something is there already."""
    if os.path.lexists(file):
        raise errors.BadRequest(f"{file} is there already, and nothing is overwritten", hint="choose another name")


def _write(fd: int, parts: Iterable[Part]) -> None:
    for part in parts:
        if isinstance(part, bytes):
            left = memoryview(part)
            while left:
                left = left[os.write(fd, left) :]
            continue
        offset, end = part.offset, part.offset + part.length
        while offset < end:
            count = os.sendfile(fd, part.fd, offset, min(_COPY_BYTES, end - offset))
            if not count:
                raise errors.DamagedPack("a pack is shorter than its index says", hint="run: fileroom scrub")
            offset += count


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unwritable(file: Path, error: OSError) -> errors.StorageFull:
    return errors.StorageFull(f"{file} cannot be written: {error.strerror}", hint="choose another disk or folder")
