"""Making a Grayscale Softcopy Presentation State from what a reader set on one image (PS3.3 A.33.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from itertools import chain

from fileroom.dicom.companion import (
    CARRIED,
    Making,
    Reference,
    begun,
    by_tag,
    date_time,
    finished,
    floats,
    sequence,
)
from fileroom.dicom.element import Element, Elements, items_of, number_element, number_of, text_element, text_of
from fileroom.dicom.render_options import Grey, Table, Window, WindowFunction
from fileroom.dicom.softcopy import Graphic, Label, Shown
from fileroom.errors import BadRequest

_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_MODALITY, _VOI = 0x00289145, 0x00289132  # functional group macros of the two transformations
_CENTER, _WIDTH, _FUNCTION, _VOI_LUT = 0x00281050, 0x00281051, 0x00281056, 0x00283010
_INTERCEPT, _SLOPE, _TYPE, _MODALITY_LUT = 0x00281052, 0x00281053, 0x00281054, 0x00283000
_PHOTOMETRIC, _SHAPE, _ROWS, _COLUMNS = 0x00280004, 0x20500020, 0x00280010, 0x00280011
_SPACING, _DETECTOR_SPACING, _ASPECT = 0x00280030, 0x00181164, 0x00280034
_SOFTCOPY_VOI = 0x00283110
_LAYER = "READER"

NEEDED = CARRIED | {
    *(_CENTER, _WIDTH, _FUNCTION, _VOI_LUT, _INTERCEPT, _SLOPE, _TYPE, _MODALITY_LUT),
    *(_PHOTOMETRIC, _SHAPE, _ROWS, _COLUMNS, _SPACING, _DETECTOR_SPACING, _ASPECT, _SHARED, _PER_FRAME),
    0x00080060,
}
"""Tags to read of an image, for `presentation_state`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a reader set. The defaults leave the image as it asks to be shown itself."""

    window: Window | None = None
    inverted: bool = False  # against how the image asks to be shown
    area: tuple[int, int, int, int] | None = None  # left, top, right, bottom, from 1, before it is turned
    rotation: int = 0  # degrees clockwise: 0, 90, 180, 270
    flipped: bool = False  # left to right, after it was turned
    graphics: tuple[Graphic, ...] = ()
    labels: tuple[Label, ...] = ()
    name: str = ""  # what the reader calls it


def presentation_state(
    image: Elements, making: Making, about: Reference, setting: Setting, base: Shown | None = None
) -> bytes:
    """The state as a file; it is about the frames that `about` names. `image`: its elements, those of NEEDED.

    `base`: the state that the image was shown by when the reader set something; what is drawn in it stays, and its
    greys stand in for the image's own.

    Raises BadRequest when the image is in colour, or nobody says which window it has.
    """
    photometric = text_of(image, _PHOTOMETRIC)
    if not photometric.startswith("MONOCHROME"):
        raise BadRequest("how a colour image is shown cannot be kept", hint="mark it as a key image instead")
    frame = about.frames[0] if about.frames else 1
    grey = base.grey if base else None
    if base is not None:
        if base.lacks:
            raise BadRequest(
                f"the state it is shown by has {', '.join(base.lacks)}, which cannot be kept",
                hint="choose another one under Shown as, then save how it is shown",
            )
        setting = replace(setting, graphics=(*base.graphics, *setting.graphics), labels=(*base.labels, *setting.labels))
    texts = [setting.name, *(label.text for label in setting.labels)]
    elements, charset, moment = begun(image, making, texts)
    date, time = date_time(moment)
    elements |= by_tag(
        text_element(0x00200060, "CS", ""),  # Laterality: of a series of images of either side
        text_element(0x00700080, "CS", "FILEROOM"),
        text_element(0x00700081, "LO", setting.name, charset),
        text_element(0x00700082, "DA", date),
        text_element(0x00700083, "TM", time),
        text_element(0x00700084, "PN", ""),
        sequence(0x00081115, _referenced(about)),
        sequence(0x0070005A, _area(image, setting)),
        number_element(0x00700042, "US", setting.rotation),
        text_element(0x00700041, "CS", "Y" if setting.flipped else "N"),
        *(_modality(image, frame) if grey is None else _modality_of(grey)),
        *_voi(image, frame, setting.window, grey),
        _polarity(image, photometric, setting.inverted, grey),
        *_annotations(setting, charset),
    )
    return finished(elements)


def _referenced(about: Reference) -> Elements:
    return by_tag(
        text_element(0x0020000E, "UI", about.series_uid), sequence(0x00081140, by_tag(*about.sop()))
    )  # fmt: skip


def _area(image: Elements, setting: Setting) -> Elements:
    """Corners as they stand once the image is turned and flipped (PS3.3 C.10.4)."""
    columns, rows = number_of(image, _COLUMNS) or 1, number_of(image, _ROWS) or 1
    left, top, right, bottom = setting.area or (1, 1, columns, rows)
    turning = [(left, top), (right, top), (right, bottom), (left, bottom)]
    turns = setting.rotation // 90
    turned = turning[-turns:] + turning[:-turns] if turns else turning
    first = turned[1] if setting.flipped else turned[0]
    last = turned[3] if setting.flipped else turned[2]
    return by_tag(
        number_element(0x00700052, "SL", *first),
        number_element(0x00700053, "SL", *last),
        text_element(0x00700100, "CS", "SCALE TO FIT"),
        _proportion(image),
    )


def _proportion(image: Elements) -> Element:
    for tag in (_SPACING, _DETECTOR_SPACING):
        if _are_lengths(text_of(image, tag)):
            return text_element(0x00700101, "DS", text_of(image, tag))
    aspect = text_of(image, _ASPECT)
    return text_element(0x00700102, "IS", aspect if _are_lengths(aspect) else "1\\1")


def _are_lengths(text: str) -> bool:
    """Whether these are two numbers above zero."""
    try:
        return len(numbers := [float(part) for part in text.split("\\")]) == 2 and min(numbers) > 0
    except ValueError:
        return False


def _group(image: Elements, frame: int, macro: int) -> Elements:
    """The functional group macro of this frame, else the shared one, else the image itself (PS3.3 C.7.6.16)."""
    for item in chain(items_of(image, _PER_FRAME)[frame - 1 : frame], items_of(image, _SHARED)[:1]):
        if items_of(item, macro):
            return items_of(item, macro)[0]
    return image


def _modality(image: Elements, frame: int) -> list[Element]:
    """What turns stored values into those the window is about: without it a state means the stored ones."""
    if items_of(image, _MODALITY_LUT):
        return [sequence(_MODALITY_LUT, items_of(image, _MODALITY_LUT)[0])]
    said = _group(image, frame, _MODALITY)
    slope = text_of(said, _SLOPE)
    if not slope:
        return []
    hounsfield = text_of(image, 0x00080060) == "CT"
    return [
        text_element(_INTERCEPT, "DS", text_of(said, _INTERCEPT) or "0"),
        text_element(_SLOPE, "DS", slope),
        text_element(_TYPE, "LO", text_of(said, _TYPE) or ("HU" if hounsfield else "US")),
    ]


def _modality_of(grey: Grey) -> list[Element]:
    """The same of a state whose window, or one set over it, is kept."""
    if grey.modality_lut is not None:
        return [sequence(_MODALITY_LUT, _table(grey.modality_lut) | by_tag(text_element(0x00283004, "LO", "US")))]
    if (grey.slope, grey.intercept) == (1, 0):
        return []
    return [
        text_element(_INTERCEPT, "DS", _decimal(grey.intercept)),
        text_element(_SLOPE, "DS", _decimal(grey.slope)),
        text_element(_TYPE, "LO", "US"),
    ]


def _voi(image: Elements, frame: int, window: Window | None, grey: Grey | None) -> list[Element]:
    """Softcopy VOI LUT (PS3.3 C.11.8); none when the state it stands on shows all values there can be."""
    if window is None and grey is not None and grey.voi_lut is None and grey.window is None:
        return []
    return [sequence(_SOFTCOPY_VOI, _voi_item(image, frame, window, grey))]


def _voi_item(image: Elements, frame: int, window: Window | None, grey: Grey | None) -> Elements:
    if window is None and grey is not None and grey.voi_lut is not None:
        return by_tag(sequence(_VOI_LUT, _table(grey.voi_lut)))
    window = window or (grey.window if grey else None)
    if window is not None:
        function = [] if window.function is WindowFunction.LINEAR else [str(window.function)]
        return by_tag(
            text_element(_CENTER, "DS", _decimal(window.center)),
            text_element(_WIDTH, "DS", _decimal(window.width)),
            *(text_element(_FUNCTION, "CS", name) for name in function),
        )
    said = _group(image, frame, _VOI)
    if items_of(said, _VOI_LUT):
        return by_tag(sequence(_VOI_LUT, items_of(said, _VOI_LUT)[0]))
    center, width = (text_of(said, tag).partition("\\")[0] for tag in (_CENTER, _WIDTH))
    if not center or not width:
        raise BadRequest("the image does not say its window", hint="set one, then save how it is shown")
    own = [text_element(_CENTER, "DS", center), text_element(_WIDTH, "DS", width)]
    if text_of(said, _FUNCTION):
        own.append(text_element(_FUNCTION, "CS", text_of(said, _FUNCTION)))
    return by_tag(*own)


def _table(table: Table) -> Elements:
    size, first = len(table.entries) & 0xFFFF, table.first & 0xFFFF
    return by_tag(
        number_element(
            0x00283002, "SS" if table.first < 0 else "US", *_signed(table.first < 0, size, first, table.bits)
        ),
        Element(0x00283006, "OW", struct.pack(f"<{len(table.entries)}H", *table.entries)),
    )


def _signed(signed: bool, *numbers: int) -> list[int]:
    return [number - 0x10000 if signed and number > 0x7FFF else number for number in numbers]


def _polarity(image: Elements, photometric: str, inverted: bool, grey: Grey | None) -> Element:
    """Presentation LUT Shape, or the table that a state had in its place."""
    if grey is not None and grey.presentation_lut is not None and not inverted:
        return sequence(0x20500010, _table(grey.presentation_lut))
    own = photometric == "MONOCHROME1" or text_of(image, _SHAPE) == "INVERSE"
    if grey is not None:
        own = grey.inverted
    return text_element(_SHAPE, "CS", "INVERSE" if own != inverted else "IDENTITY")


def _annotations(setting: Setting, charset: str) -> list[Element]:
    if not setting.graphics and not setting.labels:
        return []
    layer = text_element(0x00700002, "CS", _LAYER)
    item = [layer]
    if setting.labels:
        item.append(sequence(0x00700008, *(_text(label, charset) for label in setting.labels)))
    if setting.graphics:
        item.append(sequence(0x00700009, *(_graphic(graphic) for graphic in setting.graphics)))
    return [
        sequence(0x00700001, by_tag(*item)),
        sequence(0x00700060, by_tag(layer, text_element(0x00700062, "IS", "1"))),
    ]


def _text(label: Label, charset: str) -> Elements:
    if label.boxed and label.opposite is not None:
        return by_tag(
            text_element(0x00700003, "CS", label.units),
            text_element(0x00700006, "ST", label.text, charset),
            floats(0x00700010, label.anchor),
            floats(0x00700011, label.opposite),
            text_element(0x00700012, "CS", label.justified),
        )
    return by_tag(
        text_element(0x00700004, "CS", label.units),
        text_element(0x00700006, "ST", label.text, charset),
        floats(0x00700014, label.anchor),
        text_element(0x00700015, "CS", "Y"),
    )


def _graphic(graphic: Graphic) -> Elements:
    closed = graphic.kind in ("CIRCLE", "ELLIPSE") or graphic.points[0] == graphic.points[-1]
    return by_tag(
        text_element(0x00700005, "CS", graphic.units),
        number_element(0x00700020, "US", 2),
        number_element(0x00700021, "US", len(graphic.points)),
        floats(0x00700022, chain.from_iterable(graphic.points)),
        text_element(0x00700023, "CS", graphic.kind),
        *([text_element(0x00700024, "CS", "Y" if graphic.filled else "N")] if closed else []),
    )


def _decimal(number: float) -> str:
    """At most 16 characters (PS3.5 6.2, DS)."""
    return next(text for digits in range(15, 0, -1) if len(text := f"{number:.{digits}g}") <= 16)
