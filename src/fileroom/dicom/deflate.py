"""Deflated datasets: inflating with a bound on what comes out (PS3.5 A.5, RFC 1951)."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator

from fileroom.errors import MalformedObject

INFLATED_BYTES_MAX = 1 << 30  # of one dataset; a larger one is refused
_CHUNK_BYTES = 1 << 16  # compressed bytes taken at once
_PIECE_BYTES = 1 << 20  # inflated bytes handed out at once
_TIMES_MAX = 1032  # what one byte inflates to at most: 258 bytes for each two bits (RFC 1951 3.2.5)


def inflated_bytes_max(deflated_bytes: int) -> int:
    """What so many bytes can inflate to at most and be taken."""
    return min(INFLATED_BYTES_MAX, deflated_bytes * _TIMES_MAX)


def inflate(dataset: bytes | bytearray | memoryview | mmap.mmap, size_max: int = INFLATED_BYTES_MAX) -> bytes:
    """The whole inflated dataset. Raises MalformedObject when it is cut short, damaged or larger than `size_max`."""
    whole = bytearray()
    for piece in pieces(dataset, size_max):
        whole += piece
    return bytes(whole)


def pieces(dataset: bytes | bytearray | memoryview | mmap.mmap, size_max: int = INFLATED_BYTES_MAX) -> Iterator[bytes]:
    """The inflated dataset in pieces of at most 1 MiB. Raises MalformedObject as `inflate` does.

    Bytes behind the stream (a pad byte) are ignored. A zlib header, which old senders wrote, is read past.
    """
    with memoryview(dataset) as view:
        inflater = zlib.decompressobj(_window_bits(bytes(view[:2])))
        size = 0
        for start in range(0, len(view), _CHUNK_BYTES):
            waiting: bytes | memoryview = view[start : start + _CHUNK_BYTES]
            while waiting or not inflater.eof:
                try:
                    piece = inflater.decompress(waiting, _PIECE_BYTES)
                except zlib.error:
                    raise MalformedObject("the deflated dataset is damaged") from None
                size += len(piece)
                if size > size_max:
                    raise MalformedObject(f"the deflated dataset is larger than {size_max} bytes when inflated")
                if piece:
                    yield piece
                waiting = inflater.unconsumed_tail
                if inflater.eof:
                    return
                if not waiting and len(piece) < _PIECE_BYTES:
                    break
        raise MalformedObject("the deflated dataset is cut short")


def deflate(dataset: bytes) -> bytes:
    """A dataset as one RFC 1951 stream, padded to even length."""
    deflater = zlib.compressobj(wbits=-15)
    stream = deflater.compress(dataset) + deflater.flush()
    return stream + b"\0" if len(stream) & 1 else stream


def _window_bits(start: bytes) -> int:
    """zlib's name for the kind of stream: -15 raw, 15 with a zlib header.

    A raw stream that starts like a zlib header starts with a stored block, which no deflater writes here.
    """
    is_zlib = len(start) == 2 and start[0] & 0x0F == 8 and start[0] >> 4 <= 7 and not int.from_bytes(start, "big") % 31
    return 15 if is_zlib else -15
