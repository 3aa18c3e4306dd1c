"""What an import finds under its paths: files, folders, DICOMDIR, zip and tar, one entry for each possible object."""

from __future__ import annotations

import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_ARCHIVE_HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, or one member of a zip or tar."""

    name: str  # path as given, with `!member` behind an archive
    size_bytes: int
    stamp: str  # changes when the content may have: size and modification time
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something under the paths that could not be looked at."""

    name: str
    why: str


def entries(paths: list[Path]) -> Iterator[Entry | Unreadable]:
    """Everything under the paths, folders in the order of their names; archives are opened, not unpacked."""
    for path in paths:
        if not path.exists():
            yield Unreadable(str(path), "no such file or folder")
        elif path.is_dir():
            yield from _folder(path)
        elif path.name.upper() == "DICOMDIR":
            yield from _folder(path.parent)  # the directory lists the files beside it; the files are what is taken
        else:
            yield from _file(path)


def _folder(folder: Path) -> Iterator[Entry | Unreadable]:
    def failed(error: OSError) -> None:
        problems.append(Unreadable(str(error.filename), error.strerror or "unreadable"))

    problems: list[Unreadable] = []
    for root, folders, files in os.walk(folder, onerror=failed):
        folders.sort()
        for name in sorted(files):
            yield from _file(Path(root, name))
        yield from problems
        problems.clear()
    yield from problems


def _file(path: Path) -> Iterator[Entry | Unreadable]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever, opening a device may do anything
            yield Unreadable(str(path), "not a file but a pipe, a socket or a device")
            return
        with path.open("rb") as file:
            head = file.read(_ARCHIVE_HEAD_BYTES)
    except OSError as error:
        yield Unreadable(str(path), error.strerror or "unreadable")
        return
    stamp = f"{status.st_size}:{status.st_mtime_ns}"
    if head[128:132] == b"DICM":
        yield Entry(str(path), status.st_size, stamp, lambda: path.open("rb"))
    elif head.startswith(b"PK\3\4"):
        yield from _zip(path, stamp)
    elif head[257:262] == b"ustar" or head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        yield from _tar(path, stamp)
    else:
        yield Entry(str(path), status.st_size, stamp, lambda: path.open("rb"))


def _zip(path: Path, stamp: str) -> Iterator[Entry | Unreadable]:
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield Entry(f"{path}!{info.filename}", info.file_size, stamp, _zip_opener(archive, info))
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        yield Unreadable(str(path), f"not a readable zip: {error}")


def _zip_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


def _tar(path: Path, stamp: str) -> Iterator[Entry | Unreadable]:
    try:
        with tarfile.open(path) as archive:
            for info in archive:
                if info.isfile():
                    yield Entry(f"{path}!{info.name}", info.size, stamp, _tar_opener(archive, info))
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        yield Unreadable(str(path), f"not a readable tar: {error}")


def _tar_opener(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        file = archive.extractfile(info)
        if file is None:
            raise OSError("not a file")
        return file

    return opened
