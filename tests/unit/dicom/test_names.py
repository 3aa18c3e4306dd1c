"""Names are compared in one form, whatever form they were written in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.names import FOLDED_CHARACTERS_MAX, fold_name


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("DOE^JANE", "doe^jane"),
        ("Doe^Jane^^^", "doe^jane"),
        ("  Doe ^ Jane  Mary ", "doe^jane mary"),
        ("STRASSE^Ä", "strasse^ä"),
        ("Straße^A\u0308", "strasse^ä"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう^^", "yamada^tarou=山田^太郎=やまだ^たろう"),
        ("Doe^Jane==", "doe^jane"),
        ("=山田", "=山田"),
        ("DOE*^J?", "doe*^j?"),
        ("A^B^ \\ C^D^", "a^b\\c^d"),
        ("^^^^", ""),
        ("", ""),
    ],
)
def test_a_name_is_folded(text: str, folded: str) -> None:
    assert fold_name(text) == folded


@given(st.text("aB ^=\\ßÉé\u0301\t", max_size=30))
def test_folding_a_folded_name_changes_nothing(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)


@given(st.text(max_size=30))
def test_case_makes_no_difference_in_any_script(text: str) -> None:
    assert fold_name(text.casefold()) == fold_name(text)


def test_a_folded_name_stays_short_enough_to_be_indexed() -> None:
    assert len(fold_name("ΐ" * 5000)) <= FOLDED_CHARACTERS_MAX
