"""The listener when the machine, the code behind it or its own end gets in the way."""

from __future__ import annotations

import logging
import os
import resource
import threading
import time
from pathlib import Path

import pytest

from fileroom.archive.peers import Peers
from fileroom.archive.search import Search
from fileroom.dimse import door as rooms
from fileroom.dimse.door import DoorSettings
from fileroom.dimse.server import DimseServer
from fileroom.errors import InUse
from fileroom.net import command, pdu
from fileroom.net.command import Field, Tag
from fileroom.net.pdu import COMMAND, LAST
from tests.support.archives import ct, encoded, running_archive
from tests.support.doors import CT, STUDY_GET, VERIFICATION, RawPeer, data_pdu, fragment, running_door, until


def _echoes(peer: RawPeer, context_id: int = 1) -> bool:
    peer.send(data_pdu(fragment(command.echo_request(1), context_id, COMMAND | LAST)))
    kind, body = peer.pdu()
    return kind == pdu.PduType.DATA and command.decode(body[6:]).status == 0


def test_running_out_of_file_descriptors_passes(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with running_door(tmp_path) as door:
        lowest_free = os.dup(0)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 1, hard))
        try:
            peer = RawPeer(door.address)  # takes the last one: nothing is left to accept with
            time.sleep(0.5)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with peer:
            peer.associate(VERIFICATION)
            assert _echoes(peer)


def test_an_error_of_ours_ends_one_association_and_is_logged_without_what_was_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elements: dict[int, bytes | int | str] = {
        Tag.SOP_CLASS_UID: STUDY_GET,
        Tag.COMMAND_FIELD: Field.C_GET,
        Tag.MESSAGE_ID: 1,
        Tag.DATASET_TYPE: 1,
    }
    keys = b"\x08\0\x52\0CS\6\0STUDY \x20\0\x0d\0UI\6\0secret"
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        broken = rooms.Archive(archive.receiver, None, archive.retriever, Peers(archive.database))  # type: ignore[arg-type]
        server = DimseServer(DoorSettings(port=0), broken)
        server.start()
        try:
            with RawPeer(server.address) as bystander, RawPeer(server.address) as peer:
                bystander.associate(VERIFICATION)
                peer.associate(STUDY_GET)
                peer.send(data_pdu(fragment(command.encode(elements), flags=COMMAND | LAST)) + data_pdu(fragment(keys)))
                assert peer.ended() >= 0
                assert _echoes(bystander)
            assert until(lambda: server.stats.counts.get("broken") == 1)
        finally:
            server.stop(1)
    assert "error=AttributeError" in caplog.text
    assert "selection.py" in caplog.text
    assert "secret" not in caplog.text


def test_no_patient_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="fileroom")
    dataset = ct(1, patient="SECRET1")
    moved = ct(1, patient="SECRET2")
    with running_door(tmp_path) as door, RawPeer(door.address) as peer:
        peer.associate(CT)
        request = data_pdu(fragment(command.store_request(1, CT, "1.2.9.1.1.1"), flags=COMMAND | LAST))
        for raw in (encoded(dataset), encoded(moved), encoded(dataset)[:-9]):
            peer.send(request + data_pdu(fragment(raw)))
            peer.pdu()
    assert "object held" in caplog.text
    assert "object refused" in caplog.text
    assert "SECRET" not in caplog.text


def test_stopping_lets_what_is_under_way_finish_and_tells_the_idle_at_once(tmp_path: Path) -> None:
    raw = encoded(ct(1))
    with running_door(tmp_path) as door, RawPeer(door.address) as busy, RawPeer(door.address) as idle:
        idle.associate(VERIFICATION)
        assert _echoes(idle)
        busy.associate(CT)
        request = command.store_request(1, CT, "1.2.9.1.1.1")
        busy.send(data_pdu(fragment(request, flags=COMMAND | LAST)) + data_pdu(fragment(raw[:50], flags=0)))
        time.sleep(0.1)
        stopping = threading.Thread(target=door.server.stop, args=(5.0,))
        stopping.start()
        begin = time.monotonic()
        assert idle.ended() >= 0
        assert time.monotonic() - begin < 1
        assert stopping.is_alive()
        busy.send(data_pdu(fragment(raw[50:])))
        kind, body = busy.pdu()
        assert kind == pdu.PduType.DATA
        assert command.decode(body[6:]).status == 0
        assert busy.ended() >= 0
        busy.socket.close()
        stopping.join(3)
        assert not stopping.is_alive()
        assert len(door.archive.retriever.by_sop_uids(["1.2.9.1.1.1"])) == 1


def test_stopping_cuts_what_does_not_finish(tmp_path: Path) -> None:
    with running_door(tmp_path) as door, RawPeer(door.address) as stuck:
        stuck.associate(CT)
        request = command.store_request(1, CT, "1.2.9.1.1.1")
        stuck.send(data_pdu(fragment(request, flags=COMMAND | LAST)))
        time.sleep(0.1)
        begin = time.monotonic()
        door.server.stop(0.3)
        assert time.monotonic() - begin < 2.5
        assert door.server.stats.open == 0
        assert not door.server.alive


def test_an_address_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with running_door(tmp_path) as door:
        rooms_behind = rooms.Archive(
            door.archive.receiver, Search(door.archive.database), door.archive.retriever, door.peers
        )
        with pytest.raises(InUse, match="cannot listen"):
            DimseServer(DoorSettings(port=door.port), rooms_behind).start()
