"""The content coding of native frames: zstd (RFC 8878), for those who take it, which is every browser of today.

At its fastest level it takes a mammogram of 17 MB to less than half in 30 ms, and a browser unpacks it on the way in.
"""

from __future__ import annotations

from collections.abc import Sequence

from fileroom.archive.packs import FileRange
from fileroom.web.encoding import takes
from fileroom.web.http import Part, Request

ZSTD = "zstd"
_LEVEL = 1  # level 3 takes three times as long to save a fiftieth
_BYTES_MIN, _BYTES_MAX = 16 << 10, 64 << 20  # below, nothing is won; above, as it is: both copies are held in memory
_WORTH = 0.9


def takes_zstd(request: Request) -> bool:
    """Whether the asker names zstd among the codings it takes."""
    return takes(request.headers.get("accept-encoding", ""), ZSTD)


def packed(parts: Sequence[Part]) -> bytes | None:
    """The parts of a body as one zstd frame; None when that is not worth it. Raises DamagedPack."""
    size = sum(len(part) if isinstance(part, bytes | memoryview) else part.length for part in parts)
    if not _BYTES_MIN <= size <= _BYTES_MAX:
        return None
    pieces: list[bytes | memoryview] = []
    for part in parts:
        if isinstance(part, FileRange):
            pieces.append(part.read())
        elif isinstance(part, bytes | memoryview):
            pieces.append(part)
        else:
            return None
    import imagecodecs

    found = bytes(imagecodecs.zstd_encode(b"".join(pieces), level=_LEVEL))
    return found if len(found) < size * _WORTH else None
