"""Paths find their handlers, and nothing else does."""

import orjson
import pytest

from fileroom.web.body import NO_BODY
from fileroom.web.http import Handler, Request, Response
from fileroom.web.router import NoSuchPage, Router


def request(path: str, method: str = "GET", raw_path: str = "") -> Request:
    return Request(method, path, "", {}, NO_BODY, ("127.0.0.1", 1), {}, raw_path)


def says(name: str) -> Handler:
    return lambda asked: Response.json([name, dict(asked.params)])


def router() -> Router:
    made = Router()
    made.add("GET", "/", says("home"))
    made.add("GET", "/studies", says("search"))
    made.add("POST", "/studies", says("store"))
    made.add("GET", "/studies/{study}", says("study"))
    made.add("GET", "/studies/{study}/series", says("series"))
    made.add("GET", "/studies/recent/list", says("recent"))
    made.add("GET", "/studies/{study}/bulkdata/{path...}", says("bulk"))
    return made


def found(path: str, method: str = "GET", raw_path: str = "") -> object:
    (part,) = router()(request(path, method, raw_path)).parts
    assert isinstance(part, bytes)
    return orjson.loads(part)


def test_names_take_one_segment_and_fixed_segments_win() -> None:
    assert found("/") == ["home", {}]
    assert found("/studies") == ["search", {}]
    assert found("/studies", "POST") == ["store", {}]
    assert found("/studies/1.2") == ["study", {"study": "1.2"}]
    assert found("/studies/recent/list") == ["recent", {}]
    assert found("/studies/recent") == ["study", {"study": "recent"}]
    assert found("/studies/recent/series") == ["series", {"study": "recent"}]
    assert found("/studies/1.2/bulkdata/00880200/1/00280010") == [
        "bulk",
        {"study": "1.2", "path": "00880200/1/00280010"},
    ]


def test_an_encoded_slash_stays_in_its_segment() -> None:
    assert found("/studies/a/b", raw_path="/studies/a%2Fb") == ["study", {"study": "a/b"}]
    assert found("/studies/../x", raw_path="/studies/..%2fx") == ["study", {"study": "../x"}]


@pytest.mark.parametrize("path", ["/nothing", "/studies/", "/studies//series", "//studies", "/studies/1/2/3"])
def test_other_paths_are_nobodys(path: str) -> None:
    with pytest.raises(NoSuchPage):
        router()(request(path))


def test_head_is_answered_by_get_and_other_methods_are_told_which() -> None:
    assert found("/studies", "HEAD") == ["search", {}]
    refused = router()(request("/studies/1.2", "DELETE"))
    assert refused.status == 405
    assert ("allow", "GET, HEAD, OPTIONS") in refused.headers
    assert router()(request("/studies", "OPTIONS")).status == 204


def test_one_path_has_one_set_of_names() -> None:
    with pytest.raises(ValueError, match="other names"):
        router().add("PUT", "/studies/{other}", says("other"))
