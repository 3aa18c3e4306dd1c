"""Memory: 250 MB idle, 1 GB with every process while a volume comes in, goes out and serves frames to eight clients.

157 MB here, 450 MB in `make soak`.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.corpus import Instance, tomosynthesis
from tests.support.fileroom import FileroomServer
from tests.support.memory import MB, Watch, family, resident
from tests.support.senders import c_store, get, stow

SOAK = bool(os.environ.get("FILEROOM_SOAK"))
FRAMES = 172 if SOAK else 60
IDLE_BYTES_MAX = 250 * MB
BUSY_BYTES_MAX = 1000 * MB
CLIENTS = 8
FRAMES_EACH = 40 if SOAK else 15
NATIVE = 'multipart/related; type="application/octet-stream"'


def test_idle_it_holds_little(fileroom_server: FileroomServer) -> None:
    assert resident(family(fileroom_server.pid)) < IDLE_BYTES_MAX


@pytest.mark.timeout(600 if SOAK else 120)
@pytest.mark.parametrize("door", ["c-store", "stow"])
def test_a_volume_comes_in_goes_out_and_serves_frames_in_bounded_memory(
    fileroom_server: FileroomServer, door: str, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    server, volume = fileroom_server, tomosynthesis(7, frames=FRAMES)
    with Watch(server.pid) as memory:
        (said,) = stow(server, [volume]) if door == "stow" else c_store(server, [volume])
        assert said.acknowledged
        assert digest_by_wado(server, volume) == volume.digest
        get_by_dicom(server, volume, dcmtk("getscu"), tmp_path / "got")
        frames_to_many_clients(server, volume)
        path = f"/dicomweb/studies/{volume.study_uid}/metadata"
        assert get(server, path, "application/dicom+json")[0] == 200
    print(f"at most {memory.peak >> 20} MB in all processes")
    assert memory.peak < BUSY_BYTES_MAX


def digest_by_wado(server: FileroomServer, volume: Instance) -> str:
    """SHA-256 of the dataset as it comes, without holding it."""
    path = f"/dicomweb/studies/{volume.study_uid}/series/{volume.series_uid}/instances/{volume.sop_uid}"
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=60)
    connection.request("GET", path, headers={"Accept": "application/dicom; transfer-syntax=*"})
    answer = connection.getresponse()
    assert answer.status == 200
    head = answer.read(144)
    answer.read(int.from_bytes(head[140:144], "little"))
    digest = hashlib.sha256()
    while piece := answer.read(1 << 20):
        digest.update(piece)
    connection.close()
    return digest.hexdigest()


def get_by_dicom(server: FileroomServer, volume: Instance, getscu: str, folder: Path) -> None:
    """C-GET by dcmtk, written to disk as it comes (+B)."""
    folder.mkdir()
    keys = [f"StudyInstanceUID={volume.study_uid}", f"SeriesInstanceUID={volume.series_uid}"]
    keys += [f"SOPInstanceUID={volume.sop_uid}", "QueryRetrieveLevel=IMAGE"]
    arguments = [piece for key in keys for piece in ("-k", key)]
    command = [getscu, "+B", "-S", "-aec", server.aet, "-od", folder, *arguments, "127.0.0.1", str(server.dicom)]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    (file,) = folder.iterdir()
    assert file.stat().st_size > len(volume.pixels)
    file.unlink()


def frames_to_many_clients(server: FileroomServer, volume: Instance) -> None:
    path = f"/dicomweb/studies/{volume.study_uid}/series/{volume.series_uid}/instances/{volume.sop_uid}/frames"
    wrong: list[str] = []

    def ask(client: int) -> None:
        for number in range(FRAMES_EACH):
            frame = (client * 7 + number * 3) % FRAMES + 1
            status, body = get(server, f"{path}/{frame}", NATIVE)
            if status != 200 or volume.frame(frame) not in body:
                wrong.append(f"frame {frame}: {status}")

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
