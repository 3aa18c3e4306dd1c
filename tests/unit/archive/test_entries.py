"""What an import looks at: plain files and archives, and nothing that may wait for ever or break the rest."""

from __future__ import annotations

import io
import lzma
import os
import random
import socket
import tarfile
from pathlib import Path

from fileroom.archive.entries import Entry, Unreadable, entries


def test_pipes_sockets_and_devices_are_named_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "image").write_bytes(bytes(128) + b"DICM")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        found = list(entries([tmp_path]))
    assert [Path(one.name).name for one in found] == ["device", "image", "pipe", "s"]
    assert [type(one) for one in found] == [Unreadable, Entry, Unreadable, Unreadable]


def test_a_damaged_archive_is_unreadable_and_ends_nothing(tmp_path: Path) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.size = 200_000
        archive.addfile(info, io.BytesIO(random.Random(1).randbytes(info.size)))
        archive.addfile(tarfile.TarInfo("b"))
    packed = bytearray(lzma.compress(plain.getvalue(), check=lzma.CHECK_CRC64))
    path = tmp_path / "damaged.tar.xz"
    for at in range(1000, len(packed), len(packed) // 40):
        path.write_bytes(bytes(packed[:at]) + bytes(300) + bytes(packed[at + 300 :]))
        assert any(isinstance(one, Unreadable) for one in entries([path])), at
