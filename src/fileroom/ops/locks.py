"""Who works in a home: at most one server, any number of writers, or one rebuild. Locks of the operating system, which
end with the process that holds them, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fileroom.errors import InUse, StorageFull

SERVER, WRITERS = "serve.lock", "writers.lock"


@dataclass(frozen=True, slots=True)
class Running:
    """The server that holds a home, as it wrote itself down."""

    pid: int
    web: str  # HOST:PORT it is bound to
    dicom: str
    ae_title: str
    started_ms: int  # since 1970 UTC


class ServerLock:
    """Held by the server of a home from start to end."""

    def __init__(self, home: Path) -> None:
        """Take it. Raises InUse while another server runs, StorageFull when the home cannot be written."""
        self._fd = _open(home / SERVER)
        if not _take(self._fd, fcntl.LOCK_EX):
            os.close(self._fd)
            other = _written(home)
            where = f" (process {other.pid}, {other.web})" if other else ""
            raise InUse(f"a server already runs on {home}{where}", hint="stop it, or use another --home")

    def write(self, running: Running) -> None:
        """Write down where this server answers, for `fileroom status`."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(asdict(running)).encode(), 0)

    def release(self) -> None:
        """Let go; the file stays, empty."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def running(home: Path) -> Running | None:
    """The server that runs on this home now, or None. Needs read access only."""
    try:
        fd = os.open(home / SERVER, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _take(fd, fcntl.LOCK_SH) else _written(home)
    finally:
        os.close(fd)


@contextlib.contextmanager
def writing(home: Path, put_right: Callable[[], None], *, wait_seconds: float = 60.0) -> Iterator[None]:
    """Held while this process may add objects. `put_right` is called first, when no other process writes here.

    Waits while another process puts right; raises InUse when that, or a rebuild of the index, takes too long.
    """
    fd = _open(home / WRITERS)
    try:
        if _take(fd, fcntl.LOCK_EX):
            put_right()
        until = time.monotonic() + wait_seconds
        while not _take(fd, fcntl.LOCK_SH):
            if time.monotonic() > until:
                raise InUse("the index of this home is being rebuilt", hint="wait until rebuild-index is done")
            time.sleep(0.1)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Held while this process remakes the index and nobody may add objects. Raises InUse instead of waiting."""
    fd = _open(home / WRITERS)
    try:
        if not _take(fd, fcntl.LOCK_EX):
            raise InUse("objects may be arriving in this home", hint="stop the server and imports first")
        yield
    finally:
        os.close(fd)


def _take(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StorageFull(f"{path} cannot be written: {error.strerror}", hint="fileroom doctor") from error


def _written(home: Path) -> Running | None:
    try:
        return Running(**json.loads((home / SERVER).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
