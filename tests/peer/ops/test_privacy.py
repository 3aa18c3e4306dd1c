"""No name, patient ID or accession number ever reaches a log line or a metric, through any door, in any failure."""

from __future__ import annotations

import http.client
import subprocess
import urllib.parse
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from tests.support.fileroom import FileroomServer

NAME, ID, ACCESSION = "Quillfeather", "PID-77123-MARK", "ACC-55881-MARK"
MARKS = (NAME.lower(), ID.lower(), ACCESSION.lower())


def marked(**changes: object) -> bytes:
    """A small CT file that bears the marks."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    made.PatientName, made.PatientID, made.AccessionNumber = f"{NAME}^Wren", ID, ACCESSION
    made.StudyDescription, made.Modality = f"{NAME} follow-up", "CT"
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    out = BytesIO()
    pydicom.dcmwrite(out, made, enforce_file_format=True)
    return out.getvalue()


class Doors:
    """Speaks to a server through every door; answers do not matter here."""

    def __init__(self, server: FileroomServer, dcmtk: Callable[[str], str], folder: Path) -> None:
        self._server = server
        self._dcmtk = dcmtk
        self._folder = folder
        self._count = 0

    def dimse(self, tool: str, *options: str, file: Path | None = None) -> None:
        command = [self._dcmtk(tool), "-aec", "FILEROOM", *options, "127.0.0.1", str(self._server.dicom)]
        command += [] if file is None else [str(file)]
        subprocess.run(command, capture_output=True, timeout=30, check=False, cwd=self._folder)

    def http(self, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.web, timeout=20)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        status = connection.getresponse().status
        connection.close()
        return status

    def file(self, data: bytes) -> Path:
        self._count += 1
        path = self._folder / f"{self._count}.dcm"
        path.write_bytes(data)
        return path


@pytest.fixture
def doors(fileroom_server: FileroomServer, dcmtk: Callable[[str], str], tmp_path: Path) -> Doors:
    return Doors(fileroom_server, dcmtk, tmp_path)


def test_no_mark_is_found_in_logs_and_metrics(fileroom_server: FileroomServer, doors: Doors, tmp_path: Path) -> None:
    good = marked()
    uids = pydicom.dcmread(BytesIO(good))
    same_uid = {key: uids[key].value for key in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")}
    sent = [
        good,
        good,  # a duplicate
        marked(**same_uid, PatientComments="other"),  # a conflict
        marked(StudyInstanceUID=uids.StudyInstanceUID, PatientID=f"{ID}-2"),  # held
        marked(PatientName=f"{NAME}\x1b$)C^\xff", SpecificCharacterSet="NONSENSE"),
        good[: len(good) - 30],  # cut short
        good.replace(uids.StudyInstanceUID.encode(), b"\x01" * len(uids.StudyInstanceUID)),  # a UID that is none
    ]
    for data in sent:
        doors.dimse("storescu", file=doors.file(data))
        doors.http("POST", "/dicomweb/studies", data, content_type="application/dicom")
        part = b"--b\r\ncontent-type: application/dicom\r\n\r\n" + data
        related = 'multipart/related; type="application/dicom"; boundary=b'
        doors.http("POST", "/dicomweb/studies", part + b"\r\n--b--\r\n", content_type=related)
        doors.http("POST", "/dicomweb/studies", part, content_type=related)
    (tmp_path / NAME).mkdir()
    for number, data in enumerate(sent):
        (tmp_path / NAME / f"{ID}-{number}.dcm").write_bytes(data)
    imported = fileroom_server.run("import", tmp_path / NAME, "--label", "disk")

    for key in (f"PatientName=*{NAME}*", f"PatientID={ID}", f"AccessionNumber={ACCESSION}", f"StudyDate={ID}"):
        doors.dimse("findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", key)
        doors.http("GET", "/dicomweb/studies?" + urllib.parse.quote(key, safe="=*"))
    doors.http("GET", f"/dicomweb/studies?PatientName={NAME}&limit={ID}")
    doors.http("GET", f"/dicomweb/studies/{uids.StudyInstanceUID}/metadata", accept="application/dicom+json")
    doors.http("GET", f"/dicomweb/studies/{uids.StudyInstanceUID}")
    doors.http("GET", f"/{NAME}/{ID}?AccessionNumber={ACCESSION}")
    doors.http("PUT", f"/dicomweb/studies?PatientID={ID}")
    doors.dimse("getscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uids.StudyInstanceUID}")
    doors.dimse("movescu", "-S", "-aem", "NOBODY", "-k", "QueryRetrieveLevel=STUDY", "-k", f"PatientID={ID}")
    fileroom_server.run("hide", uids.StudyInstanceUID, "--reason", "a test")
    fileroom_server.run("scrub")

    connection = http.client.HTTPConnection("127.0.0.1", fileroom_server.web, timeout=20)
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    assert 'outcome="conflict"' in metrics, "the failures did happen"
    assert 'outcome="held"' in metrics
    assert fileroom_server.stop() == 0
    log = fileroom_server.log.read_text()
    assert "refused" in log
    for mark in MARKS:
        assert mark not in metrics.lower()
        assert mark not in log.lower(), [line for line in log.splitlines() if mark in line.lower()]
        assert mark not in imported.stderr.lower()
