"""File systems of a few megabytes, to be filled, made read-only or broken. They need root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import peers

_PIECE = bytes(1 << 16)


class SmallDisk:
    """A mounted ext4 image."""

    def __init__(self, image: Path, folder: Path, size_mb: int) -> None:
        """Makes and mounts it. Raises MissingPeer where this process may not mount."""
        self.image, self.folder = image, folder
        self.ballast = folder / "ballast"
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(image))
        folder.mkdir(parents=True, exist_ok=True)
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.image), str(self.folder))

    @property
    def free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave: int = 0) -> None:
        """Write ballast until only `leave` bytes, or none, are free."""
        with self.ballast.open("ab", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, max(1, self.free - (leave or 1 << 20)))
            if leave:
                return
            file.seek(0, os.SEEK_END)
            for piece in (_PIECE, _PIECE[:4096]):
                try:
                    while True:
                        file.write(piece)
                        os.fsync(file.fileno())
                except OSError:
                    continue

    def make_room(self) -> None:
        self.ballast.unlink()

    def read_only(self, on: bool) -> None:
        """Only while nobody holds a file open for writing."""
        _run("mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.folder))

    def break_down(self) -> None:
        """As ext4 does after an error of the device: read-only at once, also for files that are open."""
        _run("mount", "-o", "remount,abort", str(self.folder))

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=False, capture_output=True)

    def repair(self) -> None:
        """Unmount, e2fsck and mount again. Nobody may use it meanwhile."""
        _run("umount", str(self.folder))
        subprocess.run(["e2fsck", "-p", str(self.image)], check=False, capture_output=True)
        self.mount()


@contextmanager
def small_disk(image: Path, folder: Path, size_mb: int) -> Iterator[SmallDisk]:
    """A small disk; gone at the end."""
    disk = SmallDisk(image, folder, size_mb)
    try:
        yield disk
    finally:
        disk.unmount()
        if os.path.ismount(folder):
            subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.decode() if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise peers.MissingPeer(f"{' '.join(command[:3])} does not work here: {said.strip()}") from error
