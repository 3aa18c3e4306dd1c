"""Identifiers: questions read, answers written."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pynetdicom.dsutils import encode

from fileroom.archive.rows import SHAPES, Row
from fileroom.dicom.attributes import Level
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, syntax
from fileroom.dimse.identifiers import Identifier, RowWriter, failed_list, read_identifier
from fileroom.errors import BadRequest, MalformedObject

BOTH = pytest.mark.parametrize("uid", [EXPLICIT_LE, IMPLICIT_LE])


def _asked(uid: str = EXPLICIT_LE, patient_root: bool = False, **keys: object) -> Identifier:
    dataset = Dataset()
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    raw = encode(dataset, uid == IMPLICIT_LE, True)
    assert raw is not None
    return read_identifier(raw, syntax(uid), patient_root)


def _row(level: Level, **values: object) -> Row:
    shape = SHAPES[level]
    places = [*shape.by_name.values(), *shape.by_tag.values()]
    cells: list[object] = [None] * (max(places) + 1)
    for column, value in values.items():
        cells[shape.by_name[column]] = value
    return Row(shape, tuple(cells))


def _written(identifier: Identifier, row: Row, uid: str = EXPLICIT_LE) -> Dataset:
    raw = RowWriter(identifier, syntax(uid), "FILEROOM").write(row)
    return read_dataset(io.BytesIO(raw), uid == IMPLICIT_LE, True)


@BOTH
def test_a_question_is_read(uid: str) -> None:
    asked = _asked(uid, QueryRetrieveLevel="STUDY", PatientName="DOE*", StudyDate="20240101-", StudyInstanceUID="")
    assert asked.level is Level.STUDY
    assert asked.keys == {"PatientName": "DOE*", "StudyDate": "20240101-"}
    assert [tag for tag, _ in asked.returned] == [0x00080020, 0x00100010, 0x0020000D]
    assert not asked.unsupported


def test_keys_below_the_level_and_unknown_ones_are_told_apart() -> None:
    asked = _asked(QueryRetrieveLevel="STUDY", SOPInstanceUID="1.2.3", PatientComments="x")
    assert asked.keys == {}
    assert asked.unsupported


@pytest.mark.parametrize("level", ["", "FRAME", "PATIENT"])
def test_a_level_the_model_does_not_have_is_refused(level: str) -> None:
    with pytest.raises(BadRequest):
        _asked(QueryRetrieveLevel=level)


def test_patient_root_has_a_patient_level() -> None:
    assert _asked(patient_root=True, QueryRetrieveLevel="PATIENT").level is Level.PATIENT


@BOTH
def test_an_answer_holds_what_was_asked_and_nothing_else(uid: str) -> None:
    asked = _asked(
        uid,
        QueryRetrieveLevel="IMAGE",
        SOPInstanceUID="",
        InstanceNumber="",
        Rows=None,
        PatientName="",
        PatientComments="",
        InstanceAvailability="",
        ReferencedSeriesSequence=[],
    )
    row = _row(Level.IMAGE, sop_uid="1.2.3", instance_number="7", rows="512", patient_name="Doe^Jane")
    answer = _written(asked, row, uid)
    assert (answer.SOPInstanceUID, answer.InstanceNumber, answer.Rows) == ("1.2.3", 7, 512)
    assert (answer.PatientName, answer.PatientComments) == ("Doe^Jane", "")
    assert (answer.QueryRetrieveLevel, answer.RetrieveAETitle) == ("IMAGE", "FILEROOM")
    assert answer.InstanceAvailability == "ONLINE"
    assert len(answer.ReferencedSeriesSequence) == 0
    assert "SpecificCharacterSet" not in answer
    assert len(answer) == 9


def test_names_beyond_ascii_come_in_utf_8() -> None:
    asked = _asked(QueryRetrieveLevel="STUDY", PatientName="", StudyDescription="")
    answer = _written(asked, _row(Level.STUDY, patient_name="Łuszcz^Ōta", study_description="plain"))
    assert (answer.SpecificCharacterSet, str(answer.PatientName)) == ("ISO_IR 192", "Łuszcz^Ōta")
    assert answer.StudyDescription == "plain"


def test_names_come_in_the_askers_character_set_when_it_holds_them() -> None:
    asked = _asked(QueryRetrieveLevel="STUDY", PatientName="", SpecificCharacterSet="ISO_IR 100")
    writer = RowWriter(asked, syntax(EXPLICIT_LE), "FILEROOM")
    answers = [
        read_dataset(io.BytesIO(writer.write(_row(Level.STUDY, patient_name=name))), False, True)
        for name in ("Plain^Jane", "Müller^Jörg", "山田^太郎")
    ]
    assert [answer.get("SpecificCharacterSet") for answer in answers] == [None, "ISO_IR 100", "ISO_IR 192"]
    assert [str(answer.PatientName) for answer in answers] == ["Plain^Jane", "Müller^Jörg", "山田^太郎"]


def test_a_question_in_a_character_set_is_decoded() -> None:
    asked = _asked(QueryRetrieveLevel="STUDY", PatientName="Müller*", SpecificCharacterSet="ISO_IR 100")
    assert asked.keys == {"PatientName": "Müller*"}


def test_a_list_of_failures_that_one_element_cannot_hold_is_cut() -> None:
    raw = failed_list([f"1.2.3.{n}" for n in range(20_000)], syntax(IMPLICIT_LE))
    named = read_dataset(io.BytesIO(raw), True, True).FailedSOPInstanceUIDList
    assert len(raw) - 8 < 0x10000
    assert named[:2] == ["1.2.3.0", "1.2.3.1"]
    assert len(named) > 5000


@given(st.binary(max_size=300), st.sampled_from([EXPLICIT_LE, IMPLICIT_LE]))
def test_no_bytes_do_anything_but_ask_or_be_refused(raw: bytes, uid: str) -> None:
    level = Dataset()
    level.QueryRetrieveLevel = "STUDY"
    good = encode(level, uid == IMPLICIT_LE, True)
    assert good is not None
    for data in (raw, good + raw):
        try:
            identifier = read_identifier(data, syntax(uid), False)
            RowWriter(identifier, syntax(uid), "FILEROOM").write(_row(Level.STUDY, patient_name="Ł"))
        except (BadRequest, MalformedObject):
            continue
