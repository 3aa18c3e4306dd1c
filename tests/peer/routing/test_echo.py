"""C-ECHO to real peers, and to what is none: each answer says what to look at."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fileroom.archive.peers import ALL, Peer
from fileroom.net.limits import Limits
from fileroom.routing.echo import Echo, echo
from fileroom.routing.words import Reach
from tests.support import processes
from tests.support.doors import running_door

LIMITS = Limits(connect_seconds=1, artim_seconds=1, answer_seconds=2, tick_seconds=0.1)
SOMEBODY = Peer("STORESCP", "127.0.0.1", 104, "main", ALL)


def ask(port: int, host: str = "127.0.0.1", title: str = "STORESCP") -> Echo:
    return echo(replace(SOMEBODY, ae_title=title, host=host, port=port), "FILEROOM", LIMITS)


def test_a_peer_that_answers_is_reached_and_timed(dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    port = processes.free_port()
    peer = processes.start([dcmtk("storescp"), "--ignore", str(port)], tmp_path / "log")
    try:
        peer.wait_until(lambda: processes.accepts_connections(port))
        answer = ask(port)
    finally:
        peer.kill()
    assert (answer.reach, answer.status, answer.check) == (Reach.REACHED, 0, "")
    assert 0 < answer.milliseconds < 1000


def test_a_peer_that_refuses_says_why(dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    port = processes.free_port()
    peer = processes.start([dcmtk("storescp"), "--refuse", str(port)], tmp_path / "log")
    try:
        peer.wait_until(lambda: processes.accepts_connections(port))
        answer = ask(port)
    finally:
        peer.kill()
    assert answer.reach is Reach.REFUSED
    assert "no reason given" in answer.what


def test_a_title_that_is_not_the_peers_is_told_from_one_it_does_not_know(tmp_path: Path) -> None:
    with running_door(tmp_path, any_called_title_on_loopback=False, ae_title="ARCHIVE") as door:
        wrong = ask(door.port, title="ARCHIVES")
        assert wrong.reach is Reach.REFUSED
        assert "is not called ARCHIVES" in wrong.what
        door.peers.add(replace(SOMEBODY, ae_title="FILEROOM"))
        assert ask(door.port, title="ARCHIVE").reach is Reach.REACHED
    (tmp_path / "closed").mkdir()
    with running_door(tmp_path / "closed", host="0.0.0.0", ae_title="ARCHIVE") as door:
        unknown = ask(door.port, title="ARCHIVE")
        assert unknown.reach is Reach.REFUSED
        assert "does not know the caller FILEROOM" in unknown.what
        assert "Add the AE title FILEROOM" in unknown.check


def test_where_nothing_listens_the_port_is_to_be_looked_at() -> None:
    answer = ask(processes.free_port())
    assert answer.reach is Reach.NO_ANSWER
    assert "Connection refused" in answer.what
    assert "firewall" in answer.check


def test_a_listener_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        answer = ask(mute.getsockname()[1])
    assert answer.reach is Reach.NO_ANSWER
    assert "does not answer in time" in answer.what
    assert answer.milliseconds < 5000


@pytest.mark.parametrize("host", ["ws-1.invalid", "." * 70, "a" * 70 + ".lan"])
def test_a_name_that_does_not_resolve_is_said(host: str) -> None:
    answer = ask(104, host=host)
    assert answer.reach is Reach.NO_ANSWER
    assert "does not resolve" in answer.what


def test_a_web_server_is_no_dicom_application(tmp_path: Path) -> None:
    port = processes.free_port()
    web = processes.start([sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(port)], tmp_path / "log")
    try:
        web.wait_until(lambda: processes.accepts_connections(port))
        answer = ask(port)
    finally:
        web.kill()
    assert answer.reach is Reach.NO_ANSWER
    assert "DICOM port" in answer.check
