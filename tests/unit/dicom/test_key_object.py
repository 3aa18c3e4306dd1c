"""Key Object Selections: what is written is read again; documents of others are read as far as they can be."""

from __future__ import annotations

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts

from fileroom.dicom.companion import Reference
from fileroom.dicom.element import text_of
from fileroom.dicom.elements import read_elements
from fileroom.dicom.key_object import REJECTED, TITLES, read_key_object
from fileroom.dicom.syntax import EXPLICIT_LE, syntax
from tests.support import corpus
from tests.support.corpus.instance import encode
from tests.support.readers_marks import elements_of, key_file, reference


def test_the_titles_are_the_standard_s() -> None:
    meanings = {value: meaning for name in concepts["DCM"].values() for value, (meaning, _) in name.items()}
    allowed = {value for name in cid_concepts[7010]["DCM"] for value in concepts["DCM"][name]}
    assert {value: meanings[value] for value in TITLES} == TITLES
    assert allowed.issuperset(TITLES)
    assert REJECTED in allowed


@pytest.mark.parametrize("frames", [(), (3,), (1, 60)])
def test_a_document_says_what_it_was_made_to_say(frames: tuple[int, ...]) -> None:
    image = next(corpus.ct_study(1))
    elements = elements_of(key_file(image, "113002", [reference(image, *frames)], why="Please look"))
    said = read_key_object(elements)
    assert (said.title, said.meaning, said.marks, said.rejects) == ("113002", "For Referring Provider", True, False)
    assert said.references == (reference(image, *frames),)
    (evidence,) = elements[0x0040A375].items
    assert text_of(evidence, 0x0020000D) == image.study_uid
    description, marked = elements[0x0040A730].items
    assert text_of(description, 0x0040A160) == "Please look"
    assert text_of(marked, 0x0040A040) == "IMAGE"


def test_several_images_of_several_series_are_listed_once_each() -> None:
    image = next(corpus.ct_study(1))
    about = [Reference("1.2", f"1.{number}", f"9.{number % 2}") for number in range(4)]
    elements = elements_of(key_file(image, about=[*about, Reference("1.2", "1.0", "9.0", (2,))]))
    said = read_key_object(elements)
    assert [(one.sop_uid, one.series_uid) for one in said.references][:4] == [
        (one.sop_uid, one.series_uid) for one in about
    ]
    series = elements[0x0040A375].items[0][0x00081115].items
    assert [(text_of(one, 0x0020000E), len(one[0x00081199].items)) for one in series] == [("9.0", 2), ("9.1", 2)]


def test_a_document_that_rejects_marks_nothing() -> None:
    image = next(corpus.ct_study(1))
    said = read_key_object(elements_of(key_file(image, REJECTED, [Reference("1.2", "1.5", "1.6")], why="Taken back")))
    assert (said.marks, said.rejects, said.references[0].sop_uid) == (False, True, "1.5")
    assert said.meaning == "Rejected for Quality Reasons"


@pytest.mark.parametrize("title", ["113030", "113036"])
def test_manifests_and_groups_for_display_mark_nothing(title: str) -> None:
    elements = {0x0040A043: ("SQ", [{0x00080100: ("SH", title), 0x00080102: ("SH", "DCM")}])}
    said = read_key_object(read_elements(encode(elements), syntax(EXPLICIT_LE)))
    assert (said.marks, said.rejects) == (False, False)


def test_a_title_of_somebody_else_marks_and_one_that_only_looks_like_a_rejection_does_not_reject() -> None:
    sop = {0x00081155: ("UI", "1.5"), 0x00081160: ("IS", "2\\x\\-1\\4")}
    elements = {
        0x00080005: ("CS", "ISO_IR 192"),
        0x0040A043: (
            "SQ",
            [{0x00080100: ("SH", "113001"), 0x00080102: ("SH", "99X"), 0x00080104: ("LO", "Sch\u00f6n")}],
        ),
        0x0040A730: (
            "SQ",
            [{0x0040A040: ("CS", "IMAGE"), 0x00081199: ("SQ", [sop])}, {0x0040A040: ("CS", "TEXT")}, {}],
        ),
    }
    said = read_key_object(read_elements(encode(elements), syntax(EXPLICIT_LE)))
    assert (said.marks, said.rejects, said.meaning, said.title) == (True, False, "Sch\u00f6n", "")
    assert said.references == (Reference("", "1.5", "", (2, 4)),)


def test_an_empty_document_says_nothing() -> None:
    assert read_key_object({}).references == ()
