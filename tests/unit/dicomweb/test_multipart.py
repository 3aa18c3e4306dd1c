"""multipart/related is read the same whatever the pieces it comes in, and what does not hold together is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom import errors
from fileroom.dicomweb.multipart import Bounds, MultipartReader, OutgoingPart, compose, media_type

BOUNDARY = "a-Boundary_1"


class Pieces:
    """A body that comes in the pieces it is given."""

    def __init__(self, data: bytes, cuts: list[int] | None = None) -> None:
        ends = sorted({cut % (len(data) + 1) for cut in cuts or []} | {len(data)})
        self._pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]

    def read(self, size: int = 65536) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def body(*parts: bytes, boundary: str = BOUNDARY, header: bytes = b"Content-Type: application/dicom") -> bytes:
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + header + b"\r\n\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def read(
    data: bytes, cuts: list[int] | None = None, bounds: Bounds | None = None
) -> list[tuple[dict[str, str], bytes]]:
    reader = MultipartReader(Pieces(data, cuts), BOUNDARY, bounds)
    return [(dict(part.headers), b"".join(part.chunks())) for part in reader]


# Bytes that look like the boundary, or nearly.
_PIECE = st.sampled_from(
    [
        b"\r\n",
        b"\r",
        b"\n",
        b"-",
        b"--",
        b"\r\n--",
        b"\r\n--a-Bound",
        b"\r\n--a-Boundary_1x",
        b"--a-Boundary_1",
        b"\0" * 9,
    ]
)
_PART = (
    st.lists(st.one_of(_PIECE, st.binary(max_size=20)), max_size=6)
    .map(b"".join)
    .filter(
        lambda part: (
            not re.search(rb"(?:^|\r\n)--a-Boundary_1(?:\r\n|--|[ \t]|$)", part + b"\r\n")
            and not part.endswith(b"\r\n--a-Boundary_1")
        )
    )
)


@given(st.lists(_PART, min_size=1, max_size=4), st.lists(st.integers(0, 500), max_size=12))
def test_any_pieces_give_the_same_parts(parts: list[bytes], cuts: list[int]) -> None:
    wanted = [({"content-type": "application/dicom"}, part) for part in parts]
    assert read(body(*parts), cuts) == wanted


@given(st.lists(_PART, min_size=1, max_size=3))
def test_one_byte_at_a_time_gives_the_same_parts(parts: list[bytes]) -> None:
    data = body(*parts)
    assert [part for _, part in read(data, list(range(len(data))))] == parts


@given(st.binary(max_size=400), st.lists(st.integers(0, 500), max_size=8), st.booleans())
def test_any_bytes_are_parts_or_a_clear_error(data: bytes, cuts: list[int], begun: bool) -> None:
    try:
        read(b"--a-Boundary_1\r\n" + data if begun else data, cuts)
    except errors.BadRequest:
        return


@given(st.integers(0, 200))
def test_a_body_cut_anywhere_is_refused_after_its_whole_parts(cut: int) -> None:
    data = body(b"first" * 5, b"second" * 5)
    end = data.rindex(b"--")
    data = data[: min(cut, end)]
    whole: list[bytes] = []
    with pytest.raises(errors.BadRequest):
        read_into(whole, data)
    complete = data.count(b"\r\n--a-Boundary_1\r\n")
    assert whole == [b"first" * 5, b"second" * 5][: len(whole)]
    assert len(whole) >= complete


def read_into(whole: list[bytes], data: bytes) -> None:
    for part in MultipartReader(Pieces(data), BOUNDARY):
        whole.append(b"".join(part.chunks()))


def test_parts_nobody_wants_are_read_over() -> None:
    reader = MultipartReader(Pieces(body(b"one", b"two", b"three", b"four"), [30, 60, 90]), BOUNDARY)
    kept = []
    for part in reader:
        if part.number == 2:
            kept.append(b"".join(part.chunks()))
        if part.number == 3:
            next(part.chunks())
    assert kept == [b"two"]


def test_a_part_is_read_once() -> None:
    reader = iter(MultipartReader(Pieces(body(b"one", b"two")), BOUNDARY))
    first = next(reader)
    next(reader)
    assert list(first.chunks()) == []


def test_empty_lines_before_and_an_epilogue_after_are_forgiven() -> None:
    assert [part for _, part in read(b"\r\n" + body(b"x") + b"epilogue --a-Boundary_1 \r\n")] == [b"x"]
    assert read(b"--a-Boundary_1--\r\n") == []
    assert [part for _, part in read(body(b""))] == [b""]


def test_a_part_without_headers_is_a_part() -> None:
    assert read(b"--a-Boundary_1\r\n\r\nx\r\n--a-Boundary_1--") == [({}, b"x")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello", "does not begin"),
        (b"preamble\r\n" + body(b"x"), "does not begin"),
        (b"\r\npreamble" + body(b"x"), "does not begin"),
        (b"\r\n\r\n\r\n\r\n\r\n" + body(b"x"), "does not begin"),
        (body(b"x", boundary="another"), "does not begin"),
        (b"--a-Boundary_1", "closing boundary"),
        (b"--a-Boundary_12\r\n", "malformed"),
        (b"--a-Boundary_1\r\nContent-Type: a\r\n", "closing boundary"),
        (body(b"x")[:-4], "closing boundary"),
        (b"--a-Boundary_1\r\nbad header: x\r\n\r\n", "malformed"),
        (b"--a-Boundary_1\r\nA: x\ry\r\n\r\n", "malformed"),
        (body(b"x", header=b"A: 1\r\na: 2"), "two headers a"),
        (body(b"x", header=b"A: " + b"x" * 9000), "header size"),
        (body(b"x", header=b"\r\n".join(b"A%d: 1" % n for n in range(17))), "header count"),
    ],
)
def test_what_does_not_hold_together_is_refused(data: bytes, message: str) -> None:
    for cuts in (None, list(range(len(data)))):
        with pytest.raises(errors.BadRequest, match=message):
            read(data, cuts)


def test_the_count_of_parts_is_bounded() -> None:
    with pytest.raises(errors.BadRequest, match="more than 3 parts"):
        read(body(*[b"x"] * 4), bounds=Bounds(parts_max=3))


@pytest.mark.parametrize("boundary", ["", "a" * 71, "a b ", 'a"b', "a\r\nb", "a\x00b", "a;b", "ä"])
def test_boundaries_that_the_standard_does_not_allow(boundary: str) -> None:
    with pytest.raises(errors.BadRequest, match="boundary"):
        MultipartReader(Pieces(b""), boundary)


@pytest.mark.parametrize(
    ("text", "kind", "parameters"),
    [
        ("application/dicom", "application/dicom", {}),
        ('A/B; TYPE="application/dicom"; boundary=a_1', "a/b", {"type": "application/dicom", "boundary": "a_1"}),
        ('a/b;type=c/d;boundary="a \\"b"', "a/b", {"type": "c/d", "boundary": 'a "b'}),
        ("a/b ; boundary=x ; ", "a/b", {"boundary": "x"}),
        ("", "", {}),
    ],
)
def test_media_types_with_parameters(text: str, kind: str, parameters: dict[str, str]) -> None:
    assert media_type(text) == (kind, parameters)


@pytest.mark.parametrize("text", ["a/b; x", 'a/b; x="y', "a/b; x=1; X=2", "a/b; =1", "a/b; x=1 y=2", 'a/b; x="y"z'])
def test_media_types_that_do_not_parse(text: str) -> None:
    with pytest.raises(errors.BadRequest):
        media_type(text)


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_what_is_composed_is_read_back(contents: list[bytes]) -> None:
    parts = [OutgoingPart("application/dicom; transfer-syntax=1.2", [content], "/studies/1") for content in contents]
    for given_parts in (parts, iter(parts)):
        response = compose("application/dicom", given_parts)
        kind, parameters = media_type(response.headers[0][1])
        assert (kind, parameters["type"]) == ("multipart/related", "application/dicom")
        data = b"".join(part for part in response.parts if isinstance(part, bytes))
        reader = MultipartReader(Pieces(data), parameters["boundary"])
        found = [(part.headers["content-location"], b"".join(part.chunks())) for part in reader]
        assert found == [("/studies/1", content) for content in contents]


def test_every_answer_has_a_boundary_of_its_own() -> None:
    assert compose("a/b", []).headers != compose("a/b", []).headers
