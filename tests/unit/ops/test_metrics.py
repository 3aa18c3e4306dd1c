"""What is counted, and under which labels."""

from __future__ import annotations

import pytest

from fileroom import errors
from fileroom.ops.metrics import MeasuredRouter, Metrics
from fileroom.web.body import NO_BODY
from fileroom.web.http import Request, Response
from fileroom.web.router import NoSuchPage


def page(metrics: Metrics) -> str:
    return b"".join(part for part in metrics.page(get("/metrics")).parts if isinstance(part, bytes)).decode()


def get(path: str) -> Request:
    return Request("GET", path, "", {}, NO_BODY, ("127.0.0.1", 5))


def refuse(request: Request) -> Response:
    raise errors.NotFound("no such study")


def test_a_request_is_counted_under_its_pattern_never_under_its_path() -> None:
    metrics = Metrics()
    router = MeasuredRouter(metrics)
    router.add("GET", "/studies/{study}", lambda request: Response.text("here"))
    router(get("/studies/DOE"))
    said = page(metrics)
    assert 'fileroom_requests_total{route="GET /studies/{study}",status="200"} 1.0' in said
    assert "DOE" not in said


def test_a_refusal_is_counted_with_the_status_it_becomes() -> None:
    metrics = Metrics()
    router = MeasuredRouter(metrics)
    router.add("GET", "/studies/{study}", refuse)
    with pytest.raises(errors.NotFound):
        router(get("/studies/1.2"))
    assert 'fileroom_requests_total{route="GET /studies/{study}",status="404"} 1.0' in page(metrics)


def test_paths_without_a_route_share_one_label() -> None:
    metrics = Metrics()
    router = MeasuredRouter(metrics)
    for path in ("/a", "/b"):
        with pytest.raises(NoSuchPage):
            router(get(path))
    assert 'fileroom_requests_total{route="none",status="404"} 2.0' in page(metrics)


def test_objects_are_counted_by_door_and_outcome() -> None:
    metrics = Metrics()
    metrics.object("stow", "stored", 1000, 0.01)
    metrics.object("stow", "MalformedObject", 10, 0.0)
    said = page(metrics)
    assert 'fileroom_objects_total{door="stow",outcome="stored"} 1.0' in said
    assert 'fileroom_objects_total{door="stow",outcome="MalformedObject"} 1.0' in said
    assert 'fileroom_object_bytes_total{door="stow"} 1010.0' in said
