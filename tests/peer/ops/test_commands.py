"""The commands on a real archive, alone and beside a running server."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpus import small_studies
from tests.support.fileroom import PROGRAM, FileroomServer


def fileroom(*arguments: str | Path, code: int = 0) -> str:
    """What a command says on stdout; it must end with that exit code."""
    command = [PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def answer(*arguments: str | Path, code: int = 0) -> Any:
    """The JSON document it answers with."""
    return json.loads(fileroom(*arguments, "--json", code=code))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of ten studies of one object."""
    folder = tmp_path / "files"
    folder.mkdir()
    for number, instance in enumerate(small_studies(10)):
        (folder / f"{number}.dcm").write_bytes(instance.part10)
    return folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that holds them, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    for number, instance in enumerate(small_studies(10)):
        (folder / f"{number}.dcm").write_bytes(instance.part10)
    fileroom("import", folder, "--home", folder / "home")
    return folder / "home"


@pytest.fixture
def home(tmp_path: Path, filled: Path) -> Path:
    """An archive that holds them, this test's own."""
    return shutil.copytree(filled, tmp_path / "home")


def test_help_comes_quickly_and_teaches() -> None:
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        said = fileroom("--help")
        times.append(time.perf_counter() - begin)
    assert "storescu" in said
    assert min(times) < 0.4


def test_import_stores_once_and_goes_on_where_it_was(tmp_path: Path, files: Path) -> None:
    first = answer("import", files, "--home", tmp_path / "home")
    assert first["counts"] == {"stored": 10}
    again = answer("import", files, "--home", tmp_path / "home")
    assert again["counts"] == {"done before": 10}
    afresh = answer("import", files, "--home", tmp_path / "home", "--afresh")
    assert afresh["counts"] == {"duplicate": 10}


def test_an_interrupted_import_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder, home = tmp_path / "many", tmp_path / "home"
    folder.mkdir()
    count = 5000  # enough to be at work still when the signal comes
    for number, instance in enumerate(small_studies(count)):
        (folder / f"{number}.dcm").write_bytes(instance.part10)
    command = [PROGRAM, "import", folder, "--home", home]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # in the background of a shell it is ignored
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heard) as process:
        while not any((home / "packs").glob("*.tar")):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert b"goes on from here" in said
    before = answer("status", "--home", home)["instances"]
    counts = answer("import", folder, "--home", home)["counts"]
    assert counts.get("done before", 0) <= before < count
    assert sum(counts.values()) == count
    assert answer("status", "--home", home)["instances"] == count


def test_import_says_what_it_refused_and_why(tmp_path: Path, files: Path) -> None:
    whole = (files / "0.dcm").read_bytes()
    (files / "broken.dcm").write_bytes(whole[:-40])
    (files / "notes.txt").write_text("not an image")
    report = answer("import", files, "--home", tmp_path / "home", code=1)
    assert report["counts"] == {"stored": 10, "refused": 1, "skipped": 1}
    [problem] = report["problems"]
    assert problem["name"].endswith("broken.dcm")
    assert problem["why"]


def test_import_runs_beside_the_server(fileroom_server: FileroomServer, files: Path) -> None:
    done = fileroom_server.run("import", files, "--json")
    assert json.loads(done.stdout)["counts"] == {"stored": 10}
    assert len(fileroom_server.get("/dicomweb/studies")) == 10


def test_status_counts_what_is_here(home: Path) -> None:
    here = answer("status", "--home", home)
    assert (here["studies"], here["instances"], here["server"], here["ready"]) == (10, 10, None, None)
    assert here["pack_bytes"] > here["size_bytes"] > 0
    assert len(here["last_arrivals"]) == 5
    assert "10 studies" in fileroom("status", "--home", home)


def test_status_asks_the_running_server(fileroom_server: FileroomServer) -> None:
    said = json.loads(fileroom_server.run("status", "--json").stdout)
    assert said["ready"]
    assert said["server"]["pid"] == fileroom_server.pid
    moved = (fileroom_server.home / "packs").rename(fileroom_server.home / "elsewhere")
    (fileroom_server.home / "packs").touch()
    not_ready = fileroom_server.run("doctor", "--json")
    (fileroom_server.home / "packs").unlink()
    moved.rename(fileroom_server.home / "packs")
    assert not_ready.returncode == 1
    checks = {check["check"]: check for check in json.loads(not_ready.stdout)["checks"]}
    assert checks["server"]["verdict"] == "fail"


@pytest.mark.parametrize("command", ["status", "scrub", "conflicts", "peer list"])
def test_a_home_that_is_not_there_is_a_mistake_and_is_not_made(command: str, tmp_path: Path) -> None:
    fileroom(*command.split(), "--home", tmp_path / "nowhere", code=2)
    assert not (tmp_path / "nowhere").exists()


def test_scrub_finds_nothing_wrong_in_a_sound_archive(home: Path) -> None:
    report = answer("scrub", "--home", home)
    assert (report["objects"], report["findings"]) == (10, [])


def test_scrub_names_the_object_whose_bytes_changed(home: Path) -> None:
    [pack] = (home / "packs").glob("*.tar")
    whole = bytearray(pack.read_bytes())
    at = whole.find(b"Finding")
    assert at > 0
    whole[at] ^= 1
    pack.write_bytes(whole)
    report = answer("scrub", "--home", home, code=1)
    assert [finding["kind"] for finding in report["findings"]] == ["rot"]
    assert report["findings"][0]["sop_uid"]
    assert "rot (1)" in fileroom("scrub", "--home", home, code=1)


def test_the_index_is_made_anew_with_equal_answers(home: Path) -> None:
    before = answer("status", "--home", home)
    (home / "fileroom.sqlite").unlink()
    rebuilt = answer("rebuild-index", "--home", home)
    assert rebuilt["objects"] == 10
    after = answer("status", "--home", home)
    for same in ("patients", "studies", "series", "instances", "size_bytes"):
        assert after[same] == before[same]


def test_the_index_is_not_made_anew_while_objects_may_arrive(fileroom_server: FileroomServer) -> None:
    refused = fileroom_server.run("rebuild-index")
    assert refused.returncode == 3
    assert "stop the server" in refused.stderr


def test_a_hidden_study_is_in_no_answer_until_it_is_back(fileroom_server: FileroomServer, files: Path) -> None:
    fileroom_server.run("import", files)
    study = next(iter(small_studies(1))).study_uid
    assert fileroom_server.run("hide", study).returncode == 2, "a reason is asked for"
    assert fileroom_server.run("hide", study, "--reason", "sent by mistake").returncode == 0
    assert len(fileroom_server.get("/dicomweb/studies")) == 9
    [hidden] = json.loads(fileroom_server.run("hide", "--list", "--json").stdout)["hidden"]
    assert (hidden["study_uid"], hidden["reason"]) == (study, "sent by mistake")
    assert fileroom_server.run("unhide", study).returncode == 0
    assert len(fileroom_server.get("/dicomweb/studies")) == 10
    assert fileroom_server.run("unhide", study).returncode == 1
    assert fileroom_server.run("hide", "1.2.3", "--reason", "x").returncode == 1


def test_a_backup_made_beside_the_server_serves_the_same(
    start_fileroom: Callable[..., FileroomServer], files: Path, tmp_path: Path
) -> None:
    server = start_fileroom()
    server.run("import", files)
    done = server.run("backup", tmp_path / "copy", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["objects"] == 10
    assert answer("scrub", "--home", tmp_path / "copy")["findings"] == []
    copy = start_fileroom(tmp_path / "copy")
    assert studies(copy) == studies(server)
    assert server.run("backup", server.home / "inside").returncode == 2
    assert server.run("backup", files).returncode == 2


def studies(server: FileroomServer) -> set[str]:
    """The studies it finds, by UID."""
    return {study["0020000D"]["Value"][0] for study in server.get("/dicomweb/studies")}


def test_conflicts_lists_what_waits_for_a_person(home: Path, files: Path) -> None:
    assert answer("conflicts", "--home", home) == {"counts": {}, "held": []}
    other = files.parent / "other"
    other.mkdir()
    changed = (files / "0.dcm").read_bytes().replace(b"no change", b"a change ")
    (other / "0.dcm").write_bytes(changed)
    fileroom("import", other, "--home", home, code=1)
    said = answer("conflicts", "--home", home)
    assert said["counts"] == {"conflict": 1}
    assert said["held"][0]["digest"] != said["held"][0]["live_digest"]


def test_a_conflict_is_decided_and_taken_back(home: Path, files: Path) -> None:
    other = files.parent / "other"
    other.mkdir()
    (other / "0.dcm").write_bytes((files / "0.dcm").read_bytes().replace(b"no change", b"a change "))
    fileroom("import", other, "--home", home, code=1)
    (held,) = answer("conflicts", "--home", home)["held"]
    number = str(held["id"])
    assert answer("conflicts", "--decide", number, "--verdict", "replace", "--home", home)["verdict"] == "replace"
    assert answer("conflicts", "--home", home)["held"] == []
    listed = answer("conflicts", "--all", "--home", home)["held"]
    assert "replace" in [found["verdict"] for found in listed]
    assert answer("conflicts", "--undo", number, "--home", home) == {"id": held["id"], "verdict": None}
    assert [found["id"] for found in answer("conflicts", "--home", home)["held"]] == [held["id"]]
    fileroom("conflicts", "--decide", number, "--verdict", "perhaps", "--home", home, code=2)
    fileroom("conflicts", "--decide", "17", "--verdict", "keep", "--home", home, code=1)
    fileroom("conflicts", "--decide", number, "--verdict", "keep", "--home", home)
    late = answer("conflicts", "--decide", number, "--verdict", "replace", "--home", home, code=1)
    assert late["error"].startswith("decided already: keep")


def test_a_conflict_is_shown(home: Path, files: Path) -> None:
    other = files.parent / "other"
    other.mkdir()
    (other / "0.dcm").write_bytes((files / "0.dcm").read_bytes().replace(b"no change", b"a change "))
    fileroom("import", other, "--home", home, code=1)
    (held,) = answer("conflicts", "--home", home)["held"]
    shown = answer("conflicts", "--show", str(held["id"]), "--home", home)
    (difference,) = shown["comparison"]["differences"]
    assert ("no change" in difference["one"], "a change" in difference["other"]) == (True, True)
    assert shown["choices"] == ["keep", "replace"]
    assert not any(line["differs"] for line in shown["says"])
    text = fileroom("conflicts", "--show", str(held["id"]), "--home", home)
    assert f"{difference['name']} {difference['tag']}" in text
    assert "may be decided: keep, replace" in text
    fileroom("conflicts", "--show", "17", "--home", home, code=1)


def test_doctor_finds_a_sound_home_sound(home: Path) -> None:
    checks = answer("doctor", "--home", home)["checks"]
    assert {check["verdict"] for check in checks} <= {"ok", "warn", "skipped"}
    assert {"settings", "home", "file system", "disk space", "database", "packs", "peers"} <= {
        check["check"] for check in checks
    }


def test_doctor_finds_a_pack_that_is_gone_and_says_what_to_do(home: Path) -> None:
    [pack] = (home / "packs").glob("*.tar")
    shutil.move(pack, home / "lost.tar")
    checks = {check["check"]: check for check in answer("doctor", "--home", home, code=1)["checks"]}
    assert checks["packs"]["verdict"] == "fail"
    assert "scrub" in checks["packs"]["to_do"]


def test_doctor_finds_a_damaged_database(home: Path) -> None:
    with (home / "fileroom.sqlite").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    checks = {check["check"]: check for check in answer("doctor", "--home", home, code=1)["checks"]}
    assert checks["database"]["verdict"] == "fail"


def test_doctor_finds_a_setting_that_is_none(home: Path) -> None:
    (home / "fileroom.toml").write_text("packs = 1\n")
    [check] = answer("doctor", "--home", home, code=1)["checks"]
    assert (check["check"], check["verdict"]) == ("settings", "fail")


def test_a_defect_ends_with_its_own_code_and_without_values() -> None:
    broken = "{}['DOE^JANE']"
    code = (
        "import sys; from fileroom.ops import cli, options\n"
        f"options.settings = lambda home: {broken}\n"
        "sys.argv = ['fileroom', 'status']\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 4
    assert "KeyError" in done.stderr
    assert "please report it" in done.stderr
    assert "JANE" not in done.stderr
