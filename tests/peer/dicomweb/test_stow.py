"""STOW-RS over a real connection into a real archive: every object has its own fate, and the answer tells it."""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset, FileMetaDataset

from fileroom.archive.receive import ReceiveLimits
from fileroom.dicomweb.stow import Stow
from fileroom.web.limits import Limits
from fileroom.web.loopback import LoopbackOnly
from fileroom.web.origin import SameOriginWrites
from fileroom.web.router import Router
from fileroom.web.server import WebServer
from tests.support.archives import EXPLICIT_LE, Archive, ct, running_archive
from tests.support.web import Answer, RawClient, serving

TYPE = 'multipart/related; type="application/dicom"; boundary=BB'


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    limits = ReceiveLimits(object_bytes_max=3 << 20, buffered_bytes_max=1 << 20, memory_bytes_max=8 << 20)
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}", limits) as running:
        yield running


@pytest.fixture
def server(archive: Archive) -> Iterator[WebServer]:
    router = Router()
    Stow(archive.receiver, "main").add_routes(router)
    with serving(LoopbackOnly(SameOriginWrites(router)), Limits(linger_seconds=0.2)) as running:
        yield running


def file(dataset: Dataset) -> bytes:
    """The dataset as a Part 10 file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = EXPLICIT_LE
    dataset.preamble = bytes(128)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def multipart(*files: bytes, kind: str = "application/dicom") -> bytes:
    return b"".join(b"--BB\r\nContent-Type: %b\r\n\r\n%b\r\n" % (kind.encode(), one) for one in files) + b"--BB--\r\n"


def post(server: WebServer, body: bytes, *headers: str, path: str = "/dicomweb/studies", kind: str = TYPE) -> Answer:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    with RawClient(server) as client:
        return client.ask("\r\n".join(lines).encode() + body)


def stored(answer: Answer) -> list[str]:
    return _uids(answer, "00081199")


def failed(answer: Answer) -> dict[str, int]:
    items = orjson.loads(answer.body).get("00081198", {}).get("Value", [])
    return {item["00081155"]["Value"][0]: item["00081197"]["Value"][0] for item in items}


def other_failures(answer: Answer) -> list[int]:
    items = orjson.loads(answer.body).get("0008119A", {}).get("Value", [])
    return [item["00081197"]["Value"][0] for item in items]


def _uids(answer: Answer, tag: str) -> list[str]:
    return [item["00081155"]["Value"][0] for item in orjson.loads(answer.body).get(tag, {}).get("Value", [])]


def kept(archive: Archive, study_uid: str) -> list[str]:
    return [one.sop_uid for one in archive.retriever.instances(study_uid)]


def test_a_study_is_stored_and_there_when_the_answer_comes(server: WebServer, archive: Archive) -> None:
    files = [file(ct(number)) for number in range(1, 151)]  # more than may be in flight
    answer = post(server, multipart(*files))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    assert sorted(stored(answer)) == sorted(kept(archive, "1.2.9.1"))
    assert len(kept(archive, "1.2.9.1")) == 150
    first = archive.retriever.instances("1.2.9.1")[0]
    assert archive.retriever.file(first).read() == files[0]


def test_the_same_again_is_a_success_and_other_bytes_are_a_conflict(server: WebServer, archive: Archive) -> None:
    assert post(server, multipart(file(ct(1)))).status == 200
    again = post(server, multipart(file(ct(1)), file(ct(1))))
    assert again.status == 200
    assert stored(again) == ["1.2.9.1.1.1"] * 2
    changed = post(server, multipart(file(ct(1, pixels=b"z" * 32)), file(ct(2))))
    assert changed.status == 202
    assert failed(changed) == {"1.2.9.1.1.1": 0x0111}
    assert stored(changed) == ["1.2.9.1.1.2"]
    assert post(server, multipart(file(ct(1, pixels=b"y" * 32)))).status == 409


def test_a_study_of_two_patients_is_held(server: WebServer) -> None:
    assert post(server, multipart(file(ct(1)))).status == 200
    answer = post(server, multipart(file(ct(2, patient="P2"))))
    assert answer.status == 409
    assert failed(answer) == {"1.2.9.1.1.2": 0xC110}


@pytest.mark.filterwarnings("ignore:The value length")
def test_a_failing_part_leaves_the_others_stored(server: WebServer, archive: Archive) -> None:
    whole = file(ct(2))
    no_uid = ct(4)
    no_uid.StudyInstanceUID = "1" * 65
    parts = [file(ct(1)), b"no DICOM at all" * 20, whole[:-10], b"", file(no_uid), file(ct(5))]
    answer = post(server, multipart(*parts))
    assert answer.status == 202
    assert stored(answer) == ["1.2.9.1.1.1", "1.2.9.1.1.5"] == kept(archive, "1.2.9.1")
    assert sorted(other_failures(answer)) == [0xC000, 0xC000, 0xC000, 0xC120]


def test_an_object_over_the_bound_is_refused_alone(server: WebServer, archive: Archive) -> None:
    large = file(ct(2, pixels=bytes(4 << 20)))
    answer = post(server, multipart(file(ct(1)), large, file(ct(3))))
    assert answer.status == 202
    assert other_failures(answer) == [0xA703]
    assert kept(archive, "1.2.9.1") == ["1.2.9.1.1.1", "1.2.9.1.1.3"]


def test_a_large_object_streams_in(server: WebServer, archive: Archive) -> None:
    large = file(ct(2, pixels=bytes(range(256)) * 8192))
    assert post(server, multipart(large)).status == 200
    assert archive.retriever.file(archive.retriever.instances("1.2.9.1")[0]).read() == large


def test_a_part_of_another_kind_fails_alone(server: WebServer) -> None:
    body = multipart(file(ct(1))).replace(b"--BB--", b"--BB\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--BB--")
    answer = post(server, body)
    assert (answer.status, other_failures(answer)) == (202, [0xC002])


def test_only_objects_of_the_named_study_are_taken(server: WebServer, archive: Archive) -> None:
    body = multipart(file(ct(1)), file(ct(1, study=2)))
    answer = post(server, body, path="/dicomweb/studies/1.2.9.1")
    assert answer.status == 202
    assert failed(answer) == {"1.2.9.2.1.1": 0xA901}
    assert kept(archive, "1.2.9.1") == ["1.2.9.1.1.1"]
    assert kept(archive, "1.2.9.2") == []
    assert post(server, multipart(file(ct(3, study=2))), path="/dicomweb/studies/1.2.9.1").status == 409


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_an_odd_uid_is_kept_and_warned_of(server: WebServer, archive: Archive) -> None:
    odd = ct(1)
    odd.StudyInstanceUID = "study/../1 of*3".replace(" ", "_")
    answer = post(server, multipart(file(odd)))
    assert answer.status == 200
    item = orjson.loads(answer.body)["00081199"]["Value"][0]
    assert item["00081196"]["Value"] == [0xB007]
    assert "/studies/study%2F..%2F1_of%2A3/series/" in item["00081190"]["Value"][0]
    assert kept(archive, "study/../1_of*3") == ["1.2.9.1.1.1"]


def test_one_file_by_curl(server: WebServer, archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(file(ct(1, pixels=bytes(2 << 20))))  # large enough that curl waits to be invited
    url = f"http://127.0.0.1:{server.address[1]}/dicomweb/studies"
    command = ["curl", "-s", "-H", "Content-Type: application/dicom", "--data-binary", f"@{path}", url]
    for extra in ([], ["-H", "Transfer-Encoding: chunked"]):
        done = subprocess.run([*command, *extra], capture_output=True, timeout=30, check=True)
        assert orjson.loads(done.stdout)["00081199"]["Value"][0]["00081155"]["Value"] == ["1.2.9.1.1.1"]
    assert kept(archive, "1.2.9.1") == ["1.2.9.1.1.1"]


@pytest.mark.parametrize(
    ("kind", "body", "status", "says"),
    [
        ("application/dicom+json", b"[]", 415, b"not taken here"),
        ('multipart/related; type="application/dicom+json"; boundary=BB', b"", 415, b"separate bulk data"),
        ('multipart/related; type="application/dicom+xml"; boundary=BB', b"", 415, b"separate bulk data"),
        ("multipart/form-data; boundary=BB", b"", 415, b"not taken here"),
        ('multipart/related; type="application/dicom"', b"", 400, b"boundary"),
        (TYPE, b"", 400, b"empty"),
        (TYPE, b"--BB--\r\n", 400, b"no object"),
        (TYPE, b"text first\r\n--BB\r\n", 400, b"begin with its boundary"),
        (TYPE, b"--CC\r\n\r\nx\r\n--CC--", 400, b"begin with its boundary"),
    ],
)
def test_what_is_no_store_request_is_refused(
    server: WebServer, kind: str, body: bytes, status: int, says: bytes
) -> None:
    answer = post(server, body, kind=kind)
    assert answer.status == status
    assert says in answer.body


def test_an_encoded_body_is_not_taken(server: WebServer) -> None:
    assert post(server, b"", "Content-Encoding: gzip").status == 415


def test_an_answer_in_xml_is_not_offered(server: WebServer, archive: Archive) -> None:
    assert post(server, multipart(file(ct(1))), "Accept: application/dicom+xml").status == 406
    assert kept(archive, "1.2.9.1") == []
    both = "Accept: application/dicom+xml, application/dicom+json;q=0.5"
    assert post(server, multipart(file(ct(1))), both).status == 200


def test_a_body_that_breaks_off_keeps_the_whole_parts_before(server: WebServer, archive: Archive) -> None:
    whole = multipart(file(ct(1)), file(ct(2)))
    for cut in (len(whole) - 3, len(whole) - 40):
        answer = post(server, whole[:cut])
        assert answer.status == 202
        assert "1.2.9.1.1.1" in stored(answer)
        assert other_failures(answer) == [0xC000]
    assert kept(archive, "1.2.9.1")[0] == "1.2.9.1.1.1"


def test_a_sender_that_goes_away_leaves_whole_objects_and_no_half_ones(server: WebServer, archive: Archive) -> None:
    whole = multipart(file(ct(1)), file(ct(2, pixels=bytes(2 << 20))))
    with RawClient(server) as client:
        head = f"POST /dicomweb/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: {TYPE}\r\n"
        client.send(f"{head}Content-Length: {len(whole)}\r\n\r\n".encode() + whole[: len(whole) // 2])
    assert post(server, multipart(file(ct(3)))).status == 200
    assert kept(archive, "1.2.9.1") == ["1.2.9.1.1.1", "1.2.9.1.1.3"]
    assert not list(archive.home.rglob("*.part"))


def test_two_senders_with_the_same_objects_at_once(server: WebServer, archive: Archive) -> None:
    body = multipart(*[file(ct(number)) for number in range(1, 41)])
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(post(server, body))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 4
    assert len(kept(archive, "1.2.9.1")) == 40


def test_a_page_of_another_site_cannot_store(server: WebServer, archive: Archive) -> None:
    assert post(server, multipart(file(ct(1))), "Origin: http://evil.example").status == 403
    assert kept(archive, "1.2.9.1") == []


def test_a_client_of_another_make_stores(server: WebServer, archive: Archive) -> None:
    client = DICOMwebClient(url=f"http://127.0.0.1:{server.address[1]}/dicomweb")
    dataset = ct(1)
    file(dataset)
    answer = client.store_instances([dataset], study_instance_uid="1.2.9.1")
    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == ["1.2.9.1.1.1"]
    assert kept(archive, "1.2.9.1") == ["1.2.9.1.1.1"]
