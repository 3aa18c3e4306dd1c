"""How an object says its pixels are to be seen: modality transformation, VOI, palette (PS3.3 C.7.6.3, C.11).

Read with pydicom, in the decode worker only.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from fileroom.dicom.header import Pixels
from fileroom.dicom.render_options import Grey, Table, Window, WindowFunction, valid_window
from fileroom.dicom.rewrite import rewrite
from fileroom.dicom.syntax import EXPLICIT_LE, TransferSyntax
from fileroom.dicom.syntax import syntax as known_syntax
from fileroom.errors import UndecodableImage

if TYPE_CHECKING:
    import numpy
    from pydicom import Dataset

    Array = numpy.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Lut:
    """A look-up table (PS3.3 C.11.1.1): values below `first` take the first entry, values behind the last the last."""

    first: int
    bits: int  # of an entry
    entries: Array


@dataclass(frozen=True, slots=True, eq=False)
class Presentation:
    """What to do to stored values."""

    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: Lut | None = None
    window: Window | None = None
    voi_lut: Lut | None = None
    padding: tuple[int, int] | None = None  # stored values, from and to, that are no image
    palette: Array | None = None  # (2 ** bits_stored, 3) bytes, by stored value
    inverted: bool = False  # Presentation LUT Shape INVERSE
    presentation_lut: Lut | None = None  # behind the VOI (PS3.3 C.11.4)


def read_presentation(attributes: bytes, syntax: TransferSyntax, pixels: Pixels, frame: int) -> Presentation:
    """Of a dataset's bytes before the pixel data. Values that make no sense are passed over.

    `frame` counts from 0; functional groups of enhanced objects are those of that frame.
    Raises UndecodableImage when the attributes cannot be read, or a palette is missing.
    """
    from pydicom.filereader import read_dataset

    if syntax.big_endian:
        attributes, syntax = b"".join(rewrite(attributes, syntax, EXPLICIT_LE)), known_syntax(EXPLICIT_LE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = read_dataset(BytesIO(attributes), syntax.implicit, True)
            return _presentation(dataset, pixels, frame)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError, OSError) as error:
            raise UndecodableImage("the attributes that say how to show it cannot be read") from error
        except (struct.error, RecursionError, OverflowError) as error:
            raise UndecodableImage("the attributes that say how to show it are damaged") from error


def _presentation(dataset: Dataset, pixels: Pixels, frame: int) -> Presentation:
    if pixels.photometric == "PALETTE COLOR":
        return Presentation(palette=_palette(dataset, pixels))
    modality = _group(dataset, frame, "PixelValueTransformationSequence")
    voi = _group(dataset, frame, "FrameVOILUTSequence")
    return Presentation(
        slope=_number(modality, "RescaleSlope", 1.0) or 1.0,
        intercept=_number(modality, "RescaleIntercept", 0.0),
        modality_lut=_lut(dataset, "ModalityLUTSequence"),
        window=_window(voi),
        voi_lut=_lut(voi, "VOILUTSequence"),
        padding=_padding(dataset),
        inverted=dataset.get("PresentationLUTShape") == "INVERSE" and pixels.photometric != "MONOCHROME1",
    )


def presented(own: Presentation, grey: Grey, pixels: Pixels) -> Presentation:
    """The same values as a presentation state has them shown; a palette's colours stay what they are."""
    modality_lut, window, voi_lut = _as_lut(grey.modality_lut), grey.window, _as_lut(grey.voi_lut)
    if window is None and voi_lut is None and pixels.bits_stored <= 16:
        window = _every_value(grey, modality_lut, pixels)
    return replace(
        own,
        slope=grey.slope,
        intercept=grey.intercept,
        modality_lut=modality_lut,
        window=window,
        voi_lut=voi_lut,
        presentation_lut=_as_lut(grey.presentation_lut),
        inverted=grey.inverted != (pixels.photometric == "MONOCHROME1"),
    )


def _every_value(grey: Grey, modality_lut: Lut | None, pixels: Pixels) -> Window:
    """From the least to the largest value that the modality transformation can give."""
    if modality_lut is not None:
        low, high = 0.0, float((1 << modality_lut.bits) - 1)
    else:
        least = -(1 << (pixels.bits_stored - 1)) if pixels.pixel_representation else 0
        ends = [value * grey.slope + grey.intercept for value in (least, least + (1 << pixels.bits_stored) - 1)]
        low, high = min(ends), max(ends)
    return Window((low + high) / 2, max(high - low, 1e-6), WindowFunction.LINEAR_EXACT)


def _as_lut(table: Table | None) -> Lut | None:
    import numpy

    return None if table is None else Lut(table.first, table.bits, numpy.asarray(table.entries, dtype=numpy.int64))


def _group(dataset: Dataset, frame: int, keyword: str) -> Dataset:
    """The functional group macro of this frame, else the shared one, else the dataset itself (PS3.3 C.7.6.16)."""
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for item in (*groups[frame : frame + 1], *shared[:1]):
        macro = item.get(keyword)
        if macro:
            return macro[0]  # type: ignore[no-any-return]  # a sequence's items are datasets
    return dataset


def _number(dataset: Dataset, keyword: str, default: float) -> float:
    value = dataset.get(keyword)
    if value is None or value == "" or isinstance(value, bytes):
        return default
    return float(value)


def _window(dataset: Dataset) -> Window | None:
    centers, widths = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if centers in (None, "") or widths in (None, ""):
        return None
    center = float(centers[0] if hasattr(centers, "__getitem__") else centers)
    width = float(widths[0] if hasattr(widths, "__getitem__") else widths)
    name = str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()
    function = WindowFunction.__members__.get(name, WindowFunction.LINEAR)
    return Window(center, width, function) if valid_window(center, width, function) else None


def _lut(dataset: Dataset, keyword: str) -> Lut | None:
    import numpy

    items = dataset.get(keyword)
    if not items or "LUTData" not in items[0] or len(items[0].get("LUTDescriptor") or ()) != 3:
        return None
    count, first, bits = (int(number) for number in items[0].LUTDescriptor)
    data = items[0].LUTData
    count = count & 0xFFFF or 65536  # 0 is 2^16 (PS3.3 C.11.1.1.1); some readers give it a sign
    if isinstance(data, bytes):
        entries = numpy.frombuffer(data, numpy.uint8 if len(data) < 2 * count else "<u2")
    else:
        entries = numpy.atleast_1d(numpy.asarray(data, dtype=numpy.int64))
    entries = entries[:count]
    return Lut(first, bits, entries) if len(entries) and 1 <= bits <= 16 else None


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    value, limit = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    if not isinstance(value, int):
        return None
    ends = (value, limit if isinstance(limit, int) else value)
    return min(ends), max(ends)


def _palette(dataset: Dataset, pixels: Pixels) -> Array:
    """The palette laid out by stored value, as bytes (PS3.3 C.7.9), segmented tables included."""
    import numpy
    from pydicom.pixels.processing import apply_color_lut

    if not 1 <= pixels.bits_stored <= 16:
        raise ValueError("a palette needs at most 16 bits")
    values = numpy.arange(1 << pixels.bits_stored, dtype=numpy.uint16)
    table = apply_color_lut(values, dataset)
    return (table >> 8 if table.dtype.itemsize == 2 else table).astype(numpy.uint8)
