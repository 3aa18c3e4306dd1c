"""Values for directory records, from what senders really write."""

from __future__ import annotations

import pytest

from fileroom.media import record_values as values


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (("20240131",), "20240131"),
        (("2024.01.31",), "20240131"),
        ((None, "20240131"), "20240131"),
        (("31.01.2024", "20240229"), "20240229"),
        (("20241301",), "19000101"),
        (("20240131-20240201",), "19000101"),
        (("２０２４０１３１",), "19000101"),
        ((None,), "19000101"),
    ],
)
def test_a_date(candidates: tuple[str | None, ...], expected: str) -> None:
    assert values.date(*candidates) == expected


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ("134558", "134558"),
        ("134558.123456", "134558.123456"),
        ("13:45", "1345"),
        ("256000", "000000"),
        (None, "000000"),
    ],
)
def test_a_time(candidate: str | None, expected: str) -> None:
    assert values.time(candidate) == expected


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [("7", "7"), (" -3 ", "-3"), ("1.5", "9"), ("99999999999", "9"), ("٣", "9"), ("", "9"), (None, "9")],
)
def test_a_number(candidate: str | None, expected: str) -> None:
    assert values.integer(candidate, 9) == expected


def test_a_code() -> None:
    assert values.code("mg", "OT") == "MG"
    assert values.code("MÖ", "OT") == "OT"
    assert values.code("A" * 17, "OT") == "OT"


def test_text_is_cut_and_cleaned() -> None:
    assert values.text("A\x00B\r\nC" + "x" * 80, "LO") == "ABC" + "x" * 61
    assert values.text(None, "LO") == ""
