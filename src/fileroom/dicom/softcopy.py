"""Softcopy presentation states: how somebody had an image shown (PS3.3 A.33.1, A.33.2, C.10.4 to C.10.6, C.11).

Read from elements, which come from anybody: what makes no sense is passed over, what is not shown here is said.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from fileroom.dicom.companion import Reference
from fileroom.dicom.element import Elements, charset_of, items_of, number_of, text_of
from fileroom.dicom.render_options import Grey, Table, Window, WindowFunction, valid_window

GREY_CLASS = "1.2.840.10008.5.1.4.1.1.11.1"  # Grayscale Softcopy Presentation State
COLOUR_CLASS = "1.2.840.10008.5.1.4.1.1.11.2"

Point = tuple[float, float]

_POINTS_MAX = 20_000  # of all annotations together
_TEXTS_MAX = 500
_TEXT_CHARACTERS_MAX = 1024
_COORDINATE_MAX = 1 << 30
_NUMBER_MAX = 1e15
_KINDS = {
    "POINT": "POINT",
    "POLYLINE": "POLYLINE",
    "INTERPOLATED": "POLYLINE",
    "CIRCLE": "CIRCLE",
    "ELLIPSE": "ELLIPSE",
}
POINTS_LEAST = {"POINT": 1, "POLYLINE": 2, "CIRCLE": 2, "ELLIPSE": 4}  # of a graphic of each kind
_UNITS = ("PIXEL", "DISPLAY")
_IMAGES, _SERIES = 0x00081140, 0x00081115


@dataclass(frozen=True, slots=True)
class Graphic:
    """A line or closed curve: PIXEL is columns and rows from 0.0 at the image's corner, DISPLAY parts of the area."""

    kind: str  # POINT | POLYLINE | CIRCLE: middle, one point | ELLIPSE: both ends of two axes
    units: str
    points: tuple[Point, ...]
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """Some words, at a point or in a box."""

    text: str
    units: str
    anchor: Point
    boxed: bool = False  # the anchor is the top left corner of their box; else what they point at
    opposite: Point | None = None  # the bottom right corner of the box, when it says one
    justified: str = "LEFT"  # in the box: LEFT | RIGHT | CENTER


@dataclass(frozen=True, slots=True)
class Shown:
    """How one frame is shown."""

    grey: Grey | None = None  # None: a state that says nothing of grey
    area: tuple[int, int, int, int] | None = None  # left, top, right, bottom, from 1, before it is turned; all is in it
    rotation: int = 0  # degrees clockwise: 0, 90, 180, 270
    flipped: bool = False  # left to right, after it was turned
    graphics: tuple[Graphic, ...] = ()
    labels: tuple[Label, ...] = ()
    lacks: tuple[str, ...] = ()  # what it asks for that is not read here, in words


@dataclass(frozen=True, slots=True)
class StateHead:
    """What a presentation state is, before it is applied."""

    label: str
    description: str
    creator: str  # a person name as sent
    date: str  # DA
    time: str  # TM
    images: tuple[Reference, ...]


def read_head(elements: Elements) -> StateHead:
    """Of the state's dataset."""
    charset = charset_of(elements)
    images = tuple(
        Reference(
            text_of(sop, 0x00081150),
            text_of(sop, 0x00081155),
            text_of(series, 0x0020000E),
            _frames(sop),
        )
        for series in items_of(elements, _SERIES)
        for sop in items_of(series, _IMAGES)
    )
    return StateHead(
        text_of(elements, 0x00700080),
        text_of(elements, 0x00700081, charset),
        text_of(elements, 0x00700084, charset),
        text_of(elements, 0x00700082),
        text_of(elements, 0x00700083),
        images,
    )


def read_shown(elements: Elements, sop_uid: str, frame: int) -> Shown:
    """How the state has this frame of this image shown; `frame` counts from 1."""

    def about(tag: int) -> list[Elements]:
        return [item for item in items_of(elements, tag) if _concerns(item, sop_uid, frame)]

    areas, charset = about(0x0070005A), charset_of(elements)
    graphics, labels, lacks = _annotations(about(0x00700001), charset)
    rotation = number_of(elements, 0x00700042) or 0
    return Shown(
        grey=None if text_of(elements, 0x00080016) == COLOUR_CLASS else _grey(elements, about(0x00283110)),
        area=_area(areas[0]) if areas else None,
        rotation=rotation % 360 if rotation % 90 == 0 else 0,
        flipped=text_of(elements, 0x00700041) == "Y",
        graphics=graphics,
        labels=labels,
        lacks=(*lacks, *_unread(elements)),
    )


def _concerns(item: Elements, sop_uid: str, frame: int) -> bool:
    images = items_of(item, _IMAGES)
    return not images or any(
        text_of(sop, 0x00081155) == sop_uid and frame in (_frames(sop) or (frame,)) for sop in images
    )


def _grey(elements: Elements, voi: list[Elements]) -> Grey:
    """What is absent is the identity, whatever the image says (PS3.4 N.2.1)."""
    modality = items_of(elements, 0x00283000)
    shape = items_of(elements, 0x20500010)
    return Grey(
        slope=_decimal(elements, 0x00281053, 1.0) or 1.0,
        intercept=_decimal(elements, 0x00281052, 0.0),
        modality_lut=_table(modality[0]) if modality else None,
        window=_window(voi[0]) if voi else None,
        voi_lut=_table(items_of(voi[0], 0x00283010)[0]) if voi and items_of(voi[0], 0x00283010) else None,
        presentation_lut=_table(shape[0]) if shape else None,
        inverted=text_of(elements, 0x20500020) == "INVERSE",
    )


def _window(item: Elements) -> Window | None:
    center, width = _decimal(item, 0x00281050, math.nan), _decimal(item, 0x00281051, math.nan)
    function = WindowFunction.__members__.get(text_of(item, 0x00281056), WindowFunction.LINEAR)
    return Window(center, width, function) if valid_window(center, width, function) else None


def _table(item: Elements) -> Table | None:
    descriptor = text_of(item, 0x00283002).split("\\")
    data = item.get(0x00283006)
    if len(descriptor) != 3 or data is None or not isinstance(data.value, bytes):
        return None
    try:
        count, first, bits = (int(number) for number in descriptor)
    except ValueError:
        return None
    count = count & 0xFFFF or 65536  # 0 is 2^16 (PS3.3 C.11.1.1.1)
    wide = len(data.value) >= 2 * count
    values = data.value[: 2 * count] if wide else data.value[:count]
    entries = struct.unpack(f"<{len(values) // 2}H", values[: len(values) // 2 * 2]) if wide else tuple(values)
    return Table(first, bits, entries) if entries and 1 <= bits <= 16 else None


def _area(item: Elements) -> tuple[int, int, int, int] | None:
    corners = [_integers(item, tag) for tag in (0x00700052, 0x00700053)]
    if any(len(corner) != 2 for corner in corners):
        return None
    (left, top), (right, bottom) = corners
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def _annotations(items: list[Elements], charset: str) -> tuple[tuple[Graphic, ...], tuple[Label, ...], tuple[str, ...]]:
    graphics: list[Graphic] = []
    labels: list[Label] = []
    lacks, left = set[str](), _POINTS_MAX
    for item in items:
        for one in items_of(item, 0x00700009):
            graphic = _graphic(one)
            left -= len(graphic.points) if graphic else 0
            if graphic is None or left < 0:
                lacks.add("a graphic")
            else:
                graphics.append(graphic)
        for one in items_of(item, 0x00700008):
            label = _label(one, charset)
            if label is None or len(labels) >= _TEXTS_MAX:
                lacks.add("a text")
            else:
                labels.append(label)
        if items_of(item, 0x00700209):
            lacks.add("a compound graphic")
    return tuple(graphics), tuple(labels), tuple(sorted(lacks))


def _graphic(item: Elements) -> Graphic | None:
    kind, units = _KINDS.get(text_of(item, 0x00700023)), text_of(item, 0x00700005)
    points = tuple(_points(item, 0x00700022))
    if kind is None or units not in _UNITS or len(points) < POINTS_LEAST[kind]:
        return None
    return Graphic(kind, units, points, text_of(item, 0x00700024) == "Y")


def _label(item: Elements, charset: str) -> Label | None:
    text = text_of(item, 0x00700006, charset)[:_TEXT_CHARACTERS_MAX]
    units, point = text_of(item, 0x00700004), next(_points(item, 0x00700014), None)
    if point is not None and units in _UNITS and text:
        return Label(text, units, point)
    units, point = text_of(item, 0x00700003), next(_points(item, 0x00700010), None)
    if point is not None and units in _UNITS and text:
        justified = text_of(item, 0x00700012)
        justified = justified if justified in ("RIGHT", "CENTER") else "LEFT"
        return Label(text, units, point, True, next(_points(item, 0x00700011), None), justified)
    return None


def _points(elements: Elements, tag: int) -> Iterator[Point]:
    element = elements.get(tag)
    value = element.value if element is not None and element.vr == "FL" and isinstance(element.value, bytes) else b""
    for x, y in struct.iter_unpack("<ff", value[: len(value) // 8 * 8]):
        if not (abs(x) < _COORDINATE_MAX and abs(y) < _COORDINATE_MAX):  # NaN neither
            return
        yield x, y


def _unread(elements: Elements) -> Iterator[str]:
    if 0x00181600 in elements:
        yield "a shutter"
    if 0x00286100 in elements:
        yield "a mask that is subtracted"
    if any(tag >> 16 & 0xFF01 == 0x6000 and tag & 0xFFFF == 0x1001 for tag in elements):
        yield "an overlay"


def _integers(elements: Elements, tag: int) -> list[int]:
    parts = text_of(elements, tag).split("\\")
    return [int(part) for part in parts if part.removeprefix("-").isdigit() and part.isascii() and len(part) < 12]


def _decimal(elements: Elements, tag: int, default: float) -> float:
    try:
        found = float(text_of(elements, tag).partition("\\")[0])
    except ValueError:
        return default
    return found if math.isfinite(found) and abs(found) < _NUMBER_MAX else default


def _frames(sop: Elements) -> tuple[int, ...]:
    return tuple(_integers(sop, 0x00081160))
