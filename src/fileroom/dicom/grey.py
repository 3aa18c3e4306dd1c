"""Stored values to bytes of grey: modality transformation, VOI, polarity (PS3.3 C.11, PS3.4 N.2.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fileroom.dicom.header import Pixels
from fileroom.dicom.pixels import NativeFrame, expected_size
from fileroom.dicom.presentation import Lut, Presentation
from fileroom.dicom.render_options import Window, WindowFunction
from fileroom.errors import UndecodableImage

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_TABLE_BITS_MAX = 16  # stored values up to this depth go through one table


def show_single(frame: NativeFrame, look: Presentation, window: Window | None) -> Array:
    """One sample a pixel to bytes: (rows, columns) of grey, or (rows, columns, 3) of a palette's colours."""
    import numpy

    pixels = frame.pixels
    picture: Array
    stored, low = _stored(frame)
    if look.palette is not None:
        picture = look.palette[stored.view(f"u{stored.dtype.itemsize}") & (len(look.palette) - 1)]
        return picture
    grey = _grey_scale(stored, look, window, pixels)
    if stored.dtype.kind == "f" or pixels.bits_stored > _TABLE_BITS_MAX:
        return grey(stored)
    table = grey(numpy.arange(low, low + (1 << pixels.bits_stored), dtype=numpy.int64))
    if low:  # index from the end for negative values: the table is turned so that value 0 comes first
        table = numpy.roll(table, low)
    picture = numpy.take(table, stored, mode="wrap")
    return picture


def _stored(frame: NativeFrame) -> tuple[Array, int]:
    """The stored values, (rows, columns), and the least value they may have."""
    import numpy

    pixels = frame.pixels
    shape = (pixels.rows, pixels.columns)
    count = pixels.rows * pixels.columns
    if len(frame.data) < expected_size(pixels):
        raise UndecodableImage("the frame is shorter than declared")
    if pixels.keyword != "PixelData":
        kind = {32: "<f4", 64: "<f8"}.get(pixels.bits_allocated)
        if kind is None:
            raise UndecodableImage(f"floating-point pixels of {pixels.bits_allocated} bits")
        return numpy.frombuffer(frame.data, kind, count).reshape(shape), 0
    if pixels.bits_allocated == 1:
        bits = numpy.unpackbits(numpy.frombuffer(frame.data, numpy.uint8), bitorder="little")
        return bits[:count].reshape(shape), 0
    depth, stored_bits = pixels.bits_allocated, pixels.bits_stored
    if depth not in (8, 16, 32) or not 1 <= stored_bits <= depth or not stored_bits - 1 <= pixels.high_bit < depth:
        raise UndecodableImage(f"{depth} bits allocated, {stored_bits} stored, high bit {pixels.high_bit}")
    kind = "i" if pixels.pixel_representation else "u"
    values = numpy.frombuffer(frame.data, f"<{kind}{depth // 8}", count).reshape(shape)
    above, below = depth - 1 - pixels.high_bit, depth - stored_bits
    if below:  # drop what lies above the high bit, then what lies below the value; the sign follows
        values = (values << above) >> below
    return values, -(1 << (stored_bits - 1)) if pixels.pixel_representation else 0


def _grey_scale(stored: Array, look: Presentation, window: Window | None, pixels: Pixels) -> Callable[[Array], Array]:
    """The function from stored values to bytes of grey."""
    inverted = look.inverted != (pixels.photometric == "MONOCHROME1")
    chosen = window or (None if look.voi_lut is not None else look.window) or None
    if chosen is None and look.voi_lut is None:
        chosen = _whole_range(stored, look)

    def grey(values: Array) -> Array:
        import numpy

        values = _modality(values.astype(numpy.float64), look)
        level = _through(look.voi_lut, values) if chosen is None and look.voi_lut else _windowed(values, chosen)
        if look.presentation_lut is not None:
            level = _entries_over(look.presentation_lut, level)
        if inverted:
            level = 1.0 - level
        return numpy.rint(level * 255.0).astype(numpy.uint8)

    return grey


def _modality(values: Array, look: Presentation) -> Array:
    """PS3.3 C.11.1: the table when there is one, else slope and intercept."""
    if look.modality_lut is not None:
        return _entries(look.modality_lut, values)
    return values * look.slope + look.intercept


def _entries(lut: Lut, values: Array) -> Array:
    import numpy

    index = numpy.clip(numpy.nan_to_num(values) - lut.first, 0, len(lut.entries) - 1).astype(numpy.int64)
    found: Array = lut.entries[index].astype(numpy.float64)
    return found


def _entries_over(lut: Lut, level: Array) -> Array:
    """A Presentation LUT's output from 0 to 1; its whole table stands for 0 to 1 (PS3.3 C.11.4)."""
    top = max((1 << lut.bits) - 1, int(lut.entries.max()))
    return _entries(lut, level * (len(lut.entries) - 1) + lut.first) / top


def _through(lut: Lut, values: Array) -> Array:
    """A VOI LUT's output from 0 to 1; a table that uses more bits than it declares is believed."""
    top = max((1 << lut.bits) - 1, int(lut.entries.max()))
    return _entries(lut, values) / top


def _windowed(values: Array, window: Window | None) -> Array:
    """PS3.3 C.11.2.1.2.1, C.11.2.1.3: from 0 to 1."""
    import numpy

    if window is None:
        return numpy.zeros_like(values)
    values = numpy.nan_to_num(values)
    if window.function is WindowFunction.SIGMOID:
        power: Array = numpy.clip(-4.0 * (values - window.center) / window.width, -700.0, 700.0)
        level: Array = 1.0 / (1.0 + numpy.exp(power))
        return level
    if window.function is WindowFunction.LINEAR_EXACT:
        return numpy.clip((values - window.center) / window.width + 0.5, 0.0, 1.0)
    if window.width == 1.0:
        return (values > window.center - 0.5).astype(numpy.float64)
    return numpy.clip((values - (window.center - 0.5)) / (window.width - 1.0) + 0.5, 0.0, 1.0)


def _whole_range(stored: Array, look: Presentation) -> Window | None:
    """The window from the least to the largest value of this frame, padding left out; None when there is one only."""
    import numpy

    values = stored
    if look.padding is not None:
        values = values[(values < look.padding[0]) | (values > look.padding[1])]
    if values.dtype.kind == "f":
        values = values[numpy.isfinite(values)]
    if not values.size:
        return None
    if look.modality_lut is not None:
        reached = _modality(numpy.unique(values).astype(numpy.float64), look)
    else:
        reached = _modality(numpy.array([values.min(), values.max()], numpy.float64), look)
    low, high = float(reached.min()), float(reached.max())
    return Window((low + high) / 2, high - low, WindowFunction.LINEAR_EXACT) if high > low else None
