"""`kill -9` of an import, alone and beside a server: run again it goes on, and each object is there once."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.corpus import Instance, ct_study, small_studies
from tests.support.corpus.instance import write_all
from tests.support.fileroom import PROGRAM, FileroomServer
from tests.support.senders import c_store, dataset_digest, fetch
from tests.support.truth import disagreements, opened, served

SEED = os.environ.get("FILEROOM_SEED") or str(random.SystemRandom().randrange(1 << 32))
ROUNDS = 20 if os.environ.get("FILEROOM_SOAK") else 3

StartFileroom = Callable[..., FileroomServer]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a server"])
def test_an_import_that_is_killed_goes_on_and_nothing_is_lost_or_twice(
    start_fileroom: StartFileroom, tmp_path: Path, beside: bool
) -> None:
    print(f"seed {SEED}: FILEROOM_SEED={SEED} runs it again")
    objects = [*ct_study(1, slices=100), *small_studies(500)]
    write_all(objects, tmp_path / "cd")
    server = start_fileroom()
    if not beside:
        server.stop()
    draw = random.Random(f"{SEED} {beside}")
    for _ in range(ROUNDS):
        killed_import(server, tmp_path / "cd", draw.randint(1, 300))
    if beside:
        others = list(ct_study(2, slices=5))
        assert all(said.acknowledged for said in c_store(server, others))
        objects += others
    report = finished_import(server, tmp_path / "cd")
    assert report.get("refused", 0) == 0
    if not beside:
        server.start()
    assert served(server) == len(objects)
    assert all(comes_back(server, one) for one in objects)
    assert [line for line in disagreements(server) if not line.startswith("stray")] == []
    server.restart()  # closes what the killed ones left open
    assert disagreements(server) == []
    assert served(server) == len(objects)


def killed_import(server: FileroomServer, folder: Path, after: int) -> None:
    """Kill an import once the index holds that many more objects, if it does not end before."""
    enough = served(server) + after
    command = [PROGRAM, "import", folder, "--home", server.home]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    database, _ = opened(server)
    try:
        while process.poll() is None and served(server) < enough:
            pass
    finally:
        database.close()
        process.kill()
        process.wait()


def finished_import(server: FileroomServer, folder: Path) -> dict[str, int]:
    done = server.run("import", folder, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    counts = found.get("counts", found)
    assert isinstance(counts, dict)
    return counts


def comes_back(server: FileroomServer, one: Instance) -> bool:
    file = fetch(server, one)
    return file is not None and dataset_digest(file) == one.digest
