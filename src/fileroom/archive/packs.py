"""Packs on disk: append-only tars under HOME/packs, written by one process each and read by all.

A writer holds an exclusive flock on the pack it appends to, so another process can tell an open pack from one whose
writer died. Only `heal` ever shortens a pack, and only behind what was acknowledged.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from fileroom import errors
from fileroom.archive import tar

_IOV_MAX = 1000
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EIO}

Bytes = bytes | bytearray | memoryview


class FileRange(NamedTuple):
    """A byte range of an open pack. The descriptor stays open as long as the range is referenced."""

    file: PackFile
    offset: int
    length: int

    @property
    def fd(self) -> int:
        return self.file.fd

    def part(self, offset: int, length: int) -> FileRange:
        """A range inside this one. Raises DamagedPack when it would leave it."""
        if offset < 0 or length < 0 or offset + length > self.length:
            raise errors.DamagedPack("a byte range lies outside its object")
        return FileRange(self.file, self.offset + offset, length)

    def read(self) -> bytes:
        """The bytes. Raises DamagedPack when the pack is shorter than recorded, or the disk fails."""
        try:
            data = os.pread(self.fd, self.length, self.offset)
            while len(data) < self.length:
                more = os.pread(self.fd, self.length - len(data), self.offset + len(data))
                if not more:
                    raise errors.DamagedPack("a pack is shorter than its index says", hint="run: fileroom scrub")
                data += more
        except OSError as error:
            raise errors.DamagedPack(f"a pack cannot be read: {error.strerror}", hint="run: fileroom scrub") from error
        return data


class PackFile:
    """An open descriptor that closes when the last reference to it goes."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        os.close(self.fd)


class PackWriter:
    """One pack being written, by one thread. `size_bytes` is where the next member will start."""

    def __init__(self, pack_id: int, path: Path, fd: int) -> None:
        self.pack_id = pack_id
        self.path = path
        self.size_bytes = 0
        self.broken = False  # a failed sync or cut leaves it unknown what the disk holds: write no more
        self._fd = fd

    def append(self, pieces: Sequence[Bytes]) -> None:
        """Write the pieces behind each other at the end; on any error the pack is as it was before.

        Raises StorageFull. Not durable until `sync`.
        """
        size = sum(map(len, pieces))
        try:
            _write_all(self._fd, pieces, self.size_bytes)
        except OSError as error:
            self._cut_back()
            raise storage_error(error) from error
        self.size_bytes += size

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.size_bytes)
        except OSError:
            self.broken = True

    def overwrite(self, offset: int, data: Bytes) -> None:
        """Fill in room that was kept in this pack. Raises StorageFull."""
        try:
            _write_all(self._fd, [data], offset)
        except OSError as error:
            raise storage_error(error) from error

    def sync(self) -> None:
        """Return once everything appended survives power loss. Raises StorageFull."""
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self.broken = True
            raise storage_error(error) from error

    def mapped(self) -> mmap.mmap:
        """What has been written, as read-only memory. Close it before going on."""
        return mmap.mmap(self._fd, self.size_bytes, prot=mmap.PROT_READ)

    def finish(self) -> None:
        """Write the end-of-archive mark, sync and close. Raises StorageFull."""
        self.append([tar.END])
        self.sync()
        self.close()

    def close(self) -> None:
        """Give the descriptor and the lock back; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Packs:
    """The folder of packs."""

    def __init__(self, folder: Path, *, open_max: int = 256) -> None:
        self.folder = folder
        self.aside = folder / "aside"
        self._open_max = open_max
        self._open: OrderedDict[int, PackFile] = OrderedDict()
        self._lock = threading.Lock()
        self.aside.mkdir(parents=True, exist_ok=True)

    def path(self, pack_id: int) -> Path:
        return self.folder / f"{pack_id:016x}.tar"

    def ids(self) -> list[int]:
        """Every pack on disk, oldest first."""
        return sorted(int(path.stem, 16) for path in self.folder.glob("*.tar") if _is_pack_name(path.stem))

    def intact(self, pack_id: int, offset: int, size_bytes: int, digest: str) -> bool:
        """Whether these bytes are there and still have that SHA-256."""
        if not self.path(pack_id).exists():  # a descriptor that is still open would not notice
            return False
        sha = hashlib.sha256()
        try:
            whole = self.range(pack_id, offset, size_bytes)
            for at in range(0, size_bytes, 1 << 20):
                sha.update(whole.part(at, min(1 << 20, size_bytes - at)).read())
        except errors.DamagedPack:
            return False
        return sha.hexdigest() == digest

    def in_use(self, pack_id: int) -> bool:
        """Whether a living process is writing this pack."""
        fd = os.open(self.path(pack_id), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def create(self, pack_id: int, *, unfinished: bool = False) -> PackWriter:
        """A new pack, its directory entry durable. `unfinished`: under a name `publish` will change.

        Raises StorageFull.
        """
        path = self.path(pack_id).with_suffix(".part" if unfinished else ".tar")
        other = path.with_suffix(".tar" if unfinished else ".part")
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if other.exists():  # another process took the same id: `publish` must not replace its pack
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(other))
                sync_folder(self.folder)
            except OSError:
                os.close(fd)
                path.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise storage_error(error) from error
        return PackWriter(pack_id, path, fd)

    def publish(self, writer: PackWriter) -> None:
        """Give an unfinished pack its lasting name, durably. Raises StorageFull."""
        try:
            os.rename(writer.path, self.path(writer.pack_id))
            sync_folder(self.folder)
        except OSError as error:
            raise storage_error(error) from error

    def discard(self, writer: PackWriter) -> None:
        """Remove an unfinished pack of which nothing was acknowledged."""
        writer.close()
        writer.path.unlink(missing_ok=True)

    def forget(self, pack_ids: Iterable[int]) -> None:
        """Let go of these packs' files; ranges that are out keep them open until they are done."""
        with self._lock:
            for pack_id in pack_ids:
                self._open.pop(pack_id, None)

    def range(self, pack_id: int, offset: int, length: int) -> FileRange:
        """A range of a pack. Raises DamagedPack when the pack is gone."""
        with self._lock:
            file = self._open.get(pack_id)
            if file is not None:
                self._open.move_to_end(pack_id)
                return FileRange(file, offset, length)
        return FileRange(self._open_pack(pack_id), offset, length)

    def _open_pack(self, pack_id: int) -> PackFile:
        try:
            file = PackFile(os.open(self.path(pack_id), os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise errors.DamagedPack(
                f"pack {pack_id:016x} cannot be opened: {error.strerror}", hint="run: fileroom scrub"
            ) from error
        with self._lock:
            gone = [kept for kept, other in self._open.items() if os.fstat(other.fd).st_nlink == 0]
            for kept in gone:  # taken out by another process: its space is free once nobody holds it open
                del self._open[kept]
            file = self._open.setdefault(pack_id, file)
            while len(self._open) > self._open_max:
                self._open.popitem(last=False)
        return file


def sync_folder(folder: Path) -> None:
    """Return once the folder's entries survive power loss. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def storage_error(error: OSError) -> errors.FileroomError:
    """What an OSError from storage means."""
    if error.errno in _NO_ROOM:
        return errors.StorageFull(f"the pack storage cannot take more: {error.strerror}", hint="free disk space")
    return errors.StorageFull(f"the pack storage failed: {error.strerror}", hint="run: fileroom doctor")


def _write_all(fd: int, pieces: Sequence[Bytes], offset: int) -> None:
    views = [memoryview(piece) for piece in pieces if len(piece)]
    while views:
        written = os.pwritev(fd, views[:_IOV_MAX], offset)
        offset += written
        done = 0
        while done < len(views) and written >= len(views[done]):
            written -= len(views[done])
            done += 1
        del views[:done]
        if written:
            views[0] = views[0][written:]


def _is_pack_name(stem: str) -> bool:
    return len(stem) == 16 and all(c in "0123456789abcdef" for c in stem)
