"""What a client may ask of a picture, and what it is told when it asks for nonsense."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.render_options import (
    Viewport,
    Window,
    WindowFunction,
    read_quality,
    read_viewport,
    read_window,
)
from fileroom.errors import BadRequest


def test_quality_is_a_whole_number_from_1_to_100() -> None:
    assert [read_quality(text) for text in ("1", "100", " 50 ")] == [1, 100, 50]


@pytest.mark.parametrize("text", ["", "0", "101", "1.5", "x", "1,2", "nan", "-5", "1" * 40])
def test_other_qualities_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_quality(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40,400,linear", Window(40, 400)),
        ("-0.5,1e3,LINEAR-EXACT", Window(-0.5, 1000, WindowFunction.LINEAR_EXACT)),
        ("1,0.5,sigmoid", Window(1, 0.5, WindowFunction.SIGMOID)),
        ("1,2", Window(1, 2)),
    ],
)
def test_a_window_is_center_width_function(text: str, expected: Window) -> None:
    assert read_window(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "1,2,cubic", "1,0,linear", "1,0,sigmoid", "1,-2", "nan,1", "1,inf", "1,,linear"]
)
def test_other_windows_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_window(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512,256", Viewport(512, 256)),
        ("512,256,1,2,3,4", Viewport(512, 256, 1, 2, 3, 4)),
        ("512,256,,,,", Viewport(512, 256)),
        ("512,256,10,,-20,", Viewport(512, 256, 10, 0, -20, None)),
        ("1,1,0,0,0.4,-0.4", Viewport(1, 1, 0, 0, 1, 1)),
    ],
)
def test_a_viewport_is_a_size_and_perhaps_a_region(text: str, expected: Viewport) -> None:
    assert read_viewport(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "0,1", "1,0", "9000,1", "1,2,3", "1,2,-3,0,1,1", "1,2,0,0,0,1", "a,b", ",", "1,2,3,4,5,6,7"]
)
def test_other_viewports_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_viewport(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_quality, read_window, read_viewport):
        with contextlib.suppress(BadRequest):
            assert read(text) is not None
