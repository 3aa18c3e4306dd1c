"""Hostile objects through both doors of a real server: a clear error, bounded memory, everyone else still served."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import hostile
from tests.support.corpus import Instance, ct_slice, visit
from tests.support.fileroom import FileroomServer
from tests.support.memory import MB, Watch, high_water
from tests.support.senders import BOUNDARY, Said, c_store, dataset_digest, fetch, get, post, stow

REFUSALS = {0xA900, 0xC000, 0xC001, 0xC120, 0xA703}
SERVER_BYTES_MAX = 500 * MB  # receive memory of 192 MB and the program
ALL_BYTES_MAX = 1000 * MB
QUICK_SECONDS = 10.0  # for an honest question on a loaded machine; a quiet one answers in milliseconds

Door = Callable[[FileroomServer, Sequence[Instance]], "list[Said]"]


def by_c_store(server: FileroomServer, objects: Sequence[Instance]) -> list[Said]:
    return list(c_store(server, objects))


DOORS = pytest.mark.parametrize("door", [by_c_store, stow], ids=["c-store", "stow"])


class Bystander:
    """An honest sender and reader beside the hostile ones; every one of its questions must be answered, soon."""

    def __init__(self, server: FileroomServer) -> None:
        self._server = server
        self.answered = 0
        self.wrong: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            one = ct_slice(visit("ct", 4000 + number), 4000 + number, 1)
            began = time.monotonic()
            try:
                self._one(one, stow if number % 2 else by_c_store)
            except Exception as error:  # noqa: BLE001 - told by the test that joins
                self.wrong.append(f"{type(error).__name__}: {error}")
            if time.monotonic() - began > QUICK_SECONDS:
                self.wrong.append(f"an honest round took {time.monotonic() - began:.1f} s")
            self.answered += 1

    def _one(self, one: Instance, door: Door) -> None:
        assert [said.status for said in door(self._server, [one])] == [0]
        file = fetch(self._server, one)
        assert file is not None
        assert dataset_digest(file) == one.digest
        assert get(self._server, f"/dicomweb/studies?StudyInstanceUID={one.study_uid}", "application/json")[0] == 200

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileroomServer]:
    """One server for all of them: what any did to it, the next would feel."""
    limits = {"FILEROOM_DECODE_MEMORY_BYTES": "256MiB", "FILEROOM_DECODE_SECONDS_MAX": "20"}
    running = FileroomServer(tmp_path_factory.mktemp("hostile") / "home", limits)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _everyone_else_is_served(server: FileroomServer) -> Iterator[None]:
    pid = server.pid
    with Watch(pid) as memory, Bystander(server) as bystander:
        yield
    assert server.running.alive()
    assert server.pid == pid
    assert bystander.wrong == []
    assert bystander.answered > 0
    assert high_water(pid) < SERVER_BYTES_MAX
    assert memory.peak < ALL_BYTES_MAX
    assert server.ready()


@DOORS
@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in hostile.must_be_refused()])
def test_what_cannot_be_read_is_refused_and_nothing_of_it_is_kept(
    server: FileroomServer, door: Door, one: Instance
) -> None:
    (said,) = door(server, [one])
    assert said.status in REFUSALS
    assert fetch(server, one) is None


@DOORS
def test_an_object_cut_anywhere_is_refused_or_kept_as_it_is(server: FileroomServer, door: Door) -> None:
    refused = 0
    for one in hostile.cuts(40):
        (said,) = door(server, [one])
        assert said.status in REFUSALS | {0, 0x0111}  # one cut between two elements is a whole, shorter dataset
        refused += said.status in REFUSALS
    assert refused > 30


@DOORS
@pytest.mark.parametrize("one", [pytest.param(one, id=name) for name, one in hostile.may_be_kept()])
def test_pixels_that_lie_are_kept_or_refused_and_asking_for_them_costs_one_error(
    server: FileroomServer, door: Door, one: Instance
) -> None:
    (said,) = door(server, [one])
    assert said.status in REFUSALS | {0}
    if said.status:
        assert fetch(server, one) is None
        return
    file = fetch(server, one)
    assert file is not None
    assert dataset_digest(file) == one.digest
    path = f"/dicomweb/studies/{one.study_uid}/series/{one.series_uid}/instances/{one.sop_uid}"
    asked = {
        f"{path}/frames/1": 'multipart/related; type="application/octet-stream"',
        f"{path}/frames/999999": 'multipart/related; type="application/octet-stream"',
        f"{path}/rendered": "image/png",
        f"{path}/thumbnail": "image/jpeg",
        f"{path}/metadata": "application/dicom+json",
        path: "application/dicom",
    }
    for target, accept in asked.items():
        status, body = get(server, target, accept)
        assert b"internal error" not in body, (target, status)  # a defect's answer; a bad image's says what is wrong
        assert status < 400 or b'"error"' in body, (target, status, body[:200])


@DOORS
@pytest.mark.parametrize("sop_uid", ["../../../etc/passwd", "/tmp/x", "..", "%2e%2e%2f", "1.2.3\\..\\4"])
def test_a_uid_is_never_a_file_name(server: FileroomServer, door: Door, sop_uid: str, tmp_path: Path) -> None:
    one = hostile.hostile(f"{sop_uid} {door.__name__}", b"", sop_uid=f"{sop_uid}{len(door.__name__)}")
    before = set(server.home.parent.rglob("*"))
    (said,) = door(server, [one])
    assert said.status in REFUSALS | {0, 0xB007}
    made = set(server.home.parent.rglob("*")) - before
    assert not any("passwd" in path.name or "%2e" in path.name for path in made)
    if said.status == 0:
        path = f"/dicomweb/studies/{one.study_uid}/series/{one.series_uid}/instances/{quote(one.sop_uid, safe='')}"
        status, file = get(server, path, "application/dicom; transfer-syntax=*")
        assert status in (200, 400, 404)
        assert status != 200 or dataset_digest(file) == one.digest


@DOORS
def test_markup_in_a_name_is_data_wherever_it_is_shown(server: FileroomServer, door: Door) -> None:
    name = b"<script>alert(1)</script>"
    one = hostile.hostile(f"markup {door.__name__}", b"", patient=name)
    assert door(server, [one])[0].status == 0
    for path in ("/", f"/dicomweb/studies?StudyInstanceUID={one.study_uid}", "/dicomweb/studies/<script>x</script>"):
        connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=30)
        connection.request("GET", path.replace("<", "%3C").replace(">", "%3E"), headers={"Accept": "*/*"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.getheader("x-content-type-options") == "nosniff"
        if "html" in (answer.getheader("content-type") or ""):
            assert b"<script>alert" not in body
            assert b"<script>x" not in body
        connection.close()


@pytest.mark.parametrize(
    "kind",
    [
        'multipart/related; type="application/dicom"; boundary=another',
        'multipart/related; type="application/dicom"; boundary=""',
        'multipart/related; type="application/dicom"',
        f'multipart/related; type="application/dicom"; boundary={"x" * 5000}',
        "multipart/form-data; boundary=a",
        "application/json",
        "",
    ],
)
def test_a_body_that_is_not_what_its_header_says_is_refused(server: FileroomServer, kind: str) -> None:
    one = ct_slice(visit("ct", 901), 901, 1)
    body = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + one.part10 + b"\r\n"
    try:
        status, _ = post(server, [body, f"--{BOUNDARY}--\r\n".encode()], kind)
    except ConnectionError:  # refused by its header, while the body was still on its way
        status = 400
    assert 400 <= status < 500
    assert fetch(server, one) is None


def test_a_body_without_an_end_keeps_what_was_whole_and_says_what_was_not(server: FileroomServer) -> None:
    one, cut = (ct_slice(visit("ct", 902), 902, number) for number in (1, 2))
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = [head, one.part10, b"\r\n", head, cut.part10[:-1000]]
    status, answer = post(server, body, f'multipart/related; type="application/dicom"; boundary={BOUNDARY}')
    assert status == 202
    assert [item["00081155"]["Value"] for item in answer["00081199"]["Value"]] == [[one.sop_uid]]
    assert fetch(server, one) is not None
    assert fetch(server, cut) is None
