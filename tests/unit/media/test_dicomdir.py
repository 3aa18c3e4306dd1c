"""Directory records: their order, offsets and character sets, as pydicom reads them."""

from __future__ import annotations

import io

import pydicom
import pytest

from fileroom.media.dicomdir import DIRECTORY_CLASS, Record, Reference, directory, padded, record, texts
from fileroom.media.records import Row, remaining


def named(level: int, name: str, file: Reference | None = None) -> Record:
    return record(level, ("PATIENT", "STUDY", "SERIES", "IMAGE")[level], texts([(0x00081030, "LO", name)]), file)


TREE = [(0, "A"), (1, "Aa"), (2, "Aa1"), (3, "x"), (3, "y"), (2, "Aa2"), (3, "z"), (1, "Ab"), (0, "B"), (1, "Ba")]


def read(file: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(file))


def below(found: pydicom.Dataset, offset: int) -> list[tuple[str, list[object]]]:
    """The records from one offset on, each with those below it."""
    by_offset = {item.seq_item_tell: item for item in found.DirectoryRecordSequence}
    out = []
    while offset:
        item = by_offset[offset]
        out.append((item.StudyDescription, below(found, item.OffsetOfReferencedLowerLevelDirectoryEntity)))
        offset = item.OffsetOfTheNextDirectoryRecord
    return out


def test_offsets_lead_from_record_to_record() -> None:
    found = read(directory((named(level, name) for level, name in TREE), "2.25.1"))
    assert found.file_meta.MediaStorageSOPClassUID == DIRECTORY_CLASS
    assert below(found, found.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity) == [
        ("A", [("Aa", [("Aa1", [("x", []), ("y", [])]), ("Aa2", [("z", [])])]), ("Ab", [])]),
        ("B", [("Ba", [])]),
    ]
    last = found.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity
    assert [name for name, _ in below(found, last)] == ["B"]


def test_a_directory_of_nothing_says_so() -> None:
    found = read(directory([], "2.25.1"))
    assert found.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity == 0
    assert len(found.DirectoryRecordSequence) == 0


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        ({0}, ["A", "Aa", "Aa1", "y", "Aa2", "z"]),
        ({0, 1}, ["A", "Aa", "Aa2", "z"]),
        ({2}, ["A", "Aa", "Aa1", "x", "y"]),
        ({0, 1, 2}, []),
    ],
)
def test_what_is_missing_goes_with_what_has_nothing_left_below_it(missing: set[int], left: list[str]) -> None:
    places = {"x": 0, "y": 1, "z": 2}
    rows = [Row(named(level, name), places.get(name, -1)) for level, name in TREE[:7]]
    found = read(directory(remaining(rows, missing), "2.25.1"))
    assert [item.StudyDescription for item in found.DirectoryRecordSequence] == left


def test_a_file_is_referred_to_by_its_components() -> None:
    reference = Reference("DICOM/P0000001/S0000001/I0000001", "1.2.3", "1.2.4", "1.2.840.10008.1.2.1")
    found = read(directory([named(0, "A"), named(1, "Aa"), named(2, "Aa1"), named(3, "x", reference)], "2.25.1"))
    leaf = found.DirectoryRecordSequence[-1]
    assert leaf.ReferencedFileID == ["DICOM", "P0000001", "S0000001", "I0000001"]
    assert leaf.ReferencedSOPInstanceUIDInFile == "1.2.4"


def test_padding_makes_a_directory_as_large_as_it_was_to_be() -> None:
    full = directory((named(level, name) for level, name in TREE), "2.25.1")
    shorter = padded(directory([named(0, "A")], "2.25.1"), len(full))
    assert len(shorter) == len(full)
    assert len(read(shorter).DirectoryRecordSequence) == 1
    with pytest.raises(ValueError, match="no room"):
        padded(full, len(full) + 2)


@pytest.mark.parametrize(
    ("name", "preferred", "charset"),
    [
        ("Test^Anna", "ISO_IR 192", None),
        ("Müller^Jürgen", "ISO_IR 100", "ISO_IR 100"),
        ("Müller^Jürgen", "", "ISO_IR 192"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "\\ISO 2022 IR 87", ["", "ISO 2022 IR 87"]),
        ("Люкceмбypг", "ISO_IR 100", "ISO_IR 192"),
        ("Müller^Jürgen", "NONSENSE", "ISO_IR 192"),
    ],
)
def test_text_is_kept_in_the_character_set_it_came_in(name: str, preferred: str, charset: str | None) -> None:
    made = record(0, "PATIENT", texts([(0x00100010, "PN", name)], preferred))
    found = read(directory([made], "2.25.1")).DirectoryRecordSequence[0]
    assert str(found.PatientName) == name
    assert found.get("SpecificCharacterSet") == charset
