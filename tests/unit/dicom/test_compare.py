"""How two datasets differ is told attribute by attribute, whatever the two are made of."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset as Made
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from fileroom.dicom.compare import DIFFERENCES_MAX, TEXT_CHARACTERS_MAX, Dataset, Difference, Pixels, compare
from fileroom.dicom.syntax import EXPLICIT_LE, IMPLICIT_LE, TransferSyntax, syntax
from tests.support.archives import ct
from tests.support.raw_elements import element, item

EXPLICIT, IMPLICIT = syntax(EXPLICIT_LE), syntax(IMPLICIT_LE)
JPEG, BIG = syntax("1.2.840.10008.1.2.4.50"), syntax("1.2.840.10008.1.2.2")


def raw(made: Made, how: TransferSyntax = EXPLICIT) -> Dataset:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = not how.big_endian, how.implicit
    write_dataset(buffer, made)
    return Dataset(buffer.getvalue(), how)


def changed(**values: object) -> Made:
    made = ct(1)
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def fragments(*pieces: bytes, behind: bytes = b"") -> Dataset:
    items = item(b"") + b"".join(item(piece) for piece in pieces)
    pixels = element(0x7FE00010, "OB", items + bytes.fromhex("feffdde000000000"), length=0xFFFFFFFF)
    return Dataset(element(0x00100010, "PN", b"A^B ") + pixels + behind, JPEG)


def test_the_same_is_the_same_however_it_is_written() -> None:
    for how in (EXPLICIT, IMPLICIT):
        found = compare(raw(ct(1)), raw(ct(1), how))
        assert (found.differences, found.pixels, found.more, found.trouble) == ((), Pixels.SAME, 0, "")


def test_the_patient_comes_first_then_study_series_image_and_the_rest() -> None:
    other = changed(PatientName="Other^Name", StudyDescription="x", SeriesDescription="y", InstanceNumber=9, KVP="120")
    other.PatientComments = "of the patient too"
    found = compare(raw(ct(1)), raw(other)).differences
    assert [one.name for one in found] == [
        "Patient's Name",
        "Patient Comments",
        "Study Description",
        "Series Description",
        "Instance Number",
        "KVP",
    ]
    assert found[0] == Difference("(0010,0010)", "Patient's Name", "Test^P1", "Other^Name")
    assert (found[2].one, found[2].other) == (None, "x")


def test_an_empty_value_is_not_an_absent_one() -> None:
    (found,) = compare(raw(ct(1)), raw(changed(AccessionNumber=""))).differences
    assert (found.one, found.other) == (None, "")


def test_names_in_other_scripts_and_hostile_text_stay_what_they_are() -> None:
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    one, other = ct(1), changed(PatientName=name, StudyDescription="<script>\u202e")
    one.SpecificCharacterSet = other.SpecificCharacterSet = "ISO_IR 192"
    found = compare(raw(one), raw(other)).differences
    assert [difference.other for difference in found] == [name, "<script>\u202e"]


def test_inside_of_sequences_it_is_said_where() -> None:
    def with_codes(*meanings: str) -> Made:
        items = []
        for meaning in meanings:
            code = Made()
            code.CodeMeaning = meaning
            items.append(code)
        return changed(AnatomicRegionSequence=items)

    found = compare(raw(with_codes("breast", "left")), raw(with_codes("breast", "right", "more"))).differences
    assert [(one.tag, one.name, one.one, one.other) for one in found] == [
        ("(0008,2218)", "Anatomic Region Sequence", "2 items", "3 items"),
        ("(0008,2218)[2] (0008,0104)", "Anatomic Region Sequence 2: Code Meaning", "left", "right"),
    ]
    (alone,) = compare(raw(ct(1)), raw(with_codes("breast"))).differences
    assert (alone.one, alone.other) == (None, "1 item")


def test_long_values_are_compared_whole_and_shown_cut() -> None:
    text = "x" * 5000
    (found,) = compare(raw(changed(TextValue=text + "a")), raw(changed(TextValue=text + "b"))).differences
    assert found.one is not None
    assert found.other is not None
    assert found.one != found.other
    assert len(found.one) < TEXT_CHARACTERS_MAX + 50
    assert "5,001 characters" in found.one


@pytest.mark.parametrize("size", [8, 4000])
def test_binary_values_are_told_by_size_and_digest(size: int) -> None:
    one, other = changed(), changed()
    one.add_new(0x00420011, "OB", bytes(size))
    other.add_new(0x00420011, "OB", bytes(size - 2) + b"\1\0")
    (found,) = compare(raw(one), raw(other)).differences
    assert found.one is not None
    assert found.one.startswith(f"{size:,} bytes, digest ")
    assert found.one != found.other


def test_pixels_are_compared_as_they_are_stored() -> None:
    other = ct(1, pixels=bytes(32))
    assert compare(raw(ct(1)), raw(other)).pixels is Pixels.DIFFERENT
    assert compare(raw(ct(1)), raw(ct(1), BIG)).pixels is Pixels.STORED_DIFFERENTLY
    without = ct(1)
    del without.PixelData
    assert compare(raw(ct(1)), raw(without)).pixels is Pixels.ONE_WITHOUT
    assert compare(raw(without), raw(without)).pixels is Pixels.NONE


def test_fragments_are_compared_and_what_lies_behind_them_is_not_taken_for_pixels() -> None:
    signature = element(0xFFFCFFFC, "OB", bytes(10))
    assert compare(fragments(b"abcd"), fragments(b"abcd", behind=signature)).pixels is Pixels.SAME
    assert compare(fragments(b"abcd"), fragments(b"abce")).pixels is Pixels.DIFFERENT
    assert compare(fragments(b"abcd"), fragments(b"ab", b"cd")).pixels is Pixels.DIFFERENT
    assert compare(fragments(b"abcd"), raw(ct(1))).pixels is Pixels.STORED_DIFFERENTLY


def test_more_differences_than_anybody_reads_are_counted() -> None:
    one, other = Made(), Made()
    for number in range(DIFFERENCES_MAX + 7):
        other.add_new(0x00090010 + (number << 17), "LO", "x")
    found = compare(raw(one), raw(other))
    assert (len(found.differences), found.more) == (DIFFERENCES_MAX, 7)


def test_private_elements_are_named_by_their_creator() -> None:
    one, other = ct(1), ct(1)
    for made, value in ((one, "a"), (other, "b")):
        made.private_block(0x0099, "NOBODY KNOWS", create=True).add_new(1, "LO", value)
        made.add_new(0x00971001, "LO", value)
    found = compare(raw(one), raw(other)).differences
    assert [difference.name for difference in found] == ["Private, creator not named", "Private to NOBODY KNOWS"]


def test_what_cannot_be_read_is_said_and_the_rest_is_told() -> None:
    broken = Dataset(element(0x00100010, "PN", b"A^B ", length=400), EXPLICIT)
    found = compare(raw(ct(1)), broken)
    assert found.trouble
    assert (found.differences, found.pixels) == ((), Pixels.ONE_WITHOUT)


def test_more_attributes_than_are_taken_apart_are_said() -> None:
    huge = Made()
    huge.PatientName = "A"
    huge.add_new(0x00091001, "UT", "x" * 60000)
    for number in range(80):
        huge.add_new(0x00091002 + number, "UT", "y" * 60000)
    found = compare(raw(ct(1)), raw(huge))
    assert "more attributes" in found.trouble
