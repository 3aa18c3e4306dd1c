"""What is taken away, read by the programs that will be given it: dcmtk, dicom3tools, pydicom, Orthanc."""

from __future__ import annotations

import io
import json
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet

from fileroom.archive.contents import contents
from fileroom.media.export import export
from fileroom.media.plan import plan
from tests.support import corpus
from tests.support.archives import Archive, ct, encoded, running_archive
from tests.support.corpus.instance import Instance
from tests.support.fileroom import FileroomServer
from tests.support.orthanc import Orthanc
from tests.support.real_objects import named
from tests.support.senders import dataset_digest

REAL = (
    "reportsi.dcm",
    "test-SR.dcm",
    "rtplan.dcm",
    "rtdose.dcm",
    "waveform_ecg.dcm",
    "MR_small_bigendian.dcm",
    "image_dfl.dcm",
)
OWN_FAULT = "Illegal root for UID"  # one of them has such a UID itself


@pytest.fixture
def mixed() -> list[Instance]:
    """Images, reports, key object notes and presentation states of several people."""
    return [*corpus.ct_study(3, slices=5), *corpus.mammogram_exam(7), *corpus.small_studies(6)]


def exported(server: FileroomServer, folder: Path, *study_uids: str) -> Path:
    """The studies, exported and unpacked: the folder with the DICOMDIR."""
    done = server.run("export", *study_uids, folder / "studies.zip", "--json")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / "studies.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "disc")
    return folder / "disc"


def imported(server: FileroomServer, folder: Path, objects: list[Instance]) -> list[str]:
    """Import the objects; the UIDs of their studies."""
    folder.mkdir()
    for number, one in enumerate(objects):
        one.write(folder / f"{number}.dcm")
    done = server.run("import", folder, "--json")
    assert json.loads(done.stdout)["counts"] == {"stored": len(objects)}
    return list(dict.fromkeys(one.study_uid for one in objects))


def test_the_standard_s_checker_finds_no_error_in_the_directory(
    fileroom_server: FileroomServer, mixed: list[Instance], dciodvfy: str, tmp_path: Path
) -> None:
    disc = exported(fileroom_server, tmp_path, *imported(fileroom_server, tmp_path / "in", mixed))
    said = subprocess.run([dciodvfy, disc / "DICOMDIR"], capture_output=True, text=True, timeout=60, check=False)
    assert "BasicDirectory" in said.stderr
    assert [line for line in said.stderr.splitlines() if line.startswith("Error")] == []


def test_dcmtk_goes_on_with_the_directory(
    fileroom_server: FileroomServer, mixed: list[Instance], dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    """`dcmmkdir --append` reads every record and every file it refers to before it adds one."""
    disc = exported(fileroom_server, tmp_path, *imported(fileroom_server, tmp_path / "in", mixed))
    corpus.small_study(90).write(disc / "EXTRA")
    command = [dcmtk("dcmmkdir"), "--append", "EXTRA"]
    said = subprocess.run(command, cwd=disc, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, "E:" in said.stderr) == (0, False), said.stderr
    assert len(FileSet(disc / "DICOMDIR")) == len(mixed) + 1


def test_every_kind_of_object_has_a_record_of_its_kind(
    fileroom_server: FileroomServer, mixed: list[Instance], tmp_path: Path
) -> None:
    disc = exported(fileroom_server, tmp_path, *imported(fileroom_server, tmp_path / "in", mixed))
    kinds = [record.DirectoryRecordType for record in pydicom.dcmread(disc / "DICOMDIR").DirectoryRecordSequence]
    leaves = {kind: kinds.count(kind) for kind in set(kinds) - {"PATIENT", "STUDY", "SERIES"}}
    assert leaves == {"IMAGE": 9, "SR DOCUMENT": 2, "KEY OBJECT DOC": 2, "PRESENTATION": 2}
    found = {one.SOPInstanceUID: one for one in FileSet(disc / "DICOMDIR")}
    for one in mixed:
        path = Path(found[one.sop_uid].path)
        assert dataset_digest(path.read_bytes()) == one.digest
        assert all(len(part) == 8 or part == "DICOM" for part in path.relative_to(disc).parts)


def test_an_orthanc_takes_it_and_has_the_same_bytes(
    fileroom_server: FileroomServer, mixed: list[Instance], orthanc: Callable[..., Orthanc], tmp_path: Path
) -> None:
    disc = exported(fileroom_server, tmp_path, *imported(fileroom_server, tmp_path / "in", mixed))
    peer = orthanc()
    peer.post("/instances", (disc.parent / "studies.zip").read_bytes())
    digests = [dataset_digest(file_of(peer, each)) for each in peer.get("/instances")]
    assert sorted(digests) == sorted(one.digest for one in mixed)


def file_of(peer: Orthanc, instance: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{peer.http}/instances/{instance}/file", timeout=30) as answer:
        return bytes(answer.read())


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with running_archive(tmp_path / "archive", f"sqlite:///{tmp_path / 'index.sqlite'}") as running:
        yield running


def unpacked(archive: Archive, folder: Path, *study_uids: str) -> Path:
    made = plan(contents(archive.database, study_uids), archive.retriever)
    assert export(made, archive.retriever, folder / "out.zip") == []
    with zipfile.ZipFile(folder / "out.zip") as file:
        file.extractall(folder / "disc")
    return folder / "disc"


def test_real_reports_plans_and_odd_syntaxes_are_read_by_the_checker(
    archive: Archive, dciodvfy: str, tmp_path: Path
) -> None:
    raw = [named(name).read_bytes() for name in REAL]
    studies = {archive.store_file(one).study_uid for one in raw}
    disc = unpacked(archive, tmp_path, *studies)
    said = subprocess.run([dciodvfy, disc / "DICOMDIR"], capture_output=True, text=True, timeout=60, check=False)
    found = [line for line in said.stderr.splitlines() if line.startswith("Error") and OWN_FAULT not in line]
    assert found == []
    kinds = {record.DirectoryRecordType for record in pydicom.dcmread(disc / "DICOMDIR").DirectoryRecordSequence}
    assert {"SR DOCUMENT", "RT PLAN", "RT DOSE", "WAVEFORM", "IMAGE"} <= kinds
    assert sorted(dataset_digest(path.read_bytes()) for path in (disc / "DICOM").rglob("I*")) == sorted(
        dataset_digest(one) for one in raw
    )


def test_what_a_directory_must_have_is_there_when_the_object_has_it_not(archive: Archive, tmp_path: Path) -> None:
    """No ID, date, number, modality: stand-ins in the directory, the objects untouched; two such people stay two."""
    digests = []
    for study in (1, 2):
        dataset = ct(study=study)
        for keyword in ("PatientID", "StudyDate", "Modality", "SeriesNumber", "InstanceNumber"):
            delattr(dataset, keyword)
        archive.store(dataset)
        digests.append(encoded(dataset))
    disc = unpacked(archive, tmp_path, "1.2.9.1", "1.2.9.2")
    records = list(pydicom.dcmread(disc / "DICOMDIR").DirectoryRecordSequence)
    of = {kind: [one for one in records if one.DirectoryRecordType == kind] for kind in ("PATIENT", "STUDY", "SERIES")}
    assert [one.PatientID for one in of["PATIENT"]] == ["NO-ID-1", "NO-ID-2"]
    assert [(one.StudyDate, one.StudyTime, one.StudyID) for one in of["STUDY"]] == [("19000101", "000000", "1")] * 2
    assert [(one.Modality, one.SeriesNumber) for one in of["SERIES"]] == [("OT", 1)] * 2
    written = [pydicom.dcmread(path) for path in sorted((disc / "DICOM").rglob("I*"))]
    assert [encoded(one) for one in written] == digests


@pytest.mark.parametrize(
    ("charset", "name"),
    [("ISO_IR 100", "Müller^Jürgen"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"), ("ISO_IR 192", "שלום^ד")],
)
def test_a_name_stays_in_the_character_set_it_was_sent_in(
    archive: Archive, tmp_path: Path, charset: str | list[str], name: str
) -> None:
    dataset = ct()
    dataset.SpecificCharacterSet, dataset.PatientName = charset, name
    buffer = io.BytesIO()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.save_as(buffer, enforce_file_format=True)
    archive.store_file(buffer.getvalue())
    disc = unpacked(archive, tmp_path, "1.2.9.1")
    patient = pydicom.dcmread(disc / "DICOMDIR").DirectoryRecordSequence[0]
    assert str(patient.PatientName) == name
    assert patient.SpecificCharacterSet == charset
