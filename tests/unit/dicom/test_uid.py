"""UIDs are kept as sent when they can be, and flagged when odd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID_dictionary

from fileroom.dicom.uid import STORAGE_CLASSES, check_uid, is_standard, new_uid
from fileroom.errors import InvalidUid


@pytest.mark.parametrize("text", ["1", "1.2.3", "a" * 64, "../../etc", "1.02", "!~", "9" * 64])
def test_printable_ascii_up_to_64_characters_is_kept(text: str) -> None:
    assert check_uid(text) == text


@pytest.mark.parametrize("text", ["", "9" * 65, "1.2 3", "1.2\n", "1.2\0", "1.2.é", "1\x7f"])
def test_what_cannot_be_kept_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidUid) as caught:
        check_uid(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "1.0.3", "2.25.329800735698586629295641978511506172918", "1." + "9" * 62])
def test_uids_by_the_standards_rules_are_standard(text: str) -> None:
    assert is_standard(text)


@pytest.mark.parametrize("text", ["", ".", "1.", ".1", "1..2", "1.02", "01.2", "00", "1.a", "1.2 ", "9" * 65, "१.२"])
def test_uids_that_break_the_rules_are_not_standard(text: str) -> None:
    assert not is_standard(text)


@given(st.text("0123456789.", max_size=70))
def test_standard_is_what_the_standard_says_component_by_component(text: str) -> None:
    components = text.split(".")
    good = all(c and (c == "0" or not c.startswith("0")) for c in components)
    assert is_standard(text) == (good and len(text) <= 64)


def test_new_uids_are_standard_and_differ() -> None:
    made = {new_uid() for _ in range(100)}
    assert len(made) == 100
    assert all(is_standard(uid) for uid in made)


def test_every_storage_class_of_the_standard_is_listed_with_its_name() -> None:
    listed = {
        uid: name
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and uid.startswith("1.2.840.10008.5.1.4")
    }
    assert {uid: STORAGE_CLASSES[uid] for uid in listed} == listed
    assert all(is_standard(uid) for uid in STORAGE_CLASSES)
