"""Dates and times in queries become bounds that stored values are compared with as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.ranges import date_range, normal_date, normal_time, time_range
from fileroom.errors import BadRequest


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("20240229", ("20240229", "20240229")),
        ("20240101-20240131", ("20240101", "20240131")),
        ("20240101-", ("20240101", "")),
        ("-20240131", ("", "20240131")),
        ("2024.01.05", ("20240105", "20240105")),
        (" 20240101 - 20240131 ", ("20240101", "20240131")),
        ("", ("", "")),
    ],
)
def test_a_date_key_says_the_lowest_and_the_highest_date(key: str, bounds: tuple[str, str]) -> None:
    assert date_range(key) == bounds


@pytest.mark.parametrize(
    "key",
    [
        "-",
        " - ",
        "2024",
        "20240230",
        "20241301",
        "20240101-2024",
        "20240131-20240101",
        "today",
        "00000101",
        "20240101-20240102-20240103",
        "٢٠٢٤٠١٠١",
    ],
)
def test_nonsense_for_a_date_is_refused(key: str) -> None:
    with pytest.raises(BadRequest):
        date_range(key)


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("101112.5", ("101112.500000", "101112.599999")),
        ("10", ("100000.000000", "105959.999999")),
        ("1011", ("101100.000000", "101159.999999")),
        ("10-11", ("100000.000000", "115959.999999")),
        ("1030-", ("103000.000000", "")),
        ("-1030", ("", "103059.999999")),
        ("10:11:12", ("101112.000000", "101112.999999")),
        ("235960", ("235960.000000", "235960.999999")),
        ("", ("", "")),
    ],
)
def test_a_time_key_says_the_lowest_and_the_highest_time(key: str, bounds: tuple[str, str]) -> None:
    assert time_range(key) == bounds


@pytest.mark.parametrize(
    "key", ["-", "24", "1060", "101161", "1", "10111", "101112.", "101112.1234567", "11-10", "noon"]
)
def test_nonsense_for_a_time_is_refused(key: str) -> None:
    with pytest.raises(BadRequest):
        time_range(key)


@given(st.text("0123456789-.: ", max_size=24))
def test_a_key_is_either_refused_or_bounds_in_order(key: str) -> None:
    for read in (date_range, time_range):
        try:
            low, high = read(key)
        except BadRequest:
            continue
        assert not (low and high) or low <= high


@given(st.dates().map(lambda date: f"{date:%Y%m%d}".rjust(8, "0")))
def test_a_stored_date_lies_in_the_range_of_itself(text: str) -> None:
    assert date_range(normal_date(text)) == (text, text)


@given(st.times(), st.integers(2, 13))
def test_a_stored_time_lies_in_the_range_of_its_own_beginning(time: object, size: int) -> None:
    text = f"{time:%H%M%S.%f}"[: size if size in (2, 4, 6) or size > 7 else 6]
    low, high = time_range(text)
    assert low == normal_time(text)
    assert low <= f"{time:%H%M%S.%f}" <= high


def test_stored_values_that_are_no_date_or_time_compare_as_nothing() -> None:
    assert normal_date("2024") == normal_date("") == normal_date("20240231") == ""
    assert normal_time("25") == normal_time("") == normal_time("1") == ""
