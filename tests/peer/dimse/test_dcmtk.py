"""dcmtk's own tools against the door, as a user runs them."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from fileroom.archive.decode import Decoder
from fileroom.archive.packs import FileRange
from fileroom.archive.peers import ALL, Peer
from fileroom.archive.retrieve import StoredInstance
from fileroom.archive.workers import WorkerLimits
from fileroom.audit.event import Kind, Outcome
from tests.support.archives import CT, SOURCE, ct
from tests.support.doors import Door, running_door, until
from tests.support.real_objects import named
from tests.support.told import told_by

Tool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with running_door(tmp_path) as running:
        yield running


@pytest.fixture
def tool(dcmtk: Callable[[str], str]) -> Tool:
    """Call it with a tool's name and arguments; it must succeed."""

    def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [dcmtk(name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def _files(folder: Path, count: int, study: int = 1, size: int = 32) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(1, count + 1):
        dataset = ct(number, study=study, pixels=bytes([number % 256]) * size)
        dataset.Rows, dataset.Columns = 2, size // 4
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


def _digests(folder: Path) -> set[str]:
    """SHA-256 of the dataset bytes of every file."""
    found = set()
    for path in folder.iterdir():
        raw = path.read_bytes()
        start = 132 + 12 + int.from_bytes(raw[140:144], "little")
        found.add(hashlib.sha256(raw[start:]).hexdigest())
    return found


@pytest.fixture
def stored(door: Door, tool: Tool, tmp_path: Path) -> Path:
    """Thirty slices of one study that are in the archive."""
    folder = _files(tmp_path / "sent", 30, size=40_000)
    tool("storescu", "+sd", "127.0.0.1", str(door.port), folder)
    return folder


def test_echo_answers_any_called_title_on_loopback(door: Door, tool: Tool) -> None:
    tool("echoscu", "-aet", "CT_ROOM_1", "-aec", "ANY-SCP", "127.0.0.1", str(door.port))
    assert until(lambda: door.counts().get("echo") == 1)


def test_what_storescu_sends_comes_back_with_getscu_bit_for_bit(
    door: Door, tool: Tool, stored: Path, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    back.mkdir()
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.9.1"]
    tool("getscu", "-S", "+B", "-od", back, *keys, "127.0.0.1", str(door.port))
    assert _digests(back) == _digests(stored)
    assert len(list(back.iterdir())) == 30
    done = next(event for event in told_by(door) if event.kind is Kind.RETRIEVE and event.outcome is Outcome.DONE)
    assert (done.who, done.study_uid, done.patient_id, done.objects) == ("GETSCU", "1.2.9.1", "P1", 30)


def test_movescu_has_them_sent_to_a_configured_peer(
    door: Door, tool: Tool, stored: Path, tmp_path: Path, dcmtk: Callable[[str], str], free_port: Callable[[], int]
) -> None:
    port, back = free_port(), tmp_path / "moved"
    back.mkdir()
    door.peers.add(Peer("DEST", "127.0.0.1", port, "main", ALL))
    with subprocess.Popen([dcmtk("storescp"), "+B", "-aet", "DEST", "-od", str(back), str(port)]) as receiver:
        try:
            time.sleep(0.3)
            keys = ["-k", "QueryRetrieveLevel=SERIES", "-k", "SeriesInstanceUID=1.2.9.1.1"]
            done = tool("movescu", "-d", "-S", "-aem", "DEST", *keys, "127.0.0.1", str(door.port))
        finally:
            receiver.kill()
    assert _digests(back) == _digests(stored)
    begun, sent = [event for event in told_by(door) if event.kind is Kind.SEND]
    assert (begun.outcome, begun.detail, begun.act) == (Outcome.BEGUN, "to DEST", sent.act)
    assert (sent.outcome, sent.who, sent.study_uid, sent.objects) == (Outcome.DONE, "MOVESCU", "1.2.9.1", 30)
    final = done.stdout + done.stderr
    assert re.findall(r"Completed Suboperations +: (\d+)", final)[-1] == "30"
    assert re.findall(r"Failed Suboperations +: (\d+)", final)[-1] == "0"


def test_findscu_finds_at_every_level(door: Door, tool: Tool, stored: Path) -> None:
    def count(*keys: str, model: str = "-S") -> int:
        arguments = [part for key in keys for part in ("-k", key)]
        done = tool("findscu", model, *arguments, "127.0.0.1", str(door.port))
        return (done.stdout + done.stderr).count("Find Response: ")

    assert count("QueryRetrieveLevel=STUDY", "PatientName=test*", "StudyInstanceUID") == 1
    assert count("QueryRetrieveLevel=STUDY", "PatientName=nobody*", "StudyInstanceUID") == 0
    assert count("QueryRetrieveLevel=SERIES", "StudyInstanceUID=1.2.9.1", "SeriesInstanceUID") == 1
    assert count("QueryRetrieveLevel=IMAGE", "StudyInstanceUID=1.2.9.1", "InstanceNumber=7") == 1
    assert count("QueryRetrieveLevel=IMAGE", "StudyInstanceUID=1.2.9.1", "SOPInstanceUID") == 30
    assert count("QueryRetrieveLevel=PATIENT", "PatientID=P1", model="-P") == 1


def test_a_stock_sender_does_not_wait_for_delayed_acknowledgements(door: Door, tool: Tool, tmp_path: Path) -> None:
    """dcmtk leaves Nagle's algorithm on: without TCP_QUICKACK on our side each object waits 40 ms."""
    folder = _files(tmp_path / "many", 50, size=4000)
    begin = time.monotonic()
    tool("storescu", "+sd", "127.0.0.1", str(door.port), folder)
    taken = time.monotonic() - begin
    assert door.counts()["stored"] == 50
    assert taken < 50 * 0.030


def test_a_sender_with_small_pdus_is_understood(door: Door, tool: Tool, tmp_path: Path) -> None:
    folder = _files(tmp_path / "small", 2, size=100_000)
    tool("storescu", "--max-send-pdu", "4096", "+sd", "127.0.0.1", str(door.port), folder)
    for path in folder.iterdir():
        (found,) = door.archive.retriever.by_sop_uids([dcmread(path, stop_before_pixels=True).SOPInstanceUID])
        assert found.digest in _digests(folder)


def test_a_receiver_with_small_pdus_gets_every_byte(door: Door, tool: Tool, stored: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    back.mkdir()
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.9.1"]
    tool("getscu", "-S", "+B", "-pdu", "4096", "-od", back, *keys, "127.0.0.1", str(door.port))
    assert _digests(back) == _digests(stored)


def test_receivers_that_take_native_syntaxes_only_get_compressed_objects_decoded(
    tool: Tool, dcmtk: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    decoder = Decoder(WorkerLimits(count_max=1, memory_bytes=1 << 30, seconds_max=20))
    native = dcmread(named("MR_small.dcm"))
    back, moved, port = tmp_path / "back", tmp_path / "moved", free_port()
    back.mkdir()
    moved.mkdir()

    def transcode(stored: StoredInstance, syntax: str) -> FileRange:
        return decoder.transcode(door.archive.retriever.file(stored), syntax).dataset

    try:
        with running_door(tmp_path, transcode) as door:
            door.peers.add(Peer("DEST", "127.0.0.1", port, "main", ALL))
            tool("storescu", "-xr", "127.0.0.1", str(door.port), named("MR_small_RLE.dcm"))
            keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={native.StudyInstanceUID}"]
            tool("getscu", "-S", "-od", back, *keys, "127.0.0.1", str(door.port))
            with subprocess.Popen([dcmtk("storescp"), "-od", str(moved), str(port)]) as receiver:
                try:
                    time.sleep(0.3)
                    tool("movescu", "-S", "-aem", "DEST", *keys, "127.0.0.1", str(door.port))
                finally:
                    receiver.kill()
    finally:
        decoder.close()
    for folder in (back, moved):
        (path,) = folder.iterdir()
        got = dcmread(path)
        assert got.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert got.PixelData == native.PixelData


def test_a_compressed_object_that_nobody_can_decode_here_is_counted_as_failed(
    door: Door, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    """No decoder is behind this door, and getscu takes native syntaxes only."""
    _store_compressed(door)
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.9.1"]
    command = [dcmtk("getscu"), "-d", "-S", "-od", str(tmp_path), *keys, "127.0.0.1", str(door.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    said = done.stdout + done.stderr
    assert re.findall(r"Failed Suboperations +: (\d+)", said)[-1] == "1"
    assert "0xa702" in said


def _store_compressed(door: Door) -> None:
    dataset = ct(1)
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    with door.archive.receiver.dataset(SOURCE, JPEGBaseline8Bit, CT, dataset.SOPInstanceUID, "X") as intake:
        intake.write(buffer.getvalue())
        intake.submit().wait()
