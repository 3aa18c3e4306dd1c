"""What a reader set on an image, from the fields of a form."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from fileroom.dicom.render_options import read_window
from fileroom.dicom.softcopy import POINTS_LEAST, Graphic, Label, Point
from fileroom.dicom.softcopy_writing import Setting
from fileroom.errors import BadRequest

NAME_CHARACTERS_MAX = 64  # LO (PS3.5 6.2)
_COORDINATE_MAX = 1 << 20  # pixels
_ANNOTATIONS_MAX = 200
_POINTS_MAX = 2000  # of one graphic
_TEXT_CHARACTERS_MAX = 1024  # ST (PS3.5 6.2)
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")  # what no text of a DICOM object may hold, but line ends


def read_setting(fields: Mapping[str, str]) -> Setting:
    """`window` (center,width,function), `invert`, `area` (left,top,right,bottom), `rotation`, `flip`, `annotations`
    (JSON) and `name`; each may be absent. Raises BadRequest.
    """
    name = " ".join(fields.get("name", "").replace("\\", "/").split())
    if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(f"a name has at most {NAME_CHARACTERS_MAX} characters")
    graphics, labels = _annotations(fields.get("annotations") or "[]")
    return Setting(
        window=read_window(fields["window"]) if fields.get("window") else None,
        inverted=fields.get("invert") == "1",
        area=_area(fields["area"]) if fields.get("area") else None,
        rotation=_rotation(fields.get("rotation") or "0"),
        flipped=fields.get("flip") == "1",
        graphics=graphics,
        labels=labels,
        name=name,
    )


def _area(text: str) -> tuple[int, int, int, int]:
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise BadRequest("area must be left,top,right,bottom") from None
    within = all(abs(edge) < _COORDINATE_MAX for edge in (left, top, right, bottom))
    if not within or left > right or top > bottom:
        raise BadRequest("area: an edge lies on the wrong side of its opposite, or too far out")
    return left, top, right, bottom


def _rotation(text: str) -> int:
    if text not in ("0", "90", "180", "270"):
        raise BadRequest("rotation must be 0, 90, 180 or 270")
    return int(text)


def _annotations(text: str) -> tuple[tuple[Graphic, ...], tuple[Label, ...]]:
    wrong = BadRequest("the annotations cannot be read", hint="reload the page and try again")
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise wrong from None
    if not isinstance(given, list) or len(given) > _ANNOTATIONS_MAX or not all(isinstance(one, dict) for one in given):
        raise wrong
    graphics, labels = [], []
    for one in given:
        points = tuple(_points(one.get("points"), wrong))
        if "text" in one:
            text = one["text"]
            if not isinstance(text, str) or not points or len(text) > _TEXT_CHARACTERS_MAX or _CONTROL.search(text):
                raise wrong
            if text.strip():
                labels.append(Label(text.strip(), "PIXEL", points[0]))
            continue
        kind = one.get("kind")
        if not isinstance(kind, str) or len(points) < POINTS_LEAST.get(kind, _POINTS_MAX + 1):
            raise wrong
        graphics.append(Graphic(kind, "PIXEL", points))
    return tuple(graphics), tuple(labels)


def _points(given: Any, wrong: BadRequest) -> Iterator[Point]:
    if not isinstance(given, list) or len(given) > _POINTS_MAX:
        raise wrong
    for point in given:
        if not isinstance(point, list) or len(point) != 2 or not all(_coordinate(number) for number in point):
            raise wrong
        yield float(point[0]), float(point[1])


def _coordinate(number: Any) -> bool:
    return type(number) in (int, float) and math.isfinite(number) and abs(number) < _COORDINATE_MAX
