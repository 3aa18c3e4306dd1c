"""The header scan: one pass over a dataset that reads what the index needs and skips the rest (PS3.5 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fileroom.dicom.attributes import ATTRIBUTES
from fileroom.dicom.charset import is_known
from fileroom.dicom.deflate import pieces
from fileroom.dicom.header_values import (
    NUMBERS,
    PADDING,
    TEXT_REGION_MAX,
    VALUE_CHARACTERS_MAX,
    check_uids,
    take_numbers,
    text_region,
    texts,
)
from fileroom.dicom.layout import PIXEL_NAMES, PIXEL_TAGS, UNDEFINED, Buffer, Found, Layout, Span
from fileroom.dicom.syntax import TransferSyntax
from fileroom.dicom.walk import walk_explicit, walk_implicit
from fileroom.errors import MalformedObject

__all__ = ["Buffer", "Header", "Pixels", "scan"]

_INFLATED_HEAD_BYTES = 1 << 25  # of a deflated dataset kept in memory; pixel data may reach beyond
_CHARSET = "charset"
_NAMES = {
    **{a.tag: a.column for a in ATTRIBUTES if a.scanned},
    **{tag: name for name, tag in NUMBERS.items()},
    0x00280004: "photometric",
    0x00080005: _CHARSET,
    **PIXEL_TAGS,
}
_LITTLE, _BIG = Layout("<", _NAMES), Layout(">", _NAMES)
_COUNT_MAX = (1 << 31) - 1  # of an Integer String (PS3.5 6.2)
_COUNT = re.compile(r"\+?0*[1-9][0-9]{0,9}").fullmatch


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the pixels lie and how they are laid out, as the dataset claims. Nothing here is checked against the data.

    Numbers are 0 when the dataset does not say, except `samples` and `frames`, which are then 1.
    """

    keyword: str  # "PixelData", "FloatPixelData" or "DoubleFloatPixelData"
    offset: int  # first byte of the value, from the start of the dataset (deflated: of the inflated dataset)
    length: int  # bytes; -1: undefined length, that is fragments
    rows: int
    columns: int
    samples: int  # per pixel
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int  # 0 unsigned, 1 two's complement
    planar: int  # planar configuration: 0 colour by pixel, 1 colour by plane
    frames: int
    photometric: str


@dataclass(frozen=True, slots=True)
class Header:
    """What the index needs of one object."""

    values: dict[str, str]  # column (attributes.py) to text; values joined by a backslash; absent or empty: no key
    charset: str  # Specific Character Set as sent; "" when absent
    pixels: Pixels | None  # None: no pixel data element
    warnings: tuple[str, ...]  # odd but kept; never a value of the dataset


def scan(dataset: Buffer, syntax: TransferSyntax) -> Header:
    """Read one dataset's header.

    Leading and trailing spaces and nulls of each value are dropped (PS3.5 6.2). What follows the last wanted element
    is walked too, by lengths alone, so a dataset that is cut short is recognised. A dataset cut exactly between two
    elements cannot be. A memoryview must be contiguous bytes.

    Raises MalformedObject when the bytes are not such a dataset, when a study, series, SOP instance or SOP class UID
    is missing, or when a bound is passed (DEPTH_MAX, TOP_LEVEL_MAX, NESTED_MAX, INFLATED_BYTES_MAX); InvalidUid when
    one of these UIDs cannot be kept.
    """
    if syntax.deflated:
        return _scan_deflated(dataset, syntax)
    found = Found({}, [])
    _walk_to_end(dataset, 0, syntax, found)
    return _read(dataset, syntax, found)


def _walk_to_end(buffer: Buffer, at: int, syntax: TransferSyntax, found: Found) -> None:
    """Walk from `at` to exactly the end of the buffer, or raise MalformedObject."""
    walk = walk_implicit if syntax.implicit else walk_explicit
    at = walk(buffer, at, _BIG if syntax.big_endian else _LITTLE, found)
    if at != len(buffer):
        _check_padding(buffer, at, len(buffer))


def _check_padding(buffer: Buffer, at: int, end: int) -> None:
    """Raise unless what follows the last element is padding by zeros, which some writers leave."""
    if at > end:
        raise MalformedObject(f"the dataset is cut short: a value ends {at - end} bytes behind its end")
    for start in range(at, end, TEXT_REGION_MAX):
        if bytes(buffer[start : min(end, start + TEXT_REGION_MAX)]).strip(b"\0"):
            raise MalformedObject("bytes that are no element follow the last element")


def _scan_deflated(dataset: Buffer, syntax: TransferSyntax) -> Header:
    """Scan what inflates, keeping only its head and its last two pieces: pixel data between them is not kept."""
    head, size, last, tail = bytearray(), 0, b"", b""
    for piece in pieces(dataset):
        size += len(piece)
        if len(head) < _INFLATED_HEAD_BYTES:
            head += piece
        else:
            last, tail = tail, piece
    found = Found({}, [])
    if size == len(head):
        _walk_to_end(head, 0, syntax, found)
        return _read(head, syntax, found)
    at = walk_explicit(head, 0, _LITTLE, found)
    kept = last + tail
    if at != size:
        if at < size - len(kept):
            raise MalformedObject("a deflated dataset of this size has elements behind its pixel data")
        _walk_to_end(kept, at - (size - len(kept)), syntax, Found({}, []))
    for name, (_, stop) in list(found.spans.items()):
        if stop > len(head) and name not in PIXEL_NAMES:
            raise MalformedObject("a deflated dataset of this size has a header that does not fit in memory")
    return _read(head, syntax, found)


def _read(buffer: Buffer, syntax: TransferSyntax, found: Found) -> Header:
    """Turn what a walk found into values."""
    spans = found.spans
    warnings = [f"{name} comes more than once: the first one counts" for name in dict.fromkeys(found.repeated)]
    if found.strays:
        warnings.append("a sequence delimiter lies outside of any sequence")
    pixel_span = _take_pixels(spans, warnings)
    numbers = take_numbers(buffer, spans, ">" if syntax.big_endian else "<", warnings)
    region, spans = text_region(buffer, spans)
    start, stop = spans.pop(_CHARSET, (0, 0))
    charset = region[start:stop].strip(PADDING)
    if charset and not (charset.isascii() and charset.isprintable() and len(charset) <= VALUE_CHARACTERS_MAX):
        warnings.append("the character set is not one; text is read as Latin-1")
        charset = ""
    elif charset and not is_known(charset):
        warnings.append("the character set is unknown; text is read as Latin-1")
    values = texts(region, spans, charset, warnings)
    photometric = values.pop("photometric", "")
    for name in ("rows", "columns", "bits_allocated"):
        if name in numbers:
            values[name] = str(numbers[name])
    check_uids(values, warnings)
    pixels = None
    if pixel_span is not None:
        pixels = _pixels(*pixel_span, numbers, values.get("frame_count", ""), photometric, warnings)
    return Header(values, charset, pixels, tuple(warnings))


def _take_pixels(spans: dict[str, Span], warnings: list[str]) -> tuple[str, Span] | None:
    """Remove the pixel data elements from `spans`; the first kind that is there, in the order of PIXEL_TAGS."""
    taken = [(keyword, spans.pop(keyword)) for keyword in PIXEL_TAGS.values() if keyword in spans]
    if len(taken) > 1:
        warnings.append(f"more than one pixel data element: {taken[0][0]} counts")
    return taken[0] if taken else None


def _pixels(
    keyword: str, span: Span, numbers: dict[str, int], frame_count: str, photometric: str, warnings: list[str]
) -> Pixels:
    start, stop = span
    get = numbers.get
    frames = 1
    if frame_count:
        if _COUNT(frame_count) is not None and int(frame_count) <= _COUNT_MAX:
            frames = int(frame_count)
        else:
            warnings.append("frame_count is not a number; one frame is taken")
    return Pixels(
        keyword,
        start,
        UNDEFINED if stop == UNDEFINED else stop - start,
        get("rows", 0),
        get("columns", 0),
        get("samples", 1),
        get("bits_allocated", 0),
        get("bits_stored", 0),
        get("high_bit", 0),
        get("pixel_representation", 0),
        get("planar", 0),
        frames,
        photometric,
    )
