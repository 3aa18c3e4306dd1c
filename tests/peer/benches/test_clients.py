"""The benchmark's own clients speak to real servers, and notice when an answer is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from benches import crew, processes
from benches.clients import dimse, http
from benches.clients.failure import ClientFailed
from benches.rows.questions import identifier
from benches.rows.stow import body
from benches.sinks import nginx
from tests.support import corpus
from tests.support.corpus.ct import SOP_CLASS
from tests.support.orthanc import Orthanc

JSON = "application/dicom+json"


@pytest.fixture
def loaded(orthanc: Callable[..., Orthanc]) -> tuple[Orthanc, list[corpus.Instance]]:
    server = orthanc()
    study = list(corpus.ct_study(1, slices=4))
    association = dimse.Association(server.dicom, server.aet, [SOP_CLASS])
    for one in study:
        association.store(SOP_CLASS, one.sop_uid, one.parts)
    association.release()
    return server, study


def test_what_is_stored_arrives_bit_exact(loaded: tuple[Orthanc, list[corpus.Instance]]) -> None:
    server, study = loaded
    names = server.get("/instances?expand")
    assert {one["MainDicomTags"]["SOPInstanceUID"] for one in names} == {one.sop_uid for one in study}
    kept = next((server.home / "storage").rglob("*-*-*-*-*"))
    found = pydicom.dcmread(kept)
    original = next(one for one in study if one.sop_uid == found.SOPInstanceUID)
    assert kept.read_bytes().endswith(original.dataset)


def test_questions_find_and_get_brings_every_object(loaded: tuple[Orthanc, list[corpus.Instance]]) -> None:
    server, study = loaded
    finder = dimse.Association(server.dicom, server.aet, [dimse.STUDY_FIND])
    assert finder.find(identifier({"AccessionNumber": corpus.visit("ct", 1).accession})).received == 1
    assert finder.find(identifier({"AccessionNumber": "nobody"})).received == 0
    getter = dimse.Association(server.dicom, server.aet, [dimse.STUDY_GET, SOP_CLASS], receives=True)
    got = getter.get({0x00080052: ("CS", "STUDY"), 0x0020000D: ("UI", study[0].study_uid)})
    assert got.received == len(study)
    assert got.received_bytes >= sum(len(one.pixels) for one in study)


def test_the_web_client_posts_and_reads(orthanc: Callable[..., Orthanc]) -> None:
    server = orthanc()
    study = list(corpus.ct_study(2, slices=3))
    connection = http.Connection(server.http)
    kind = 'multipart/related; type="application/dicom"; boundary=fileroom-bench'
    assert connection.post("/dicom-web/studies", kind, JSON, body(study)).status == 200
    assert len(server.get("/instances")) == 3
    for _ in range(2):  # the connection is kept
        assert connection.get("/dicom-web/studies", JSON, keep=True).body_bytes > 100
    with pytest.raises(ClientFailed, match="HTTP 404"):
        connection.get("/dicom-web/studies/1.2.3/series/4.5.6/instances/7.8.9/metadata", JSON)


def test_a_refused_association_is_an_error(orthanc: Callable[..., Orthanc]) -> None:
    server = orthanc(UnknownSopClassAccepted=False)
    with pytest.raises(ClientFailed, match="refused"):
        dimse.Association(server.dicom, server.aet, ["1.2.3.4.5"])


def test_a_crew_works_together_and_one_failure_fails_it(tmp_path: Path) -> None:
    with nginx(tmp_path, {"page": b"x" * 1000}) as side:

        def hire(client: int, page: str = "/page") -> crew.Step:
            connection = http.Connection(side.web)
            return lambda _: connection.get(page, "*/*") and None

        shift = crew.work(3, 5, hire)
        assert len(shift.latencies) == 15
        assert shift.seconds > 0
        assert processes.resident_bytes(side.pid) > 100_000
        with pytest.raises(ClientFailed, match="HTTP 404"):
            crew.work(3, 5, lambda client: hire(client, "/nowhere" if client == 1 else "/page"))
