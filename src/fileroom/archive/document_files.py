"""Files that can be made again, under HOME/cache: bounded in bytes, the ones used least recently go first."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

from fileroom import errors
from fileroom.archive.packs import FileRange, PackFile, storage_error


class DocumentFiles:
    """A folder of files by name. Thread-safe; several processes may share it. Anything in it may be deleted by hand."""

    def __init__(self, folder: Path, size_bytes_max: int) -> None:
        """Opens the folder, counting what lies there. Raises StorageFull."""
        self._folder = folder
        self._size_bytes_max = size_bytes_max
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._total = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = [(entry.stat().st_mtime, entry.name, entry.stat().st_size) for entry in os.scandir(folder)]
        except OSError as error:
            raise storage_error(error) from error
        for _, name, size in sorted(found):
            self._note(name, size)

    def get(self, name: str) -> FileRange | None:
        """The whole file, open; None when it is not here."""
        try:
            file = PackFile(os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return None
        size = os.fstat(file.fd).st_size
        self._note(name, size)
        return FileRange(file, 0, size)

    def put(self, name: str, content: bytes) -> FileRange | None:
        """Keep the content under a name, whole or not at all; None when the disk does not take it."""
        try:
            fd, temporary = tempfile.mkstemp(prefix=".", dir=self._folder)
            try:
                with open(fd, "wb", closefd=False) as file:
                    file.write(content)
                os.rename(temporary, self._folder / name)
            except OSError:
                os.close(fd)
                os.unlink(temporary)
                return None
        except OSError:
            return None
        self._note(name, len(content))
        self._trim()
        return FileRange(PackFile(fd), 0, len(content))

    @property
    def size_bytes(self) -> int:
        """What is kept, together."""
        return self._total

    def _note(self, name: str, size: int) -> None:
        with self._lock:
            self._total += size - self._sizes.pop(name, 0)
            self._sizes[name] = size

    def _trim(self) -> None:
        while True:
            with self._lock:
                if self._total <= self._size_bytes_max or not self._sizes:
                    return
                name = next(iter(self._sizes))
            self._delete(name)

    def _delete(self, name: str) -> None:
        try:
            os.unlink(self._folder / name)
        except FileNotFoundError:
            pass  # another process was faster
        except OSError as error:
            raise errors.StorageFull(f"the cache cannot be written: {error.strerror}") from error
        finally:
            with self._lock:
                self._total -= self._sizes.pop(name, 0)


def discard_documents(folder: Path, series_keys: list[int]) -> None:
    """Delete the documents of these series, and those of several series together: they are made again when asked for.

    What cannot be deleted is left: nobody asks for it any more.
    """
    keys = {f"{key:x}" for key in series_keys}
    if not keys or not folder.is_dir():
        return
    for entry in list(os.scandir(folder)):
        if entry.name.startswith("s") or entry.name.partition("-")[0] in keys:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)
