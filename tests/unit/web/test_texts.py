"""Values are shown as people read them; what is odd is shown as it stands."""

from __future__ import annotations

import pytest

from fileroom.web.texts import date_text, list_text, person_text, time_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Moorcroft^Ann^Maria^Dr^Jr", "Moorcroft, Ann Maria (Dr, Jr)"),
        ("Moorcroft", "Moorcroft"),
        ("^Ann", "Ann"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou · 山田, 太郎 · やまだ, たろう"),
        ("=山田^太郎", "山田, 太郎"),
        ("", ""),
        (None, ""),
        ("^^^^", ""),
        ("<b>x</b>^y", "<b>x</b>, y"),
    ],
)
def test_person_names(value: str | None, text: str) -> None:
    assert person_text(value) == text


def test_dates_and_times() -> None:
    assert date_text("20261124") == "2026-11-24"
    assert date_text("2026.11.24") == "2026.11.24"
    assert date_text(None) == ""
    assert time_text("080531.25") == "08:05"
    assert time_text("08") == "08"


def test_several_values() -> None:
    assert list_text("CT\\SR\\") == "CT, SR"
    assert list_text(None) == ""
