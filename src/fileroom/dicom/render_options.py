"""What a client may ask of a rendered image (PS3.18 8.3.5.1)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from fileroom.errors import BadRequest

VIEWPORT_MAX = 8192  # pixels a side
QUALITY = 90  # when the client does not say

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class WindowFunction(StrEnum):
    """VOI LUT Function (PS3.3 C.11.2.1.3)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """A grey window, in units behind the modality transformation."""

    center: float
    width: float
    function: WindowFunction = WindowFunction.LINEAR


@dataclass(frozen=True, slots=True)
class Viewport:
    """The room to fill, and the part of the image that fills it."""

    width: int  # pixels at most; the aspect ratio is kept
    height: int
    left: int = 0  # of the source region, in image pixels
    top: int = 0
    source_width: int | None = None  # None: to the right edge; negative: mirrored left to right
    source_height: int | None = None  # None: to the bottom edge; negative: upside down


@dataclass(frozen=True, slots=True)
class Table:
    """A look-up table (PS3.3 C.11.1.1): values below `first` take the first entry, values behind the last the last."""

    first: int
    bits: int  # of an entry
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grey:
    """What a presentation state does to stored values, in place of what the image says itself (PS3.4 N.2.1)."""

    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: Table | None = None  # in place of slope and intercept
    window: Window | None = None
    voi_lut: Table | None = None  # in place of the window; neither: all values there can be
    presentation_lut: Table | None = None
    inverted: bool = False  # whether the least value is white; the photometric interpretation does not count


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """One rendering."""

    media_type: str = "image/jpeg"  # or "image/png"
    quality: int = QUALITY  # 1..100, of JPEG
    window: Window | None = None  # None: the object's own VOI LUT or window, else its range of values
    viewport: Viewport | None = None  # None: one image pixel a pixel
    grey: Grey | None = None  # of a presentation state; a window of the client's own comes before its VOI


def read_quality(text: str) -> int:
    """The value of `quality`: 1 to 100 (PS3.18 8.3.5.1.2). Raises BadRequest."""
    number = _numbers(text)
    if len(number) != 1 or not 1 <= number[0] <= 100 or number[0] % 1:
        raise BadRequest("quality must be a whole number from 1 to 100")
    return int(number[0])


def read_window(text: str) -> Window:
    """The value of `window`: center,width,function (PS3.18 8.3.5.1.4). Raises BadRequest."""
    center, _, rest = text.partition(",")
    width, _, function = rest.partition(",")
    numbers = _numbers(f"{center},{width}")
    name = function.strip().upper().replace("-", "_") or WindowFunction.LINEAR
    if name not in WindowFunction.__members__:
        raise BadRequest("window: the function must be linear, linear-exact or sigmoid")
    if len(numbers) != 2 or not valid_window(numbers[0], numbers[1], WindowFunction[name]):
        raise BadRequest("window must be center,width,function with a width of at least 1")
    return Window(numbers[0], numbers[1], WindowFunction[name])


def valid_window(center: float, width: float, function: WindowFunction) -> bool:
    """Is the width one the function is defined for (PS3.3 C.11.2.1.2, C.11.2.1.3)?"""
    least_allowed = width >= 1 if function is WindowFunction.LINEAR else width > 0
    return math.isfinite(center) and math.isfinite(width) and least_allowed


def read_viewport(text: str) -> Viewport:
    """The value of `viewport`: vw,vh[,sx,sy,sw,sh] (PS3.18 8.3.5.1.3); empty parts take their default.

    Raises BadRequest, also when a side is over `VIEWPORT_MAX`.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (2, 6):
        raise BadRequest("viewport must be vw,vh or vw,vh,sx,sy,sw,sh")
    numbers = [_numbers(part)[0] if part else None for part in parts]
    width, height = numbers[0], numbers[1]
    if width is None or height is None or not (1 <= width <= VIEWPORT_MAX and 1 <= height <= VIEWPORT_MAX):
        raise BadRequest(f"viewport: width and height must be from 1 to {VIEWPORT_MAX}")
    left, top, source_width, source_height = ([*numbers[2:], None, None, None, None])[:4]
    if (left or 0) < 0 or (top or 0) < 0 or source_width == 0 or source_height == 0:
        raise BadRequest("viewport: the source region is empty or starts outside the image")
    return Viewport(
        int(width),
        int(height),
        int(left or 0),
        int(top or 0),
        None if source_width is None else int(source_width) or 1,
        None if source_height is None else int(source_height) or 1,
    )


def _numbers(text: str) -> list[float]:
    parts = [part.strip() for part in text.split(",")]
    if not all(len(part) <= 32 and _NUMBER.fullmatch(part) for part in parts):
        raise BadRequest("not a number in the query")
    numbers = [float(part) for part in parts]
    if not all(abs(number) < 1e15 for number in numbers):
        raise BadRequest("a number in the query is out of range")
    return numbers
