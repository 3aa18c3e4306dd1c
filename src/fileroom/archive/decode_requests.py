"""What a decode worker does with each request. The server's side of these messages is `fileroom.archive.decode`."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO

from fileroom.archive.transcode import transcode
from fileroom.archive.worker_messages import Message, sealed
from fileroom.dicom.deflate import inflate
from fileroom.dicom.frames import FrameTable, frame_table
from fileroom.dicom.header import Buffer, Pixels, scan
from fileroom.dicom.pixels import FRAME_BYTES_MAX, NativeFrame, decode_frame
from fileroom.dicom.presentation import presented, read_presentation
from fileroom.dicom.render import render_frame
from fileroom.dicom.render_options import Grey, RenderOptions, Table, Viewport, Window, WindowFunction
from fileroom.dicom.syntax import EXPLICIT_LE, TransferSyntax, syntax
from fileroom.errors import UndecodableImage

ATTRIBUTES_BYTES_MAX = 256 << 20  # before the pixel data, when rendering

Answer = tuple[Message, int | None]


def decode(message: Message, descriptors: list[int]) -> Answer:
    """One frame as native bytes."""
    frame, _ = _frame(message, descriptors[0], with_attributes=False)
    answer, result = _result(frame.data, message, descriptors)
    return answer | {"photometric": frame.pixels.photometric}, result


def render(message: Message, descriptors: list[int]) -> Answer:
    """One frame as PNG or JPEG."""
    frame, attributes = _frame(message, descriptors[0], with_attributes=True)
    kind = syntax(EXPLICIT_LE) if syntax(message["syntax"]).deflated else syntax(message["syntax"])
    look = read_presentation(attributes, kind, frame.pixels, message["frame"])
    options = _options(message["options"])
    if options.grey is not None:
        look = presented(look, options.grey, frame.pixels)
    return _result(render_frame(frame, look, options), message, descriptors)


def rewrite_file(message: Message, descriptors: list[int]) -> Answer:
    """A whole Part 10 file in a native syntax, written to the second descriptor."""
    source, target = descriptors
    offset, length = message["file"]
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:  # mapping the file takes address space, not memory
        resource.setrlimit(resource.RLIMIT_AS, (soft + length + (1 << 20), hard))
    try:
        with _at_most(message["bytes_max"]), BufferedWriter(FileIO(target, "w", closefd=False), 1 << 20) as out:
            written = transcode(source, offset, length, message["target"], out)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return {"size_bytes": written.size_bytes, "prefix_bytes": written.prefix_bytes}, None


HANDLERS: dict[str, Callable[[Message, list[int]], Answer]] = {
    "decode": decode,
    "render": render,
    "transcode": rewrite_file,
}


def _result(data: Buffer, message: Message, descriptors: list[int]) -> Answer:
    """In the file that came as second descriptor, else as memory."""
    if len(descriptors) < 2:
        return {}, sealed(data)
    with _at_most(message["bytes_max"]), memoryview(data) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptors[1], view[written : written + (1 << 30)])
    return {"size_bytes": written}, None


@contextmanager
def _at_most(size: int) -> Iterator[None]:
    """No file grows beyond this many bytes meanwhile: writing more is an OSError (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _frame(message: Message, descriptor: int, with_attributes: bool) -> tuple[NativeFrame, bytes]:
    """The native frame, and the bytes of the attributes before the pixel data (or b"")."""
    kind = syntax(message["syntax"])
    pixels = Pixels(**message["pixels"])
    offset, length = message["dataset"]
    if kind.deflated:
        return _inflated_frame(_read(descriptor, offset, length), message["frame"])
    table = FrameTable(ranges=None, **message["table"]) if message["table"] else None
    stream = b"".join([_read(descriptor, at, size) for at, size in message["fragments"]])
    attributes = b""
    if with_attributes:
        attributes = _read(descriptor, offset, min(_attributes_end(pixels, kind), length))
    if table is not None:
        return NativeFrame(table.carve(message["frame"], stream), pixels), attributes
    return decode_frame(stream, pixels, kind), attributes


def _inflated_frame(deflated: bytes, number: int) -> tuple[NativeFrame, bytes]:
    plain, kind = inflate(deflated), syntax(EXPLICIT_LE)
    header = scan(plain, kind)
    table = frame_table(plain, header, kind)
    if header.pixels is None or table is None or not table.native or not 0 <= number < table.count:
        raise UndecodableImage(f"there is no frame {number + 1}")
    ((at, size),) = table.fragments(number)
    frame = NativeFrame(table.carve(number, plain[at : at + size]), header.pixels)
    return frame, plain[: _attributes_end(header.pixels, kind)]


def _attributes_end(pixels: Pixels, kind: TransferSyntax) -> int:
    """Where the pixel data element starts; its head is 8 bytes in implicit VR, else 12."""
    end = pixels.offset - (8 if kind.implicit else 12)
    if end > ATTRIBUTES_BYTES_MAX:
        raise UndecodableImage("its attributes are too large to render it")
    return end


def _read(descriptor: int, offset: int, length: int) -> bytes:
    if not 0 <= length <= FRAME_BYTES_MAX:
        raise UndecodableImage(f"{length} bytes are too many for one frame")
    pieces: list[Buffer] = []
    while length:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            raise UndecodableImage("the file ends before the frame does")
        pieces.append(piece)
        offset, length = offset + len(piece), length - len(piece)
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else b"".join(pieces)


def _options(given: Message) -> RenderOptions:
    viewport, grey = given["viewport"], given["grey"]
    return RenderOptions(
        given["media_type"],
        given["quality"],
        _window(given["window"]),
        Viewport(**viewport) if viewport else None,
        _grey(grey) if grey else None,
    )


def _grey(given: Message) -> Grey:
    tables = {name: given[name] and Table(**given[name]) for name in ("modality_lut", "voi_lut", "presentation_lut")}
    return Grey(**given | tables | {"window": _window(given["window"])})


def _window(given: Message | None) -> Window | None:
    return Window(given["center"], given["width"], WindowFunction(given["function"])) if given else None
