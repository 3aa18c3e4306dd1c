"""What a form says that a reader set: taken as it is, or refused."""

from __future__ import annotations

import pytest

from fileroom.dicom.render_options import Window
from fileroom.dicom.softcopy import Graphic, Label
from fileroom.dicom.softcopy_writing import Setting
from fileroom.errors import BadRequest
from fileroom.reading.setting import read_setting


def test_every_field_is_read_and_none_is_needed() -> None:
    annotations = '[{"kind": "POLYLINE", "points": [[1, 2], [3.5, 4]]}, {"text": " here ", "points": [[5, 6]]}]'
    fields = {
        "window": "40,400,linear",
        "invert": "1",
        "area": "-1,2,30,40",
        "rotation": "270",
        "flip": "1",
        "annotations": annotations,
        "name": " left\\right  lung ",
    }
    assert read_setting(fields) == Setting(
        Window(40, 400),
        True,
        (-1, 2, 30, 40),
        270,
        True,
        (Graphic("POLYLINE", "PIXEL", ((1.0, 2.0), (3.5, 4.0))),),
        (Label("here", "PIXEL", (5.0, 6.0)),),
        "left/right lung",
    )
    assert read_setting({}) == read_setting(dict.fromkeys(fields, "")) == Setting()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window", "40"),
        ("area", "1,2,3"),
        ("area", "1,2,x,4"),
        ("area", "9,2,3,4"),
        ("area", "1,2,3,99999999"),
        ("rotation", "45"),
        ("name", "x" * 65),
        ("name", "a\x1bb"),
        ("annotations", "{"),
        ("annotations", "{}"),
        ("annotations", "[1]"),
        ("annotations", '[{"kind": {}, "points": [[1, 2], [3, 4]]}]'),
        ("annotations", '[{"text": "a\\u0000b", "points": [[1, 2]]}]'),
        ("annotations", '[{"text": "a\\u001b$B", "points": [[1, 2]]}]'),
        ("annotations", '[{"kind": "SPIRAL", "points": [[1, 2], [3, 4]]}]'),
        ("annotations", '[{"kind": "POLYLINE", "points": [[1, 2]]}]'),
        ("annotations", '[{"kind": "POLYLINE", "points": [[1, 2], [3, true]]}]'),
        ("annotations", '[{"kind": "POLYLINE", "points": [[1, 2], [3, 1e300]]}]'),
        ("annotations", '[{"kind": "POLYLINE", "points": [[1, 2], [3, 4, 5]]}]'),
        ("annotations", '[{"text": "x", "points": []}]'),
        ("annotations", '[{"text": 5, "points": [[1, 2]]}]'),
        ("annotations", "[" + "[" * 5000),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, value: str) -> None:
    with pytest.raises(BadRequest):
        read_setting({field: value})
