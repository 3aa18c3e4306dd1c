"""The demonstration: loaded beside a running server, loaded twice, taken out without touching anything else."""

from __future__ import annotations

import json

import pytest

from fileroom.demo.catalogue import everything
from tests.peer.demo.conftest import Loaded
from tests.support import corpus
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, dataset_digest, fetch


@pytest.mark.timeout(420)
def test_it_is_loaded_once_however_often_and_taken_out_whole(loaded: Loaded, demonstrated: FileroomServer) -> None:
    total = len(everything())
    assert loaded.said["counts"] == {"stored": total}
    (mine,) = corpus.small_studies(1)
    assert [said.acknowledged for said in c_store(demonstrated, [mine])] == [True]
    studies = demonstrated.get("/dicomweb/studies?PatientID=DEMO-*")
    assert len(studies) == loaded.said["studies"] >= 12
    again = json.loads(demonstrated.run("demo", "--json").stdout)
    assert again["counts"] == {"here before": total}
    packs = demonstrated.home / "packs"
    full = sum(path.stat().st_size for path in packs.glob("*.tar"))
    assert full < 600 << 20
    removed = json.loads(demonstrated.run("demo", "--remove", "--json").stdout)
    assert (removed["objects"], removed["studies"], removed["packs_left"]) == (total, len(studies), 0)
    assert removed["hidden"] == []
    assert sum(path.stat().st_size for path in packs.glob("*.tar")) < full - loaded.said["size_bytes"]
    assert demonstrated.get("/dicomweb/studies?PatientID=DEMO-*") == []
    kept = fetch(demonstrated, mine)
    assert kept is not None
    assert dataset_digest(kept) == mine.digest
    assert demonstrated.run("scrub").returncode == 0


def test_where_no_archive_is_there_is_none_to_remove(fileroom_server: FileroomServer) -> None:
    said = json.loads(fileroom_server.run("demo", "--remove", "--json").stdout)
    assert (said["objects"], said["hidden"]) == (0, [])
