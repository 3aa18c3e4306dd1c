"""`fileroom serve`: starts, says where it is, knows how it is, and stops cleanly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.support import processes
from tests.support.fileroom import PROGRAM, FileroomServer

Start = Callable[..., FileroomServer]


def serve(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A `fileroom serve` that is expected to refuse."""
    command = [PROGRAM, "serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_says_where_it_is_and_what_to_try(fileroom_server: FileroomServer) -> None:
    until = time.monotonic() + 20  # it answers a moment before it says so
    while "Ctrl-C" not in (said := fileroom_server.log.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    assert f"http://127.0.0.1:{fileroom_server.web}" in said
    assert f"127.0.0.1:{fileroom_server.dicom}, AE title FILEROOM" in said
    for word in ("storescu", "findscu", "curl", "Ctrl-C"):
        assert word in said


def test_with_json_it_says_where_it_is_in_one_document(tmp_path: Path) -> None:
    web, dicom = (f"127.0.0.1:{processes.free_port()}" for _ in range(2))
    command = [PROGRAM, "serve", "--json", "--home", tmp_path / "home", "--web", web, "--dicom", dicom]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=20)
    assert (said["web"], said["dicom"], said["pid"]) == (f"http://{web}", dicom, process.pid)
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events[-1] == "stopped"


def test_healthz_readyz_and_metrics_answer(fileroom_server: FileroomServer) -> None:
    assert fileroom_server.get("/healthz") == {"alive": True}
    ready = fileroom_server.get("/readyz")
    assert ready["ready"]
    assert set(ready["checks"]) == {"database", "packs", "archive", "sends", "ledger", "dicom"}
    with urllib.request.urlopen(f"{fileroom_server.url}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    assert re.search(r"^fileroom_pack_bytes 0\.0$", page, re.MULTILINE)
    assert re.search(r"^process_resident_memory_bytes ", page, re.MULTILINE)


def test_it_is_not_ready_while_the_packs_cannot_be_written(fileroom_server: FileroomServer) -> None:
    packs = fileroom_server.home / "packs"
    moved = packs.rename(fileroom_server.home / "elsewhere")
    try:
        urllib.request.urlopen(f"{fileroom_server.url}/readyz", timeout=10)
    except urllib.error.HTTPError as error:
        status, said = error.code, json.loads(error.read())
    else:
        status, said = 200, {}
    moved.rename(packs)
    assert status == 503
    assert not said["ready"]
    assert "cannot be written" in said["checks"]["packs"]
    assert said["checks"]["database"] == "ok"
    assert fileroom_server.ready(), "and ready again once they can"


def test_it_is_not_ready_when_less_is_free_than_asked_for(tmp_path: Path) -> None:
    web = processes.free_port()
    command = [PROGRAM, "serve", "--home", tmp_path / "home", "--web", f"127.0.0.1:{web}", "--dicom", "127.0.0.1:0"]
    process = processes.start(command, tmp_path / "log", environment={"FILEROOM_FREE_BYTES_MIN": "1000000 TiB"})
    process.wait_until(lambda: processes.accepts_connections(web))
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{web}/readyz", timeout=10)
    except urllib.error.HTTPError as error:
        said = json.loads(error.read())
        assert "MiB are free" in said["checks"]["packs"]
    else:
        raise AssertionError("it says that it is ready")
    finally:
        process.stop()


def test_it_stops_within_seconds_and_exits_0_on_both_signals(start_fileroom: Start) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        server = start_fileroom()
        begin = time.monotonic()
        os.kill(server.pid, number)
        assert server.running.popen.wait(20) == 0
        assert time.monotonic() - begin < 5


def test_sighup_means_nothing(fileroom_server: FileroomServer) -> None:
    os.kill(fileroom_server.pid, signal.SIGHUP)
    time.sleep(0.2)
    assert fileroom_server.ready()


def test_a_second_ctrl_c_does_not_wait_for_what_is_under_way(start_fileroom: Start) -> None:
    server = start_fileroom(FILEROOM_DRAIN_SECONDS="60")
    with socket.create_connection(("127.0.0.1", server.web)) as slow:
        slow.sendall(b"POST /dicomweb/studies HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/dicom\r\n")
        slow.sendall(b"content-length: 1000\r\n\r\nno more comes")
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGINT)
        time.sleep(0.5)
        assert server.running.alive(), "the request is still under way"
        os.kill(server.pid, signal.SIGINT)
        assert server.running.popen.wait(5) == 130


def test_a_second_server_on_one_home_is_refused(fileroom_server: FileroomServer) -> None:
    refused = serve("--home", fileroom_server.home, "--web", "127.0.0.1:0", "--dicom", "127.0.0.1:0")
    assert refused.returncode == 3
    assert f"process {fileroom_server.pid}" in refused.stderr
    assert fileroom_server.ready()


def test_a_home_is_free_again_after_its_server_was_killed(fileroom_server: FileroomServer) -> None:
    fileroom_server.kill()
    fileroom_server.start()
    assert fileroom_server.ready()


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for door, other in (("--web", "--dicom"), ("--dicom", "--web")):
            refused = serve("--home", tmp_path, door, address, other, "127.0.0.1:0")
            assert refused.returncode == 3, refused.stderr
            assert address in refused.stderr
            assert door in refused.stderr


def test_a_web_address_that_others_reach_is_refused_with_the_reason(tmp_path: Path) -> None:
    refused = serve("--home", tmp_path / "home", "--web", "0.0.0.0:8080")
    assert refused.returncode == 2
    assert "no sign-in yet" in refused.stderr
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refused = serve("--home", tmp_path / "file" / "home")
    assert refused.returncode == 3
    assert str(tmp_path / "file" / "home") in refused.stderr


def test_a_database_that_does_not_answer_is_said_without_a_traceback(tmp_path: Path) -> None:
    command = [PROGRAM, "serve", "--home", tmp_path, "--web", "127.0.0.1:0", "--dicom", "127.0.0.1:0"]
    url = f"postgresql://u:secret@127.0.0.1:{processes.free_port()}/x"
    environment = {**os.environ, "FILEROOM_DATABASE_URL": url}
    refused = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert refused.returncode == 3
    assert "the database did not answer" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "secret" not in refused.stderr


def test_it_runs_on_postgresql(start_fileroom: Start, postgres: str) -> None:
    server = start_fileroom(FILEROOM_DATABASE_URL=postgres)
    assert not (server.home / "fileroom.sqlite").exists()
    assert json.loads(server.run("status", "--json").stdout)["ready"]


def test_the_file_in_the_home_is_read_and_a_mistake_in_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "fileroom.toml").write_text('ae_tilte = "X"\n')
    refused = serve("--home", tmp_path)
    assert refused.returncode == 2
    assert "ae_tilte" in refused.stderr
    assert "did you mean ae_title?" in refused.stderr
    (tmp_path / "fileroom.toml").write_text("pack_bytes_max = true\n")
    assert "expected a whole number" in serve("--home", tmp_path).stderr
    (tmp_path / "fileroom.toml").write_text("pack_bytes_max\n")
    assert "is not TOML" in serve("--home", tmp_path).stderr
    (tmp_path / "fileroom.toml").write_text('home = "elsewhere"\n')
    assert "which lies in the home" in serve("--home", tmp_path).stderr


def test_idle_it_takes_under_120_megabytes(fileroom_server: FileroomServer) -> None:
    status = Path(f"/proc/{fileroom_server.pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    assert int(found[1]) < 120_000
