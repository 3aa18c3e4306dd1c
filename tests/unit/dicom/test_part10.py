"""The file format around a dataset: written so that others read it, read from whatever others wrote."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.part10 import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    FileMeta,
    prefix,
    read_file_start,
    read_meta,
)
from fileroom.dicom.syntax import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.dicom.uid import is_standard
from fileroom.errors import FileroomError, InvalidUid, MalformedObject
from tests.support import real_objects
from tests.support.raw_elements import IMPLICIT, SOP, SOP_CLASS, element, identity

FILE = prefix(SOP_CLASS, SOP, EXPLICIT_LE, "MODALITY") + identity()


def group_2(*elements: bytes) -> bytes:
    return bytes(128) + b"DICM" + b"".join(elements)


SYNTAX_ELEMENT = element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0")


@pytest.mark.parametrize("sop_uid", ["1.2", "1.23", "9" * 64, "1.02.odd"])
@pytest.mark.parametrize("title", ["", "A", "SIXTEEN CHARS AE", "LONGER THAN SIXTEEN", " STATION "])
def test_a_prefix_is_read_by_pydicom_as_meant(sop_uid: str, title: str) -> None:
    whole = prefix(SOP_CLASS, sop_uid, EXPLICIT_LE, title) + identity()
    dataset = pydicom.dcmread(BytesIO(whole))
    meta = dataset.file_meta
    assert (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID) == (SOP_CLASS, sop_uid)
    assert (meta.TransferSyntaxUID, meta.FileMetaInformationVersion) == (EXPLICIT_LE, b"\0\1")
    assert (meta.ImplementationClassUID, meta.ImplementationVersionName) == (
        IMPLEMENTATION_CLASS_UID,
        IMPLEMENTATION_VERSION_NAME,
    )
    assert meta.get("SourceApplicationEntityTitle", "") == title.strip()[:16].strip()
    assert meta.FileMetaInformationGroupLength == len(whole) - len(identity()) - 144
    assert dataset.StudyInstanceUID == "1.2.3"
    assert is_standard(IMPLEMENTATION_CLASS_UID)


@given(st.from_regex(r"[!-~]{1,64}", fullmatch=True), st.text(max_size=20))
def test_what_a_prefix_says_is_read_back(sop_uid: str, title: str) -> None:
    whole = prefix(SOP_CLASS, sop_uid, IMPLICIT_LE, title)
    meta = read_meta(whole + b"\x08\0\x05\0\0\0\0\0")
    assert (meta.sop_class_uid, meta.sop_uid, meta.transfer_syntax) == (SOP_CLASS, sop_uid, IMPLICIT_LE)
    assert meta.dataset_offset == len(whole)
    assert len(whole) % 2 == 0


@pytest.mark.parametrize("bad", ["", "1.2 3", "9" * 65, "é"])
def test_a_prefix_is_not_made_of_uids_that_cannot_be_kept(bad: str) -> None:
    for uids in ((bad, SOP, EXPLICIT_LE), (SOP_CLASS, bad, EXPLICIT_LE), (SOP_CLASS, SOP, bad)):
        with pytest.raises(InvalidUid):
            prefix(*uids, "")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_buffer_is_read(kind: type) -> None:
    assert read_meta(kind(FILE)) == FileMeta(EXPLICIT_LE, SOP_CLASS, SOP, "MODALITY", len(FILE) - len(identity()))


def test_absent_and_wrong_group_lengths_and_missing_uids_do_no_harm() -> None:
    for length in (b"", element(0x00020000, "UL", b"\xff\xff\xff\x7f"), element(0x00020000, "UL", bytes(4))):
        whole = group_2(length, SYNTAX_ELEMENT, identity())
        assert read_meta(whole) == FileMeta(EXPLICIT_LE, "", "", "", len(whole) - len(identity()))


def test_group_2_in_implicit_vr_is_read() -> None:
    whole = group_2(element(0x00020010, "UI", b"1.2.840.10008.1.2\0", to=IMPLICIT), identity(IMPLICIT))
    assert read_meta(whole).transfer_syntax == IMPLICIT_LE


def test_a_file_cut_inside_its_group_2_is_refused_at_every_byte() -> None:
    end = len(FILE) - len(identity())
    for size in range(end):
        try:
            meta = read_meta(FILE[:size])
        except MalformedObject:
            continue
        assert meta.transfer_syntax == EXPLICIT_LE  # cut between two elements behind the transfer syntax
        assert meta.dataset_offset == size


def test_group_2_is_bounded() -> None:
    many = element(0x00020100, "UI", b"1" * 1000) * 100
    with pytest.raises(MalformedObject, match="larger"):
        read_meta(group_2(SYNTAX_ELEMENT, many, identity()))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (FILE, read_meta(FILE)),
        (FILE[128:], FileMeta(EXPLICIT_LE, SOP_CLASS, SOP, "MODALITY", len(FILE) - len(identity()) - 128)),
        (FILE[132:], FileMeta(EXPLICIT_LE, SOP_CLASS, SOP, "MODALITY", len(FILE) - len(identity()) - 132)),
        (identity(), FileMeta(EXPLICIT_LE, "", "", "", 0)),
        (identity(IMPLICIT), FileMeta(IMPLICIT_LE, "", "", "", 0)),
        (identity(syntax(EXPLICIT_BE)), FileMeta(EXPLICIT_BE, "", "", "", 0)),
        (group_2(identity()), FileMeta(EXPLICIT_LE, "", "", "", 132)),
    ],
)
def test_an_importer_reads_files_with_and_without_their_start(content: bytes, expected: FileMeta) -> None:
    assert read_file_start(content) == expected


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n" + bytes(200), b"hello world\n" * 30, bytes(500)]
)
def test_what_is_not_dicom_is_nothing_to_an_importer(content: bytes) -> None:
    assert read_file_start(content) is None
    with pytest.raises(MalformedObject):
        read_meta(content)


@pytest.mark.filterwarnings("ignore")
def test_real_files_are_read_as_pydicom_reads_them() -> None:
    for path in real_objects.all_files():
        with path.open("rb") as file:
            content = file.read(4096)
        theirs = pydicom.filereader.read_file_meta_info(path)
        if "TransferSyntaxUID" not in theirs:
            continue
        ours = read_meta(content)
        assert ours.transfer_syntax == theirs.TransferSyntaxUID, path.name
        assert ours.sop_uid == theirs.get("MediaStorageSOPInstanceUID", ""), path.name
        assert ours.sop_class_uid == theirs.get("MediaStorageSOPClassUID", ""), path.name
        assert ours.source_ae == theirs.get("SourceApplicationEntityTitle", "").strip(), path.name


@given(st.binary(max_size=60), st.integers(0, len(FILE)), st.booleans())
def test_damage_raises_nothing_but_our_errors(noise: bytes, at: int, replace: bool) -> None:
    content = FILE[:at] + noise + FILE[at + (len(noise) if replace else 0) :]
    for read in (read_meta, read_file_start):
        try:
            meta = read(content)
        except FileroomError:
            continue
        assert meta is None or 0 <= meta.dataset_offset <= len(content)


def test_an_explicit_dataset_is_told_from_an_implicit_one_by_its_first_element() -> None:
    assert read_file_start(element(0x00080005, "CS", b"ISO_IR 100")) == FileMeta(EXPLICIT_LE, "", "", "", 0)
    assert read_file_start(element(0x00080005, "CS", b"ISO_IR 100", to=IMPLICIT)) == FileMeta(
        IMPLICIT_LE, "", "", "", 0
    )
    assert read_file_start(element(0x00080005, "CS", b"", to=IMPLICIT, length=5000)) is None
