"""`fileroom peer`: from adding one to a C-ECHO with a real peer."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from tests.support import processes
from tests.support.fileroom import FileroomServer

Dcmtk = Callable[[str], str]


def test_a_peer_is_added_listed_changed_and_removed(fileroom_server: FileroomServer) -> None:
    run = fileroom_server.run
    assert "Added CT_1" in run("peer", "add", "CT_1", "127.0.0.1", "104", "--may", "store").stdout
    assert (
        "Changed CT_1"
        in run("peer", "add", "CT_1", "127.0.0.1", "105", "--may", "store,find", "--site", "north").stdout
    )
    [peer] = json.loads(run("peer", "list", "--json").stdout)["peers"]
    assert peer == {"ae_title": "CT_1", "host": "127.0.0.1", "port": 105, "site": "north", "may": ["find", "store"]}
    assert run("peer", "remove", "CT_1").returncode == 0
    assert run("peer", "remove", "CT_1").returncode == 1


def test_a_title_that_cannot_be_one_is_refused(fileroom_server: FileroomServer) -> None:
    refused = fileroom_server.run("peer", "add", "SEVENTEEN_LETTERS", "127.0.0.1", "104")
    assert refused.returncode == 2
    assert "at most 16 characters" in refused.stderr


def test_a_host_that_does_not_resolve_is_pointed_out(fileroom_server: FileroomServer) -> None:
    done = fileroom_server.run("peer", "add", "CT_1", "ct-1.invalid", "104")
    assert done.returncode == 0
    assert "does not resolve" in done.stdout


def test_echo_says_how_long_a_real_peer_took(fileroom_server: FileroomServer, dcmtk: Dcmtk) -> None:
    port = processes.free_port()
    peer = processes.start([dcmtk("storescp"), "--ignore", str(port)], fileroom_server.home / "storescp.log")
    try:
        peer.wait_until(lambda: processes.accepts_connections(port))
        fileroom_server.run("peer", "add", "STORESCP", "127.0.0.1", str(port))
        done = fileroom_server.run("peer", "echo", "STORESCP", "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["status"] == 0
        assert 0 < said["milliseconds"] < 5000
    finally:
        peer.kill()


def test_echo_says_that_a_peer_does_not_answer_or_is_not_known(fileroom_server: FileroomServer) -> None:
    fileroom_server.run("peer", "add", "GONE", "127.0.0.1", str(processes.free_port()))
    gone = fileroom_server.run("peer", "echo", "GONE")
    assert gone.returncode == 1
    assert "Connection refused" in gone.stderr
    assert fileroom_server.run("peer", "echo", "NOBODY").returncode == 1


def test_a_peer_counts_without_a_restart(fileroom_server: FileroomServer, dcmtk: Dcmtk) -> None:
    def find() -> str:
        command = [dcmtk("findscu"), "-v", "-aet", "READER", "-aec", "FILEROOM", "-S", "-k", "QueryRetrieveLevel=STUDY"]
        address = ["127.0.0.1", str(fileroom_server.dicom)]
        done = subprocess.run([*command, *address], capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr

    assert "Success" in find(), "on loopback anybody may ask"
    fileroom_server.run("peer", "add", "READER", "127.0.0.1", "104", "--may", "store")
    assert "0x124" in find(), "not authorized (PS3.7 C.5.17)"
