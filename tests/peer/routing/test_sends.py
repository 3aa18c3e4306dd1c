"""Sends to real peers: dcmtk's storescp, Orthanc, pynetdicom with every kind of answer, another Fileroom."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE

from fileroom.routing.sends import State
from tests.support import processes
from tests.support.archives import ct
from tests.support.doors import VERIFICATION, until
from tests.support.fileroom import FileroomServer
from tests.support.orthanc import Orthanc
from tests.support.real_objects import named
from tests.support.routes import Receiver, Route, running_route


@pytest.fixture
def route(tmp_path: Path) -> Iterator[Route]:
    with running_route(tmp_path / "archive") as running:
        for number in range(1, 11):
            running.archive.store(ct(number))
        yield running


def test_a_study_arrives_at_storescp_bit_for_bit(route: Route, dcmtk: Callable[[str], str], tmp_path: Path) -> None:
    port, folder = processes.free_port(), tmp_path / "received"
    folder.mkdir()
    peer = processes.start([dcmtk("storescp"), "-od", folder, "+B", str(port)], tmp_path / "log")
    try:
        peer.wait_until(lambda: processes.accepts_connections(port))
        route.know("STORESCP", port)
        done = route.ended(route.routing.send("1.2.9.1", "STORESCP", "tester"))
    finally:
        peer.kill()
    assert (done.state, done.sent, done.attempts, done.last_error) == (State.DONE, 10, 1, None)
    assert route.routing.objects(done.id) == []
    ours = {stored.digest for stored in route.archive.retriever.instances("1.2.9.1")}
    assert {_dataset_digest(path) for path in folder.iterdir()} == ours


def _dataset_digest(path: Path) -> str:
    raw = path.read_bytes()
    return hashlib.sha256(raw[144 + int.from_bytes(raw[140:144], "little") :]).hexdigest()


def test_an_object_the_peer_refuses_is_kept_with_its_status_and_the_others_arrive(route: Route) -> None:
    with Receiver({"1.2.9.1.1.4": [0xC123, 0]}) as receiver:
        route.know("RECEIVER", receiver.port)
        failed = route.ended(route.routing.send("1.2.9.1", "RECEIVER", "tester"))
        assert (failed.state, failed.sent, failed.failed) == (State.FAILED, 9, 1)
        assert "1 of 10 objects did not arrive" in (failed.last_error or "")
        [kept] = route.routing.objects(failed.id)
        assert (kept.sop_uid, kept.status) == ("1.2.9.1.1.4", 0xC123)
        assert kept.reason == "RECEIVER refused: it cannot understand the object (status C123)"
        route.routing.retry(failed.id)
        assert route.ended(failed).state is State.DONE
        assert sorted(receiver.got) == sorted([f"1.2.9.1.1.{n}" for n in range(1, 11)] + ["1.2.9.1.1.4"])


def test_a_peer_without_room_gets_the_rest_later(route: Route) -> None:
    full = {f"1.2.9.1.1.{n}": [0xA700, 0xA700, 0] for n in range(3, 11)}
    with Receiver(full) as receiver:
        route.know("RECEIVER", receiver.port)
        done = route.ended(route.routing.send("1.2.9.1", "RECEIVER", "tester"))
        assert done.state is State.DONE
        assert receiver.got.count("1.2.9.1.1.1") == 1, "what it took is not sent again"
        assert receiver.got[:6] == [f"1.2.9.1.1.{n}" for n in range(1, 7)]
        assert receiver.when[5] - receiver.when[4] >= 0.2, "after three refusals the attempt ends"
        assert len(receiver.got) == 2 + 8 * 3


def test_an_object_that_is_there_already_is_a_refusal_unless_it_was_in_doubt(route: Route) -> None:
    def break_once(uid: str) -> None:
        if uid == "1.2.9.1.1.2" and receiver.got.count(uid) == 1:
            receiver.abort()

    with Receiver({"1.2.9.1.1.1": [0x0111], "1.2.9.1.1.2": [0, 0x0111]}, before=break_once) as receiver:
        route.know("RECEIVER", receiver.port)
        failed = route.ended(route.routing.send("1.2.9.1", "RECEIVER", "tester"))
        assert [one.sop_uid for one in route.routing.objects(failed.id)] == ["1.2.9.1.1.1"]
        assert receiver.got.count("1.2.9.1.1.2") == 2


def test_a_peer_that_does_not_take_the_kind_of_object_says_so(route: Route) -> None:
    entity, port = AE(), processes.free_port()
    entity.add_supported_context(UID(VERIFICATION))
    server = entity.start_server(("127.0.0.1", port), block=False)
    try:
        route.know("PRINTER", port)
        failed = route.ended(route.routing.send("1.2.9.1", "PRINTER", "tester"))
    finally:
        server.shutdown()
    assert (failed.state, failed.failed) == (State.FAILED, 10)
    assert "takes no syntax for" in (failed.last_error or "")


def test_a_compressed_image_arrives_decoded_where_the_peer_takes_no_other(
    start_fileroom: Callable[..., FileroomServer], dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    server = start_fileroom()
    file = named("JPEG2000.dcm")
    assert server.run("import", file).returncode == 0
    study = str(dcmread(file, stop_before_pixels=True).StudyInstanceUID)
    port, folder = processes.free_port(), tmp_path / "received"
    folder.mkdir()
    peer = processes.start([dcmtk("storescp"), "-od", folder, "+xi", str(port)], tmp_path / "log")
    try:
        peer.wait_until(lambda: processes.accepts_connections(port))
        server.run("peer", "add", "PLAIN", "127.0.0.1", str(port))
        sent = server.run("send", study, "PLAIN", "--wait", "--json")
        assert sent.returncode == 0, sent.stdout + sent.stderr
    finally:
        peer.kill()
    [path] = folder.iterdir()
    arrived = dcmread(path)
    assert str(arrived.file_meta.TransferSyntaxUID) == "1.2.840.10008.1.2"
    assert (arrived.pixel_array == dcmread(file).pixel_array).all()


def test_sends_by_command_to_orthanc_are_listed_counted_and_logged_without_names(
    fileroom_server: FileroomServer, orthanc: Callable[..., Orthanc], tmp_path: Path
) -> None:
    peer, run = orthanc(), fileroom_server.run
    for number in range(1, 6):
        dataset = ct(number, patient="SECRET")
        dataset.file_meta = _explicit()
        dataset.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
        run("import", tmp_path / f"{number}.dcm")
    refused = run("send", "1.2.9.1", "ORTHANC")
    assert refused.returncode == 1
    assert "no peer" in refused.stderr
    run("peer", "add", "ORTHANC", "127.0.0.1", str(peer.dicom))
    sent = run("send", "1.2.9.1", "ORTHANC", "--wait", "--json")
    assert sent.returncode == 0, sent.stderr
    send = json.loads(sent.stdout)["send"]
    assert (send["state"], send["sent"], send["total"]) == ("done", 5, 5)
    assert len(peer.get("/instances")) == 5
    assert [one["id"] for one in json.loads(run("sends", "--json").stdout)["sends"]] == [send["id"]]
    assert "5 of 5 sent" in run("sends", str(send["id"])).stdout
    assert run("sends", str(send["id"]), "--retry").returncode == 2
    with urllib.request.urlopen(f"{fileroom_server.url}/metrics", timeout=10) as metrics:
        assert 'fileroom_sends{state="done"} 1.0' in metrics.read().decode()
    assert fileroom_server.stop() == 0
    log = fileroom_server.log.read_text()
    assert "destination=ORTHANC state=done delivered=5" in log
    assert "SECRET" not in log


def _explicit() -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def test_without_a_server_a_send_is_queued_and_says_so(fileroom_server: FileroomServer, tmp_path: Path) -> None:
    dataset = ct(1)
    dataset.file_meta = _explicit()
    dataset.save_as(tmp_path / "1.dcm", enforce_file_format=True)
    run = fileroom_server.run
    run("import", tmp_path / "1.dcm")
    with Receiver() as receiver:
        run("peer", "add", "RECEIVER", "127.0.0.1", str(receiver.port))
        fileroom_server.stop()
        queued = run("send", "1.2.9.1", "RECEIVER")
        assert queued.returncode == 0
        assert "No server runs" in queued.stdout
        assert run("send", "1.2.9.1", "RECEIVER", "--wait").returncode == 3
        fileroom_server.start()
        assert until(lambda: receiver.got == ["1.2.9.1.1.1"] * 2, 20)
