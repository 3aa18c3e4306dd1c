"""Downloads in bounded memory and time, and the end of their work when nobody listens any more."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import corpus
from tests.support.archives import ct, encoded
from tests.support.corpus.instance import Instance
from tests.support.fileroom import FileroomServer
from tests.support.memory import MB, high_water
from tests.support.senders import c_store

FRAMES = 172  # 450 MB
GROWTH_BYTES_MAX = 40 * MB
OBJECTS = 5000
FIRST_BYTE_SECONDS_MAX = 1.0


@pytest.fixture
def volume(start_fileroom: Callable[..., FileroomServer], tmp_path: Path) -> tuple[FileroomServer, Instance]:
    """A server that holds one object of 450 MB, and has just started."""
    server = start_fileroom()
    one = corpus.tomosynthesis(7, frames=FRAMES)
    one.write(tmp_path / "volume.dcm")
    server.stop()
    done = server.run("import", tmp_path / "volume.dcm")
    assert done.returncode == 0, done.stderr
    (tmp_path / "volume.dcm").unlink()
    server.start()
    return server, one


def asked(server: FileroomServer, study_uid: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=60)
    connection.request("GET", f"/studies/{study_uid}/download")
    return connection.getresponse()


def test_an_object_of_450_mb_goes_out_without_being_held(volume: tuple[FileroomServer, Instance]) -> None:
    server, one = volume
    warmed = asked(server, "1.2.3")
    assert (warmed.status, warmed.read() != b"") == (404, True)
    before, begin = high_water(server.pid), time.monotonic()
    answer = asked(server, one.study_uid)
    total = int(answer.headers["content-length"])
    size = 0
    while piece := answer.read(1 << 20):
        size += len(piece)
    seconds = time.monotonic() - begin
    assert size == total > 450_000_000
    grown = high_water(server.pid) - before
    print(f"{size / seconds / 1e6:.0f} MB a second, memory grew by {grown >> 20} MB")
    assert grown < GROWTH_BYTES_MAX


def test_a_client_that_goes_away_ends_the_work(volume: tuple[FileroomServer, Instance]) -> None:
    server, one = volume
    answer = asked(server, one.study_uid)
    assert answer.status == 200
    assert answer.fp is not None
    answer.read(1 << 20)
    answer.close()
    deadline = time.monotonic() + 10
    while (reading := connections(server)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert reading == 0


def connections(server: FileroomServer) -> int:
    """Connections the server's web door has in hand, as the kernel counts them."""
    port = f":{server.web:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    established = "01"
    return sum(1 for line in lines if line.split()[1].endswith(port) and line.split()[3] == established)


def test_a_study_of_5000_objects_starts_within_a_second(fileroom_server: FileroomServer) -> None:
    server = fileroom_server
    objects = many(OBJECTS)
    assert all(said.acknowledged for said in c_store(server, objects))
    begin = time.monotonic()
    answer = asked(server, objects[0].study_uid)
    answer.read(1)
    first = time.monotonic() - begin
    body = b"P" + answer.read()
    print(f"first byte after {first:.2f} s, all {len(body) / 1e6:.1f} MB after {time.monotonic() - begin:.2f} s")
    assert len(body) == int(answer.headers["content-length"])
    assert first < FIRST_BYTE_SECONDS_MAX


def many(count: int) -> list[Instance]:
    """One study of so many small slices."""
    made = []
    for number in range(1, count + 1):
        one = ct(number)
        uids = (one.SOPClassUID, one.SOPInstanceUID, one.StudyInstanceUID, one.SeriesInstanceUID)
        made.append(Instance(*map(str, uids), encoded(one)))
    return made
