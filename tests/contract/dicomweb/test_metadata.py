"""WADO-RS metadata: JSON of real objects, kept documents, validators, compression."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from fileroom.archive.documents import Documents
from fileroom.dicomweb.links import bulk_url
from fileroom.dicomweb.metadata import Metadata
from fileroom.web.router import Router
from tests.contract.dicomweb.conftest import REAL, Door, address
from tests.support.archives import ct, running_archive
from tests.support.asking import ask

BASE = "http://127.0.0.1:8080/dicomweb"


@pytest.mark.parametrize("name", REAL)
def test_an_instance_reads_back_as_the_dataset_that_was_stored(
    door: Door, real: Callable[[str], pydicom.Dataset], name: str
) -> None:
    dataset = real(name)
    answer = door.get(address(dataset) + "/metadata")
    assert answer.status == 200
    assert answer.header("content-type") == "application/dicom+json"
    (item,) = answer.json()
    read = pydicom.Dataset.from_json(item, lambda tag, vr, uri: b"")
    for keyword in ("SOPInstanceUID", "PatientID", "Modality", "Rows", "PatientName"):
        assert read.get(keyword) == dataset.get(keyword)
    assert {element.tag for element in read} == {e.tag for e in dataset if e.tag.element != 0}
    if "PixelData" in dataset:
        assert item["7FE00010"]["BulkDataURI"] == f"{BASE}{address(dataset)}/bulkdata/7FE00010"


def test_a_series_has_every_instance_in_its_order(door: Door) -> None:
    answer = door.get("/studies/1.2.9.1/series/1.2.9.1.1/metadata")
    assert [item["00200013"]["Value"] for item in answer.json()] == [[1], [2], [3]]


def test_who_asks_ahead_may_use_the_answer_for_some_seconds(door: Door) -> None:
    url = "/studies/1.2.9.1/series/1.2.9.1.1/metadata"
    assert door.get(url).header("cache-control") == "private, no-cache"
    ahead = door.get(url, fileroom_ahead="1")
    assert ahead.header("cache-control") == "private, max-age=10"
    same = door.get(url, fileroom_ahead="1", if_none_match=ahead.header("etag"))
    assert (same.status, same.header("cache-control")) == (304, "private, max-age=10")


def test_a_study_is_its_series_put_together(door: Door) -> None:
    answer = door.get("/studies/1.2.9.1/metadata")
    series = [door.get(f"/studies/1.2.9.1/series/1.2.9.1.{n}/metadata").json() for n in (1, 2)]
    assert answer.json() == series[0] + series[1]
    packed = door.get("/studies/1.2.9.1/metadata", accept_encoding="gzip")
    assert packed.header("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == answer.body


def test_what_is_kept_leaves_as_a_file_range(door: Door) -> None:
    url = "/studies/1.2.9.1/series/1.2.9.1.1/metadata"
    for encoding in ("identity", "gzip"):
        first, again = (door.get(url, accept_encoding=encoding) for _ in range(2))
        assert again.body == first.body
        assert again.sent_from_files == len(again.body)
    assert door.get("/studies/1.2.9.1/metadata").sent_from_files > 0


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        ("gzip, deflate, br", True),
        ("*", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
        ("", False),
    ],
)
def test_it_is_compressed_when_that_is_accepted(door: Door, header: str, packed: bool) -> None:
    answer = door.get("/studies/1.2.9.1/series/1.2.9.1.1/metadata", accept_encoding=header)
    assert (answer.header("content-encoding") == "gzip") == packed
    assert answer.header("vary") == "accept, accept-encoding"
    assert len(json.loads(gzip.decompress(answer.body) if packed else answer.body)) == 3


@pytest.mark.parametrize("url", ["/studies/1.2.9.1", "/studies/1.2.9.1/series/1.2.9.1.1"])
def test_an_asker_that_has_it_is_told_so(door: Door, url: str) -> None:
    for encoding in ("", "gzip"):
        first = door.get(url + "/metadata", accept_encoding=encoding)
        again = door.get(url + "/metadata", accept_encoding=encoding, if_none_match=first.header("etag"))
        assert (again.status, again.body) == (304, b"")
        other = door.get(
            url + "/metadata", accept_encoding="" if encoding else "gzip", if_none_match=first.header("etag")
        )
        assert other.status == 200
    elsewhere = door.get(
        url + "/metadata", accept_encoding="gzip", if_none_match=first.header("etag"), host="localhost"
    )
    assert elsewhere.status == 200
    one = door.get("/studies/1.2.9.1/series/1.2.9.1.1/instances/1.2.9.1.1.1/metadata")
    again = door.get(
        "/studies/1.2.9.1/series/1.2.9.1.1/instances/1.2.9.1.1.1/metadata", if_none_match=f'"x", W/{one.header("etag")}'
    )
    assert again.status == 304


def test_bulk_data_is_where_the_asker_came_in(door: Door) -> None:
    item = door.get("/studies/1.2.9.1/metadata", host="localhost:1234").json()[0]
    assert item["7FE00010"]["BulkDataURI"].startswith("http://localhost:1234/dicomweb/studies/1.2.9.1/")


def test_what_is_not_here_is_not_found(door: Door) -> None:
    for url in ("/studies/9", "/studies/1.2.9.1/series/9", "/studies/9/series/1.2.9.1.1"):
        assert door.get(url + "/metadata").status == 404
    assert door.get("/studies/1.2.9.1/series/1.2.9.1.2/instances/1.2.9.1.1.1/metadata").status == 404


def test_a_new_instance_makes_a_new_document_and_a_lost_cache_is_made_again(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        archive.store(ct(1))
        router = Router()
        Metadata(
            Documents(archive.database, archive.retriever, tmp_path / "cache", bulk_url), archive.retriever
        ).add_routes(router)
        url = "/dicomweb/studies/1.2.9.1/series/1.2.9.1.1/metadata"
        first = ask(router, url)
        archive.store(ct(2))
        second = ask(router, url, if_none_match=first.header("etag"))
        assert (second.status, len(second.json())) == (200, 2)
        for file in (tmp_path / "cache").iterdir():
            file.unlink()
        assert ask(router, url).body == second.body


def test_the_cache_stays_within_its_bound(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        for series in range(1, 9):
            archive.store(ct(1, series=series))
        size = len(
            Documents(archive.database, archive.retriever, tmp_path / "one", bulk_url)
            .series("1.2.9.1", "1.2.9.1.1", BASE)
            .body.read()
        )  # type: ignore[union-attr]
        documents = Documents(archive.database, archive.retriever, tmp_path / "few", bulk_url, 3 * size + 10)
        for series in range(1, 9):
            document = documents.series("1.2.9.1", f"1.2.9.1.{series}", BASE)
            assert document is not None
            assert json.loads(document.body.read())  # type: ignore[union-attr]
        assert len(list((tmp_path / "few").iterdir())) == 3
        again = Documents(archive.database, archive.retriever, tmp_path / "few", bulk_url, 3 * size + 10)
        assert again.series("1.2.9.1", "1.2.9.1.1", BASE) is not None
        assert len(list((tmp_path / "few").iterdir())) == 3


def test_requests_at_the_same_time_make_a_document_once(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        for number in range(1, 30):
            archive.store(ct(number))
        made: list[str] = []

        def counted(base: str, stored: object) -> str:
            made.append(base)
            return base

        documents = Documents(archive.database, archive.retriever, tmp_path / "cache", counted)
        gate = threading.Barrier(6)
        bodies: list[bytes] = []

        def read() -> None:
            gate.wait()
            document = documents.series("1.2.9.1", "1.2.9.1.1", BASE)
            assert document is not None
            bodies.append(document.body.read())  # type: ignore[union-attr]

        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(bodies)) == 1
        assert len(bodies) == 6
        assert len(made) == 29


def test_a_cache_that_cannot_be_written_still_answers(tmp_path: Path) -> None:
    with running_archive(tmp_path, f"sqlite:///{tmp_path / 'index.sqlite'}") as archive:
        archive.store(ct(1))
        documents = Documents(archive.database, archive.retriever, tmp_path / "cache", bulk_url)
        (tmp_path / "cache").rmdir()
        for packed in (False, True):
            document = documents.series("1.2.9.1", "1.2.9.1.1", BASE, gzip=packed)
            assert document is not None
            assert isinstance(document.body, bytes)
