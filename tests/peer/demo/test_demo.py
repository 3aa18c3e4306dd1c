"""The demonstration: loaded beside a running server, loaded twice, valid, taken out without touching anything else."""

from __future__ import annotations

import json
import subprocess
from itertools import islice
from pathlib import Path

from fileroom.demo.studies import OBJECTS, objects
from tests.support import corpus
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, dataset_digest, fetch


def test_it_is_loaded_once_however_often_and_taken_out_whole(fileroom_server: FileroomServer) -> None:
    (mine,) = corpus.small_studies(1)
    assert [said.acknowledged for said in c_store(fileroom_server, [mine])] == [True]
    loaded = json.loads(fileroom_server.run("demo", "--json", timeout_seconds=300).stdout)
    assert loaded["counts"] == {"stored": OBJECTS}
    studies = fileroom_server.get("/dicomweb/studies?PatientID=DEMO-*")
    assert len(studies) == 8
    again = json.loads(fileroom_server.run("demo", "--json", timeout_seconds=300).stdout)
    assert again["counts"] == {"duplicate": OBJECTS}
    removed = json.loads(fileroom_server.run("demo", "--remove", "--json").stdout)
    assert (removed["objects"], removed["studies"], removed["packs_left"]) == (OBJECTS, 8, 0)
    assert fileroom_server.get("/dicomweb/studies?PatientID=DEMO-*") == []
    kept = fetch(fileroom_server, mine)
    assert kept is not None
    assert dataset_digest(kept) == mine.digest
    assert fileroom_server.run("scrub").returncode == 0


def test_its_objects_are_valid(dciodvfy: str, tmp_path: Path) -> None:
    made = objects()
    for name, file in [("mammogram", next(made)), ("chest", next(islice(made, 23, None)))]:
        path = tmp_path / name
        path.write_bytes(file)
        said = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True, timeout=60, check=False)
        found = said.stdout + said.stderr
        assert "Error" not in found, f"{name}: {found}"
