"""A backup beside a busy server: the copy, served, holds all that was acknowledged before it; a kill harms nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.corpus import ct_study
from tests.support.fileroom import PROGRAM, FileroomServer
from tests.support.ingest import Ingest, Ledger, lost_or_broken, send_again
from tests.support.senders import c_store, fetch, get
from tests.support.truth import disagreements, served

StartFileroom = Callable[..., FileroomServer]


def test_the_copy_served_holds_all_that_was_acknowledged_before_it_began(
    start_fileroom: StartFileroom, tmp_path: Path
) -> None:
    server, ledger = start_fileroom(), Ledger()
    ingest = Ingest(server, ledger, "backup", objects=100, large=2)
    ledger.wait_for(lambda: len(ledger.acknowledged) >= 50)
    before = set(ledger.acknowledged)
    made = server.run("backup", tmp_path / "copy")
    assert made.returncode == 0, made.stderr
    ingest.join()
    copy = start_fileroom(home=tmp_path / "copy")
    then = Ledger()
    then.sent, then.acknowledged = ledger.sent, before
    assert lost_or_broken(copy, then) == []
    assert disagreements(copy) == []
    send_again(copy, then)  # it is an archive like any other
    assert served(copy) == len(ledger.sent)


def test_a_second_backup_brings_the_copy_up_to_date_and_gives_equal_answers(
    start_fileroom: StartFileroom, tmp_path: Path
) -> None:
    server = start_fileroom(FILEROOM_PACK_BYTES_MAX="2MiB")
    objects = list(ct_study(8, slices=12))
    for part in (objects[:6], objects[6:]):
        assert all(said.acknowledged for said in c_store(server, part))
        made = server.run("backup", tmp_path / "copy", "--json")
        assert made.returncode == 0, made.stderr
    copy = start_fileroom(home=tmp_path / "copy")
    for path in ("/dicomweb/studies", "/dicomweb/series", "/dicomweb/instances"):
        mine, its = (get(one, path, "application/dicom+json")[1] for one in (server, copy))
        assert its.replace(copy.url.encode(), server.url.encode()) == mine
    assert disagreements(copy) == []


def test_a_backup_that_is_killed_leaves_the_earlier_copy_whole_and_the_next_one_completes(
    start_fileroom: StartFileroom, tmp_path: Path
) -> None:
    server, copy = start_fileroom(), tmp_path / "copy"
    objects = list(ct_study(9, slices=60))
    assert all(said.acknowledged for said in c_store(server, objects[:30]))
    assert server.run("backup", copy).returncode == 0
    assert all(said.acknowledged for said in c_store(server, objects[30:]))
    killed = subprocess.Popen([PROGRAM, "backup", copy, "--home", server.home], stdout=subprocess.DEVNULL)
    started = copy / "fileroom.sqlite.part"
    while not started.exists() and killed.poll() is None:
        pass
    killed.kill()
    killed.wait()
    shutil.copytree(copy, tmp_path / "restored")
    restored = start_fileroom(home=tmp_path / "restored")
    assert served(restored) in (30, 60)  # 60 when it was quicker than the kill
    assert disagreements(restored) == []
    assert server.run("backup", copy).returncode == 0
    complete = start_fileroom(home=copy)
    assert served(complete) == 60
    assert disagreements(complete) == []


def test_a_copy_that_took_objects_in_itself_is_never_overwritten(start_fileroom: StartFileroom, tmp_path: Path) -> None:
    server = start_fileroom()
    mine, its, later = (list(ct_study(number, slices=2)) for number in (10, 11, 12))
    assert all(said.acknowledged for said in c_store(server, mine))
    assert server.run("backup", tmp_path / "copy").returncode == 0
    copy = start_fileroom(home=tmp_path / "copy")
    assert all(said.acknowledged for said in c_store(copy, its))
    assert all(said.acknowledged for said in c_store(server, later))
    refused = server.run("backup", tmp_path / "copy")
    assert refused.returncode == 2
    assert "used as one since" in refused.stderr
    copy.restart()
    assert all(fetch(copy, one) is not None for one in mine + its)
    assert served(copy) == 4
    assert disagreements(copy) == []
