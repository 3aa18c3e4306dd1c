"""Frames are compressed a few at a time; the rest go out as they are, and every place comes back."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fileroom.dicomweb.coding import Coding
from fileroom.errors import DamagedPack
from fileroom.web.http import Response


def _response(body: bytes = bytes(100_000)) -> Response:
    return Response(200, [("content-type", "application/octet-stream"), ("etag", '"abc"')], [body])


def _is_coded(response: Response) -> bool:
    return ("content-encoding", "zstd") in response.headers


def _close(parts: Iterable[object]) -> None:
    getattr(parts, "close")()  # noqa: B009 - as the server does with whatever has it


def test_as_many_as_there_are_places_are_coded_until_one_is_sent() -> None:
    coding = Coding(2)
    first, second, third = (coding.coded(_response()) for _ in range(3))
    assert [_is_coded(one) for one in (first, second, third)] == [True, True, False]
    assert [dict(one.headers)["etag"] for one in (first, second, third)] == ['"abc-zstd"', '"abc-zstd"', '"abc"']
    assert sum(len(part) for part in first.parts if isinstance(part, bytes)) == first.size_bytes
    assert not _is_coded(coding.coded(_response()))  # read is not yet sent
    _close(first.parts)
    _close(first.parts)
    assert [_is_coded(coding.coded(_response())) for _ in range(2)] == [True, False]


def test_what_is_not_coded_takes_no_place() -> None:
    class Damaged(bytes):
        def __len__(self) -> int:
            raise DamagedPack("gone")

    coding = Coding(1)
    assert not _is_coded(coding.coded(_response(b"short")))
    assert not _is_coded(coding.coded(Response(200, [], iter([bytes(100_000)]))))
    with pytest.raises(DamagedPack):
        coding.coded(Response(200, [], [Damaged(b"x")]))
    assert _is_coded(coding.coded(_response()))
