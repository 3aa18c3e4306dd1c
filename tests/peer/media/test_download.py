"""A study taken away as a ZIP: other software reads it, every byte is the one that came, nothing is silently short."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from tests.support import corpus
from tests.support.corpus.instance import Instance
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, dataset_digest


def _stored(server: FileroomServer, objects: list[Instance]) -> list[Instance]:
    assert all(said.acknowledged for said in c_store(server, objects))
    return objects


def _download(server: FileroomServer, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.web, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer, answer.read()


def _digests(archive: zipfile.ZipFile) -> list[str]:
    return sorted(dataset_digest(archive.read(name)) for name in archive.namelist() if name.startswith("DICOM/"))


def test_a_study_is_read_by_dcmtk_and_pydicom_and_comes_back_the_same(
    fileroom_server: FileroomServer,
    start_fileroom: Callable[..., FileroomServer],
    dcmtk: Callable[[str], str],
    tmp_path: Path,
) -> None:
    objects = _stored(fileroom_server, list(corpus.ct_study(3, slices=12)))
    answer, body = _download(fileroom_server, f"/studies/{objects[0].study_uid}/download")
    assert answer.status == 200
    assert answer.getheader("content-length") == str(len(body))
    assert "attachment" in (answer.getheader("content-disposition") or "")
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    assert _digests(archive) == sorted(one.digest for one in objects)
    archive.extractall(tmp_path / "disc")
    dumped = subprocess.run(
        [dcmtk("dcmdump"), str(tmp_path / "disc" / "DICOMDIR")], capture_output=True, text=True, timeout=60, check=True
    )
    assert "OffsetOfTheFirstDirectoryRecord" in dumped.stdout
    fileset = FileSet(dcmread(tmp_path / "disc" / "DICOMDIR"))
    assert sorted(one.SOPInstanceUID for one in fileset) == sorted(one.sop_uid for one in objects)
    file = tmp_path / "study.zip"
    file.write_bytes(body)
    other = start_fileroom(tmp_path / "other")
    assert other.run("import", file).returncode == 0
    _, again = _download(other, f"/studies/{objects[0].study_uid}/download")
    assert _digests(zipfile.ZipFile(io.BytesIO(again))) == sorted(one.digest for one in objects)


def test_what_is_damaged_is_left_out_and_said(fileroom_server: FileroomServer) -> None:
    objects = _stored(fileroom_server, list(corpus.ct_study(4, slices=3)))
    (pack,) = (fileroom_server.home / "packs").glob("*.tar")
    whole = pack.read_bytes()
    place = whole.find(objects[1].dataset[-2000:])
    with pack.open("r+b") as file:
        file.seek(place + 500)
        file.write(bytes(255 - byte for byte in whole[place + 500 : place + 510]))
    answer, body = _download(fileroom_server, f"/studies/{objects[0].study_uid}/download")
    assert answer.getheader("content-length") == str(len(body))
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    assert _digests(archive) == sorted([objects[0].digest, objects[2].digest])
    assert objects[1].sop_uid in archive.read("MISSING.TXT").decode()


@pytest.mark.parametrize("path", ["/studies/1.2.3/download", "/studies/1.2.3/series/4/download", "/studies/download"])
def test_what_is_not_here_is_not_found(fileroom_server: FileroomServer, path: str) -> None:
    answer, _ = _download(fileroom_server, path)
    assert answer.status in (400, 404)


def test_a_hidden_study_is_not_given_away_and_export_overwrites_nothing(
    fileroom_server: FileroomServer, tmp_path: Path
) -> None:
    (one,) = _stored(fileroom_server, list(corpus.small_studies(1)))
    target = tmp_path / "one.zip"
    assert fileroom_server.run("export", one.study_uid, target).returncode == 0
    assert _digests(zipfile.ZipFile(target)) == [one.digest]
    before = hashlib.sha256(target.read_bytes()).hexdigest()
    assert fileroom_server.run("export", one.study_uid, target).returncode != 0
    assert hashlib.sha256(target.read_bytes()).hexdigest() == before
    assert sorted(os.listdir(tmp_path)) == sorted({"one.zip", *os.listdir(tmp_path)} - {"one.zip.part"})
    assert fileroom_server.run("hide", one.study_uid, "--reason", "test").returncode == 0
    assert _download(fileroom_server, f"/studies/{one.study_uid}/download")[0].status == 404
