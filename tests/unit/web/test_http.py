"""Query arguments, small bodies, and the table of errors."""

import pytest

from fileroom import errors
from fileroom.web.body import NO_BODY
from fileroom.web.http import STATUS, Request, error_response, error_status
from fileroom.web.wire import Stalled


class Pieces:
    """A body that comes in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read(self, size: int = 65536) -> bytes:
        return self._pieces.pop(0)[:size] if self._pieces else b""


def request(query: str = "", body: Pieces | None = None) -> Request:
    return Request("GET", "/", query, {}, body or NO_BODY, ("127.0.0.1", 1))


def test_arguments_keep_order_blanks_and_repeats() -> None:
    query = "PatientName=M%C3%BCller%5E*&includefield=all&x=&includefield=00100020"
    assert request(query).args() == [
        ("PatientName", "Müller^*"),
        ("includefield", "all"),
        ("x", ""),
        ("includefield", "00100020"),
    ]
    assert request().args() == []


@pytest.mark.parametrize("query", ["&".join(["a=1"] * 1001), "a=%ff", "a=%00", "%01=b", "a=x%0ay"])
def test_arguments_that_cannot_be_meant_are_refused(query: str) -> None:
    with pytest.raises(errors.BadRequest):
        request(query).args()


def test_a_small_body_is_read_whole_and_a_larger_one_refused() -> None:
    assert request(body=Pieces(b"ab", b"cd")).content(4) == b"abcd"
    with pytest.raises(errors.TooLarge):
        request(body=Pieces(b"ab", b"cd", b"e")).content(4)


def test_every_error_has_a_status_and_no_row_of_the_table_is_dead() -> None:
    for name in dir(errors):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.FileroomError):
            assert any(issubclass(kind, row) for row, _ in STATUS), name
    for position, (kind, _) in enumerate(STATUS):
        shadowing = [row for row, _ in STATUS[:position] if issubclass(kind, row)]
        assert not shadowing, kind


def test_errors_say_what_happened_and_what_to_do() -> None:
    response = error_response(errors.Busy("too many", hint="later"))
    assert response.status == 503
    assert ("retry-after", "2") in response.headers
    assert list(response.parts) == [b'{"error":"too many","hint":"later"}']
    assert error_status(Stalled("slow")) == 408
    assert error_status(errors.InvalidUid("uid")) == 400
    assert error_status(errors.Forbidden("no")) == 403
