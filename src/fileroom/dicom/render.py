"""A native frame as a picture: grey and colour to 8 bits, cut, scaled, PNG or JPEG (PS3.18 8.3.5, PS3.4 N.2).

Runs in the decode worker only. Overlays, shutters and ICC profiles are not applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fileroom.dicom.colour import show_colour
from fileroom.dicom.grey import show_single
from fileroom.dicom.pixels import NativeFrame
from fileroom.dicom.presentation import Presentation
from fileroom.dicom.render_options import RenderOptions, Viewport
from fileroom.errors import UndecodableImage

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

JPEG_SIDE_MAX = 65500  # libjpeg's bound


def render_frame(frame: NativeFrame, look: Presentation, options: RenderOptions) -> bytes:
    """The picture's bytes.

    The client's window comes first, then the object's VOI LUT, then its window, then the frame's range of values.
    Raises UndecodableImage when the pixels are of a kind that is not shown, or the region holds none.
    """
    picture = show_colour(frame) if frame.pixels.samples > 1 else show_single(frame, look, options.window)
    if options.viewport is not None:
        picture = _fit(picture, options.viewport)
    return _encode(picture, options)


def _fit(picture: Array, viewport: Viewport) -> Array:
    """The source region scaled, up or down, to fill the viewport as far as its aspect ratio lets it."""
    import numpy
    from PIL import Image

    rows, columns = picture.shape[:2]
    wide = columns - viewport.left if viewport.source_width is None else viewport.source_width
    high = rows - viewport.top if viewport.source_height is None else viewport.source_height
    region = picture[viewport.top : viewport.top + abs(high), viewport.left : viewport.left + abs(wide)]
    if not region.size:
        raise UndecodableImage("the viewport's source region lies outside the image")
    region = region[:: -1 if high < 0 else 1, :: -1 if wide < 0 else 1]
    scale = min(viewport.width / region.shape[1], viewport.height / region.shape[0])
    size = (max(1, round(region.shape[1] * scale)), max(1, round(region.shape[0] * scale)))
    image = Image.fromarray(numpy.ascontiguousarray(region))
    return numpy.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))


def _encode(picture: Array, options: RenderOptions) -> bytes:
    import imagecodecs

    try:
        if options.media_type == "image/png":
            return bytes(imagecodecs.png_encode(picture, level=1, strategy=3, filter=16))
        if max(picture.shape[:2]) > JPEG_SIDE_MAX:
            raise UndecodableImage(f"JPEG holds at most {JPEG_SIDE_MAX} pixels a side", hint="ask for image/png")
        return bytes(imagecodecs.jpeg8_encode(picture, level=options.quality))
    except RuntimeError as error:
        raise UndecodableImage("the picture could not be encoded") from error
