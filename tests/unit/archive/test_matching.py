"""Matching keys without a database: prefixes as ranges, patterns, shapes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.archive.matching import after_prefix, like_pattern, match_key
from fileroom.dicom.attributes import BY_KEYWORD

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)


@given(TEXT, st.text(st.characters(codec="utf-8"), min_size=1, max_size=3))
def test_a_text_lies_in_the_range_of_a_prefix_exactly_when_it_begins_with_it(text: str, prefix: str) -> None:
    for candidate in (text, prefix + text):
        end = after_prefix(prefix)
        assert (candidate >= prefix and (end is None or candidate < end)) == candidate.startswith(prefix)


@pytest.mark.parametrize(
    ("prefix", "end"),
    [
        ("smith", "smiti"),
        ("a\ud7ff", "a\ue000"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", None),
    ],
)
def test_the_end_of_a_prefix_is_text_that_can_be_stored(prefix: str, end: str | None) -> None:
    assert after_prefix(prefix) == end


@given(TEXT)
def test_a_pattern_without_wildcards_matches_only_itself(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")
    assert re.sub("~(.)", r"\1", like_pattern(plain), flags=re.DOTALL) == plain


def test_wildcards_become_those_of_sql_and_those_of_sql_become_plain() -> None:
    assert like_pattern("a*b?c%d_e~f") == "a%b_c~%d~_e~~f"


def test_keys_of_one_kind_share_a_shape_and_so_a_statement() -> None:
    name, uid = BY_KEYWORD["PatientName"], BY_KEYWORD["StudyInstanceUID"]
    shapes = {match.shape for key in ("smith*", "jones*", "ä*") if (match := match_key(name, key))}
    assert len(shapes) == 1
    lists = {match.shape for n in (5, 7, 8) if (match := match_key(uid, "\\".join("1" * (i + 1) for i in range(n))))}
    assert len(lists) == 1


@pytest.mark.parametrize("key", ["", "*", "**", " ", "* *", "\\", "\\\\"])
def test_a_key_that_asks_for_anything_sets_no_condition(key: str) -> None:
    assert match_key(BY_KEYWORD["PatientName"], key) is None
    assert match_key(BY_KEYWORD["StudyInstanceUID"], key) is None


@pytest.mark.parametrize(
    ("keyword", "key", "selective"),
    [
        ("PatientName", "smith*", True),
        ("PatientName", "*smith", False),
        ("PatientID", "P1", True),
        ("PatientID", "*1", False),
        ("StudyDate", "20260101", False),
        ("ModalitiesInStudy", "CT", False),
        ("SOPInstanceUID", "1\\2", True),
    ],
)
def test_a_key_that_an_index_answers_is_looked_up_first(keyword: str, key: str, selective: bool) -> None:
    match = match_key(BY_KEYWORD[keyword], key)
    assert match is not None
    assert match.selective is selective
