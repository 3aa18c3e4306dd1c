"""A page of another site cannot write here through somebody's browser."""

import pytest

from fileroom import errors
from fileroom.web.body import NO_BODY
from fileroom.web.http import Request, Response
from fileroom.web.origin import SameOriginWrites


def ask(method: str, **headers: str) -> int:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, "/", "", {"host": "127.0.0.1:8080", **names}, NO_BODY, ("127.0.0.1", 5))
    return SameOriginWrites(lambda _: Response(204))(request).status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9090"},
        {"origin": "http://127.0.0.1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "same-origin", "origin": "http://evil.example"},
        {"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:8080"},
    ],
)
def test_writes_from_elsewhere_are_refused(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(errors.Forbidden):
        ask(method, **headers)


def test_programs_and_our_own_pages_write() -> None:
    assert ask("POST") == 204
    assert ask("POST", origin="http://127.0.0.1:8080", sec_fetch_site="same-origin") == 204
    assert ask("POST", sec_fetch_site="none") == 204


def test_reading_is_not_concerned() -> None:
    assert ask("GET", origin="http://evil.example", sec_fetch_site="cross-site") == 204
