"""Small datasets as values: read from any encoding, written so that pydicom reads the same."""

from __future__ import annotations

import contextlib
import struct
import time
import warnings
from io import BytesIO

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from fileroom.dicom.deflate import inflate
from fileroom.dicom.elements import (
    ELEMENTS_MAX,
    SIZE_BYTES_MAX,
    Element,
    Elements,
    charset_of,
    number_element,
    number_of,
    read_elements,
    text_element,
    text_of,
    write_elements,
)
from fileroom.dicom.layout import DEPTH_MAX
from fileroom.dicom.syntax import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, TransferSyntax, syntax
from fileroom.errors import FileroomError, MalformedObject
from tests.support.raw_elements import EXPLICIT, IMPLICIT, UNDEFINED, element, item, sequence, sequence_end

SYNTAXES = [syntax(uid) for uid in (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED_LE)]
PLAIN = SYNTAXES[:3]

IDENTIFIER = {
    0x00080005: ("CS", "ISO_IR 192"),
    0x00080020: ("DA", "20240229"),
    0x00080052: ("CS", "STUDY"),
    0x00100010: ("PN", "Müller^Jörg"),
    0x00100020: ("LO", ""),
    0x0020000D: ("UI", "1.2.3"),
}


@pytest.mark.parametrize("to", SYNTAXES, ids=lambda to: to.name)
def test_an_identifier_is_written_for_pydicom_and_read_back(to: TransferSyntax) -> None:
    elements = [text_element(tag, vr, text) for tag, (vr, text) in reversed(IDENTIFIER.items())]
    elements.append(number_element(0x00280010, "US", 513))
    items = ({0x00080060: text_element(0x00080060, "CS", "MG")}, {})
    elements.append(Element(0x00400100, "SQ", items))
    data = write_elements(elements, to)
    theirs = _pydicom(data, to)
    assert str(theirs.PatientName) == "Müller^Jörg"
    assert (theirs.StudyInstanceUID, theirs.Rows, theirs.QueryRetrieveLevel) == ("1.2.3", 513, "STUDY")
    assert [dict(one.items()).keys() for one in theirs.ScheduledProcedureStepSequence] == [{0x00080060}, set()]
    ours = read_elements(data, to)
    assert list(ours) == sorted(ours)
    charset = charset_of(ours)
    assert {tag: text_of(ours, tag, charset) for tag in IDENTIFIER} == {t: text for t, (_, text) in IDENTIFIER.items()}
    assert (number_of(ours, 0x00280010), text_of(ours, 0x00280010)) == (513, "513")
    assert [text_of(one, 0x00080060) for one in ours[0x00400100].items] == ["MG", ""]


def _pydicom(data: bytes, to: TransferSyntax) -> Dataset:
    plain = inflate(data) if to.deflated else data
    return pydicom.filereader.read_dataset(BytesIO(plain), to.implicit, not to.big_endian)


def test_text_and_numbers_that_are_not_there_are_empty() -> None:
    elements = {0x00080060: Element(0x00080060, "SQ", ()), 0x00200013: text_element(0x00200013, "IS", "x")}
    assert text_of(elements, 0x00080060) == text_of(elements, 0x00080061) == charset_of(elements) == ""
    assert number_of(elements, 0x00200013) is number_of(elements, 0x00200011) is None
    assert number_of({1: text_element(1, "IS", "-12 ")}, 1) == -12
    assert text_element(1, "LO", "é", "ISO_IR 100").value == b"\xe9"


@pytest.mark.parametrize(("vr", "number"), [("US", 65536), ("US", -1), ("SS", 40000), ("UL", 1 << 32)])
def test_a_number_that_does_not_fit_is_refused(vr: str, number: int) -> None:
    with pytest.raises(MalformedObject):
        number_element(0x00280010, vr, number)


def test_a_value_that_does_not_fit_its_length_field_is_refused() -> None:
    big = [Element(0x00100020, "LO", bytes(65536))]
    assert len(write_elements(big, IMPLICIT)) == 65536 + 8
    with pytest.raises(MalformedObject):
        write_elements(big, EXPLICIT)


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("to", PLAIN, ids=lambda to: to.name)
def test_sequences_are_read_with_and_without_lengths(to: TransferSyntax, undefined: bool) -> None:
    inside = element(0x00080060, "CS", b"CT", to=to)
    data = sequence(0x00400100, item(inside, to=to, undefined=undefined), item(b"", to=to), to=to, undefined=undefined)
    elements = read_elements(data + element(0x00400244, "DA", b"20240101", to=to), to)
    assert [text_of(one, 0x00080060) for one in elements[0x00400100].items] == ["CT", ""]
    assert text_of(elements, 0x00400244) == "20240101"


def test_the_first_of_two_equal_tags_counts_and_group_lengths_are_left_out() -> None:
    data = element(0x00080000, "UL", bytes(4)) + element(0x00100020, "LO", b"1 ") + element(0x00100020, "LO", b"2 ")
    assert list(read_elements(data, EXPLICIT).values()) == [Element(0x00100020, "LO", b"1 ")]


def test_elements_of_unknown_kind_are_read_and_written_as_un() -> None:
    data = element(0x00091001, "??", b"abcd") + element(0x00091002, "UN", b"efgh")
    elements = read_elements(data, EXPLICIT)
    assert [one.value for one in elements.values()] == [b"abcd", b"efgh"]
    assert _pydicom(write_elements(elements, EXPLICIT), EXPLICIT)[0x00091001].VR == "UN"
    assert [one.vr for one in read_elements(write_elements(elements, IMPLICIT), IMPLICIT).values()] == ["UN", "UN"]


def test_a_un_of_undefined_length_is_a_sequence_in_implicit_vr() -> None:
    inside = item(element(0x00080060, "CS", b"CT", to=IMPLICIT))
    data = element(0x00091001, "UN", inside, length=UNDEFINED) + sequence_end()
    assert text_of(read_elements(data, EXPLICIT)[0x00091001].items[0], 0x00080060) == "CT"


@pytest.mark.parametrize("to", PLAIN, ids=lambda to: to.name)
def test_numbers_are_little_endian_values_whatever_the_encoding(to: TransferSyntax) -> None:
    numbers = [
        number_element(0x00280010, "US", 1, 2),
        number_element(0x00289001, "UL", 70000),
        number_element(0x00280106, "US", 7),
    ]
    elements = read_elements(write_elements(numbers, to), to)
    assert elements[0x00280010].value == b"\1\0\2\0"
    assert text_of(elements, 0x00280010) == "1\\2"
    assert _pydicom(write_elements(numbers, to), to)[0x00280010].value == [1, 2]


LEAVES = st.sampled_from(
    [
        (0x00100020, "LO"),
        (0x00080060, "CS"),
        (0x00280010, "US"),
        (0x00091001, "UN"),
        (0x00420011, "OB"),
        (0x0020000D, "UI"),
    ]
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Elements:
    """Elements with even values, sequences among them."""
    elements: Elements = {}
    for tag, vr in draw(st.lists(LEAVES, max_size=4)):
        value = draw(st.binary(max_size=8))
        elements[tag] = Element(tag, vr, value + b"\0" * (len(value) % 2))
    if depth:
        for tag in draw(st.sets(st.sampled_from([0x00081115, 0x00400100]), max_size=2)):
            elements[tag] = Element(tag, "SQ", tuple(draw(st.lists(trees(depth=depth - 1), max_size=2))))
    return elements


@given(trees(), st.sampled_from(SYNTAXES))
def test_any_tree_is_read_as_it_was_written(elements: Elements, to: TransferSyntax) -> None:
    read = read_elements(write_elements(elements, to), to)
    assert read == elements


@settings(max_examples=60)
@given(trees(), st.sampled_from(PLAIN))
def test_any_tree_is_written_as_pydicom_writes_it(elements: Elements, to: TransferSyntax) -> None:
    data = write_elements(elements, to)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _pydicom(data, to)
        file = DicomBytesIO()
        file.is_implicit_VR, file.is_little_endian = to.implicit, not to.big_endian
        write_dataset(file, theirs)
    assert file.getvalue() == data


def test_a_dataset_cut_at_any_byte_is_refused_or_cut_between_elements() -> None:
    parts = [element(0x00080060, "CS", b"CT"), sequence(0x00400100, item(b"", undefined=True), undefined=True)]
    whole = b"".join(parts)
    for size in range(len(whole)):
        if size in (0, len(parts[0])):
            read_elements(whole[:size], EXPLICIT)
            continue
        with pytest.raises(MalformedObject):
            read_elements(whole[:size], EXPLICIT)


@pytest.mark.parametrize(
    "inside",
    [
        element(0x00080060, "CS", b"CT", length=40),
        sequence(0x00081140, item(b""))[:8] + struct.pack("<I", 40),
        element(0x00081140, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, 40), length=8),
    ],
)
def test_nothing_in_an_item_may_reach_behind_it(inside: bytes) -> None:
    with pytest.raises(MalformedObject, match="ends behind the end"):
        read_elements(sequence(0x00400100, item(inside)) + element(0x00400244, "UN", bytes(100)), EXPLICIT)


@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 10_000])
def test_sequences_that_lie_too_deep_are_refused(depth: int) -> None:
    opening = element(0x00400100, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED), length=UNDEFINED)
    with pytest.raises(MalformedObject, match="deep"):
        read_elements(opening * depth, EXPLICIT)


@pytest.mark.parametrize(
    ("many", "said"),
    [
        (bytes(SIZE_BYTES_MAX + 1), "whole"),
        (element(0x00091001, "LO", b"") * (ELEMENTS_MAX + 1), "elements"),
        (sequence(0x00091001, item(b"") * (ELEMENTS_MAX + 1)), "elements"),
    ],
)
def test_more_than_a_small_dataset_is_refused_in_a_moment(many: bytes, said: str) -> None:
    began = time.process_time()
    with pytest.raises(MalformedObject, match=said):
        read_elements(many, EXPLICIT)
    assert time.process_time() - began < 2


@settings(max_examples=200)
@given(trees(), st.sampled_from(SYNTAXES), st.data())
def test_damage_raises_nothing_but_our_errors(elements: Elements, to: TransferSyntax, data: st.DataObject) -> None:
    whole = bytearray(write_elements(elements, to))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(FileroomError):
        read = read_elements(bytes(whole), to)
        write_elements(read, EXPLICIT)
        for tag in read:
            text_of(read, tag, charset_of(read))
            number_of(read, tag)
