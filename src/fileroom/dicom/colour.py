"""Colour frames to RGB of 8 bits (PS3.3 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fileroom.dicom.header import Pixels
from fileroom.dicom.pixels import NativeFrame
from fileroom.errors import UndecodableImage

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


def show_colour(frame: NativeFrame) -> Array:
    """Three samples a pixel to RGB of 8 bits."""
    import numpy

    pixels = frame.pixels
    if pixels.samples != 3 or pixels.bits_allocated not in (8, 16, 32) or not 1 <= pixels.bits_stored <= 32:
        raise UndecodableImage(f"{pixels.samples} samples of {pixels.bits_allocated} bits are not shown")
    size = pixels.rows * pixels.columns * 3
    data = numpy.frombuffer(frame.data, f"<u{pixels.bits_allocated // 8}")
    if pixels.photometric.endswith("_422") and size // 3 * 2 <= data.size < size:
        samples = _from_422(data[: size // 3 * 2], pixels)
    elif data.size < size:
        raise UndecodableImage("the frame is shorter than declared")
    elif pixels.planar == 1:
        samples = data[:size].reshape(3, pixels.rows, pixels.columns).transpose(1, 2, 0)
    else:
        samples = data[:size].reshape(pixels.rows, pixels.columns, 3)
    if pixels.bits_allocated > 8 or pixels.bits_stored < 8:
        top = (1 << pixels.bits_stored) - 1
        samples = (numpy.minimum(samples, top).astype(numpy.float64) * (255.0 / top) + 0.5).astype(numpy.uint8)
    if pixels.photometric.startswith("YBR_FULL"):
        return _rgb(samples)
    if pixels.photometric == "RGB":
        return numpy.ascontiguousarray(samples)
    raise UndecodableImage(f"photometric interpretation {pixels.photometric[:16]!r} is not shown")


def _from_422(data: Array, pixels: Pixels) -> Array:
    """Y Y Cb Cr for two pixels (PS3.3 C.7.6.3.1.2) to Y Cb Cr for each."""
    import numpy

    if pixels.columns % 2:
        raise UndecodableImage("4:2:2 colour with an odd number of columns")
    pairs = data.reshape(pixels.rows, pixels.columns // 2, 4)
    out = numpy.empty((pixels.rows, pixels.columns, 3), data.dtype)
    out[:, 0::2, 0], out[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    out[:, 0::2, 1:], out[:, 1::2, 1:] = pairs[..., 2:], pairs[..., 2:]
    return out


def _rgb(samples: Array) -> Array:
    """YBR_FULL to RGB (PS3.3 C.7.6.3.1.2)."""
    import numpy

    ybr = samples.astype(numpy.float32)
    y, blue, red = ybr[..., 0], ybr[..., 1] - 128.0, ybr[..., 2] - 128.0
    rgb = numpy.stack((y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue), axis=-1)
    return numpy.clip(rgb + 0.5, 0, 255).astype(numpy.uint8)
