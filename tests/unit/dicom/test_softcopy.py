"""Presentation states: what is written is read again, for the image and frame it is about."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.dicom.element import Element, Elements, text_of
from fileroom.dicom.elements import read_elements
from fileroom.dicom.key_object import read_key_object
from fileroom.dicom.picked import pick
from fileroom.dicom.render_options import Grey, Table, Window, WindowFunction
from fileroom.dicom.softcopy import COLOUR_CLASS, GREY_CLASS, Graphic, Label, Shown, read_head, read_shown
from fileroom.dicom.softcopy_writing import NEEDED, Setting, _decimal, presentation_state
from fileroom.dicom.syntax import EXPLICIT_LE, syntax
from fileroom.errors import BadRequest, MalformedObject
from tests.support import corpus
from tests.support.corpus.instance import encode
from tests.support.readers_marks import elements_of, header, making, reference, state_file

IMAGE = next(corpus.ct_study(1))
LINE = Graphic("POLYLINE", "PIXEL", ((1.5, 2.0), (30.0, 40.25)))
BOXED = Label("In a box", "PIXEL", (10.0, 20.0), True, (90.0, 44.5), "CENTER")


def shown(setting: Setting) -> Shown:
    return read_shown(elements_of(state_file(IMAGE, setting)), IMAGE.sop_uid, 1)


def read(elements: dict[int, tuple[str, Any]], frame: int = 1) -> Shown:
    whole = {0x00080016: ("UI", GREY_CLASS)} | elements
    return read_shown(read_elements(encode(whole), syntax(EXPLICIT_LE)), "1.5", frame)


def of_image(elements: dict[int, tuple[str, Any]]) -> Shown:
    """What becomes of an image with these elements, nothing set on it."""
    whole = {0x00280004: ("CS", "MONOCHROME2"), 0x00281050: ("DS", "50"), 0x00281051: ("DS", "100")} | elements
    made = presentation_state(header(encode(whole)), making(GREY_CLASS), reference(IMAGE, 2), Setting())
    return read_shown(elements_of(made), IMAGE.sop_uid, 2)


def test_what_was_set_comes_back() -> None:
    setting = Setting(
        Window(40.5, 400, WindowFunction.SIGMOID),
        inverted=True,
        area=(-3, 20, 200, 300),
        graphics=(LINE, Graphic("ELLIPSE", "PIXEL", ((1, 2), (5, 2), (3, 1), (3, 3)))),
        labels=(Label("Here \u2192", "PIXEL", (5.0, 6.0)),),
        name="For Dr. \u00c4",
    )
    found = shown(setting)
    assert found.grey == Grey(1.0, -1024.0, window=setting.window, inverted=True)
    assert (found.area, found.rotation, found.flipped) == (setting.area, 0, False)
    assert (found.graphics, found.labels, found.lacks) == (setting.graphics, setting.labels, ())
    head = read_head(elements_of(state_file(IMAGE, setting)))
    assert (head.description, head.date, head.time) == ("For Dr. \u00c4", "20261124", "093015")
    assert head.images == (reference(IMAGE),)


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({0x00280030: ("DS", "0.5\\0.25")}, "0.5\\0.25"),
        ({0x00280030: ("DS", "0\\0"), 0x00181164: ("DS", "0.1\\0.1")}, "0.1\\0.1"),
        ({0x00280030: ("DS", "x\\1"), 0x00280034: ("IS", "2\\1")}, "2\\1"),
        ({}, "1\\1"),
    ],
)
def test_the_proportion_of_a_pixel_is_the_image_s_where_it_makes_sense(elements: dict[int, Any], said: str) -> None:
    whole = {0x00280004: ("CS", "MONOCHROME2"), 0x00281050: ("DS", "5"), 0x00281051: ("DS", "9")} | elements
    made = presentation_state(header(encode(whole)), making(GREY_CLASS), reference(IMAGE), Setting())
    (area,) = elements_of(made)[0x0070005A].items
    assert said in (text_of(area, 0x00700101), text_of(area, 0x00700102))


# The corners as the standard wants them: where they stand once the image is turned and flipped (PS3.3 C.10.4).
@pytest.mark.parametrize(
    ("rotation", "flipped", "first", "last"),
    [
        (0, False, (10, 20), (110, 320)),
        (90, False, (10, 320), (110, 20)),
        (180, False, (110, 320), (10, 20)),
        (270, False, (110, 20), (10, 320)),
        (0, True, (110, 20), (10, 320)),
        (90, True, (10, 20), (110, 320)),
        (180, True, (10, 320), (110, 20)),
        (270, True, (110, 320), (10, 20)),
    ],
)
def test_corners_of_a_turned_image(rotation: int, flipped: bool, first: Any, last: Any) -> None:
    setting = Setting(area=(10, 20, 110, 320), rotation=rotation, flipped=flipped)
    (area,) = elements_of(state_file(IMAGE, setting))[0x0070005A].items
    corners = [tuple(int(one) for one in text_of(area, tag).split("\\")) for tag in (0x00700052, 0x00700053)]
    assert corners == [first, last]
    found = shown(setting)
    assert (found.area, found.rotation, found.flipped) == (setting.area, rotation, flipped)


def test_without_a_window_of_the_reader_s_the_image_s_own_way_is_kept() -> None:
    grey = shown(Setting()).grey
    assert grey is not None
    assert (grey.window, grey.slope, grey.intercept) == (Window(40, 400), 1.0, -1024.0)
    exact = of_image({0x00281056: ("CS", "LINEAR_EXACT")}).grey
    assert exact is not None
    assert exact.window == Window(50, 100, WindowFunction.LINEAR_EXACT)
    table = {0x00283002: ("US", [3, 0, 8]), 0x00283006: ("OW", struct.pack("<3H", 0, 5, 255))}
    looked_up = of_image({0x00283010: ("SQ", [table])}).grey
    assert looked_up is not None
    assert looked_up.voi_lut == Table(0, 8, (0, 5, 255))
    modality = of_image({0x00283000: ("SQ", [table | {0x00283004: ("LO", "US")}])}).grey
    assert modality is not None
    assert modality.modality_lut == Table(0, 8, (0, 5, 255))


def test_functional_groups_of_the_frame_come_first() -> None:
    def group(slope: str, center: str) -> dict[int, tuple[str, Any]]:
        value = {0x00281052: ("DS", "1"), 0x00281053: ("DS", slope)}
        voi = {0x00281050: ("DS", center), 0x00281051: ("DS", "9")}
        return {0x00289145: ("SQ", [value]), 0x00289132: ("SQ", [voi])}

    shared = {0x52009229: ("SQ", [group("5", "7")])}
    grey = of_image(shared | {0x52009230: ("SQ", [group("2", "3"), group("4", "6")])}).grey
    assert grey is not None
    assert (grey.slope, grey.window) == (4.0, Window(6, 9))
    grey = of_image(shared).grey
    assert grey is not None
    assert (grey.slope, grey.window) == (5.0, Window(7, 9))


@pytest.mark.parametrize(
    ("elements", "inverted"),
    [
        ({}, False),
        ({0x00280004: ("CS", "MONOCHROME1")}, True),
        ({0x20500020: ("CS", "INVERSE")}, True),
        ({0x00280004: ("CS", "MONOCHROME1"), 0x20500020: ("CS", "INVERSE")}, True),
    ],
)
def test_the_polarity_is_said_whatever_the_image_says_it_by(elements: dict[int, Any], inverted: bool) -> None:
    grey = of_image(elements).grey
    assert grey is not None
    assert grey.inverted is inverted


def test_what_was_changed_under_a_state_stands_on_that_state() -> None:
    base = Shown(Grey(window=Window(1, 5), inverted=True), graphics=(LINE,), labels=(Label("x", "PIXEL", (1, 1)),))
    made = presentation_state(header(IMAGE), making(GREY_CLASS), reference(IMAGE), Setting(inverted=True), base)
    found = read_shown(elements_of(made), IMAGE.sop_uid, 1)
    assert found.grey is not None
    assert (found.grey.window, found.grey.inverted) == (Window(1, 5), False)
    assert (found.graphics, found.labels) == (base.graphics, base.labels)
    table = Table(-5, 12, (0, 7, 4095))
    base = Shown(Grey(voi_lut=table, presentation_lut=Table(0, 8, (0, 9, 255))))
    made = presentation_state(header(IMAGE), making(GREY_CLASS), reference(IMAGE), Setting(), base)
    found = read_shown(elements_of(made), IMAGE.sop_uid, 1)
    assert found.grey is not None
    assert (found.grey.voi_lut, found.grey.presentation_lut) == (table, Table(0, 8, (0, 9, 255)))


@pytest.mark.parametrize("base", [Grey(), Grey(2.5, -7.0), Grey(modality_lut=Table(0, 8, (0, 9, 255)))])
def test_a_window_set_under_a_state_means_what_it_meant_there(base: Grey) -> None:
    setting = Setting(Window(1064, 400))  # the image's own intercept is -1024
    made = presentation_state(header(IMAGE), making(GREY_CLASS), reference(IMAGE), setting, Shown(base))
    found = read_shown(elements_of(made), IMAGE.sop_uid, 1)
    assert found.grey == replace(base, window=setting.window)
    made = presentation_state(header(IMAGE), making(GREY_CLASS), reference(IMAGE), Setting(), Shown(base))
    assert read_shown(elements_of(made), IMAGE.sop_uid, 1).grey == base


def test_what_a_state_draws_stays_as_it_is_and_what_cannot_be_kept_is_said() -> None:
    filled = Graphic("ELLIPSE", "DISPLAY", ((0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75)), filled=True)
    base = Shown(
        Grey(window=Window(1, 5)), graphics=(filled, LINE), labels=(Label("LEFT", "DISPLAY", (0.5, 0.5)), BOXED)
    )
    made = presentation_state(header(IMAGE), making(GREY_CLASS), reference(IMAGE), Setting(), base)
    found = read_shown(elements_of(made), IMAGE.sop_uid, 1)
    assert (found.graphics, found.labels) == (base.graphics, base.labels)
    lacking = replace(base, lacks=("a shutter",))
    with pytest.raises(BadRequest, match="a shutter"):
        presentation_state(header(IMAGE), making(GREY_CLASS), reference(IMAGE), Setting(), lacking)


def test_an_image_that_says_too_much_of_its_frames_is_refused_where_all_of_it_is_needed() -> None:
    whole = encode({0x00080060: ("CS", "CT"), 0x00281050: ("DS", "50\\" * 600)})
    assert set(pick(whole, syntax(EXPLICIT_LE), NEEDED, 1000)) == {0x00080060}
    with pytest.raises(MalformedObject, match="larger"):
        pick(whole, syntax(EXPLICIT_LE), NEEDED, 1000, all_of_them=True)


def test_colour_and_an_image_without_a_window_are_refused_with_what_to_do() -> None:
    with pytest.raises(BadRequest, match="colour") as colour:
        of_image({0x00280004: ("CS", "RGB")})
    assert "key image" in colour.value.hint
    with pytest.raises(BadRequest, match="window"):
        of_image({0x00281050: ("DS", "")})


def test_only_items_about_the_image_and_frame_count() -> None:
    def about(uid: str, frames: str = "") -> dict[int, tuple[str, Any]]:
        sop = {0x00081155: ("UI", uid)} | ({0x00081160: ("IS", frames)} if frames else {})
        return {0x00081140: ("SQ", [sop])}

    def area(right: int) -> dict[int, tuple[str, Any]]:
        return {0x00700052: ("SL", [1, 1]), 0x00700053: ("SL", [right, 9])}

    state = {0x0070005A: ("SQ", [about("1.6") | area(2), about("1.5", "3\\4") | area(3), about("1.5") | area(4)])}
    assert read(state, 3).area == (1, 1, 3, 9)
    assert read(state, 2).area == (1, 1, 4, 9)
    assert read({0x0070005A: ("SQ", [about("1.6") | area(2)])}).area is None


def test_a_colour_state_says_nothing_of_grey_and_what_is_not_read_is_said() -> None:
    state = {0x00080016: ("UI", COLOUR_CLASS), 0x00181600: ("CS", "RECTANGULAR"), 0x60021001: ("CS", "L")}
    found = read(state)
    assert (found.grey, found.lacks) == (None, ("a shutter", "an overlay"))
    bad = {0x00700023: ("CS", "SPIRAL"), 0x00700022: ("FL", [1.0, 1.0]), 0x00700005: ("CS", "PIXEL")}
    nan = {0x00700023: ("CS", "POINT"), 0x00700022: ("FL", [math.nan, 1.0]), 0x00700005: ("CS", "PIXEL")}
    wordless = {0x00700006: ("ST", "far away"), 0x00700004: ("CS", "MATRIX"), 0x00700014: ("FL", [1.0, 1.0])}
    item = {0x00700009: ("SQ", [bad, nan]), 0x00700008: ("SQ", [wordless])}
    assert read({0x00700001: ("SQ", [item])}).lacks == ("a graphic", "a text")


def test_a_state_without_anything_is_the_identity() -> None:
    assert read({}) == Shown(Grey())
    assert read({0x00700042: ("US", 45)}).rotation == 0
    assert read({0x00283110: ("SQ", [{0x00281050: ("DS", "x"), 0x00281051: ("DS", "-1")}])}).grey == Grey()


@given(st.floats(-1e12, 1e12))
def test_a_number_fits_its_16_characters(number: float) -> None:
    text = _decimal(number)
    assert len(text) <= 16
    assert float(text) == pytest.approx(number, rel=1e-8)


_TAGS = st.one_of(
    st.sampled_from(
        [0x00080016, 0x00081140, 0x00081155, 0x00081160, 0x00081115, 0x00283000, 0x00283002, 0x00283006, 0x00283010]
    ),
    st.sampled_from(
        [0x00281050, 0x00281051, 0x00281053, 0x00283110, 0x20500010, 0x20500020, 0x0070005A, 0x00700052, 0x00700053]
    ),
    st.sampled_from(
        [0x00700001, 0x00700008, 0x00700009, 0x00700006, 0x00700014, 0x00700022, 0x00700023, 0x00700005, 0x00700042]
    ),
    st.sampled_from([0x0040A043, 0x0040A730, 0x0040A375, 0x0040A040, 0x00081199, 0x00080005]),
)
_VALUES = st.one_of(
    st.binary(max_size=24),
    st.sampled_from([b"PIXEL", b"POLYLINE", b"IMAGE", b"1\\2\\-3", b"1e400", b"-1", b"\xff\xff\0\0\x10\0", b"9" * 30]),
)
_VRS = st.sampled_from(["US", "SS", "SL", "FL", "DS", "IS", "CS", "OW", "UN", "UI"])
_ELEMENTS: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(_TAGS, st.tuples(_VRS, _VALUES), max_size=8),
    lambda inner: st.dictionaries(
        _TAGS, st.one_of(st.tuples(_VRS, _VALUES), st.tuples(st.just("SQ"), st.lists(inner, max_size=3))), max_size=8
    ),
    max_leaves=12,
)


def _as_elements(given_ones: dict[int, tuple[str, Any]]) -> Elements:
    return {
        tag: Element(tag, vr, tuple(_as_elements(item) for item in value) if vr == "SQ" else value)
        for tag, (vr, value) in given_ones.items()
    }


@given(_ELEMENTS)
def test_whatever_a_document_holds_it_is_read_as_far_as_it_goes(given_ones: dict[int, tuple[str, Any]]) -> None:
    elements = _as_elements(given_ones)
    shown = read_shown(elements, "1.5", 1)
    assert shown.rotation in (0, 90, 180, 270)
    read_head(elements)
    read_key_object(elements)
