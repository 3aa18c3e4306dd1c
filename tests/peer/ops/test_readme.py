"""The README's examples do what it says, as they are written there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pydicom

from tests.house.tree import ROOT
from tests.support import peers, processes
from tests.support.corpus import ct_study
from tests.support.fileroom import FileroomServer

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_works(fileroom_server: FileroomServer, dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, instance in enumerate(ct_study(1, slices=3)):
        (folder / f"{number}.dcm").write_bytes(instance.part10)
        study = instance.study_uid
    (tmp_path / "got").mkdir()
    move_port = processes.free_port()
    receiver = processes.start(
        [dcmtk("storescp"), "--output-directory", tmp_path, "--filename-extension", ".moved", str(move_port)],
        tmp_path / "storescp.log",
    )
    receiver.wait_until(lambda: processes.accepts_connections(move_port))
    places = {
        "127.0.0.1:8080": f"127.0.0.1:{fileroom_server.web}",
        "127.0.0.1 11112": f"127.0.0.1 {fileroom_server.dicom}",
        "127.0.0.1 11113": f"127.0.0.1 {move_port}",
        ".venv/bin/fileroom": str(peers.VENV_BIN / "fileroom"),
        "FOLDER": "images",
        "@FILE ": "@images/0.dcm ",
        "UID=STUDY ": f"UID={study} ",
        "/studies/STUDY": f"/studies/{study}",
    }
    said = ""
    for block in _BLOCK.findall((ROOT / "README.md").read_text()):
        for written, here in places.items():
            block = block.replace(written, here)
        said += run(block, tmp_path, fileroom_server)
    receiver.stop()

    assert study in said
    assert "WORKSTATION at 127.0.0.1" in said
    assert len(list((tmp_path / "got").iterdir())) == 3
    assert len(list(tmp_path.glob("*.moved"))) == 3
    assert (tmp_path / "study.multipart").read_bytes().count(b"DICM") == 3
    assert (tmp_path / "picture.jpg").read_bytes().startswith(b"\xff\xd8")
    sent, got = (sorted(pixels(path)) for path in (folder, tmp_path / "got"))
    assert sent == got


def run(script: str, folder: Path, server: FileroomServer) -> str:
    """What the commands say; each must succeed. dcmtk is found before the venv's programs of the same names."""
    environment = {**os.environ, "PATH": f"/usr/bin:{os.environ['PATH']}", "FILEROOM_HOME": str(server.home)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, script + done.stdout + done.stderr
    return done.stdout + done.stderr


def pixels(folder: Path) -> list[bytes]:
    """The pixel data of every file there."""
    return [pydicom.dcmread(path).PixelData for path in folder.iterdir()]
