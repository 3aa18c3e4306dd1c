"""The OpenAPI document says what the routes do: every route is in it, and nothing else."""

from __future__ import annotations

import re
from typing import Any

from fileroom.dicomweb.openapi import document
from fileroom.dicomweb.routes import routes
from fileroom.web.http import Handler
from fileroom.web.router import Router


class Noting(Router):
    """A router that remembers what was put on it."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: set[tuple[str, str]] = set()

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        super().add(method, pattern, handler)
        self.noted.add((method.lower(), pattern.replace("...}", "}")))


class _StowOnly:
    """Only the addresses of STOW matter here."""

    def add_routes(self, router: Router) -> None:
        router.add("POST", "/dicomweb/studies", lambda request: NotImplemented)
        router.add("POST", "/dicomweb/studies/{study}", lambda request: NotImplemented)


def _noted() -> set[tuple[str, str]]:
    router = Noting()
    nothing: Any = None
    routes(router, search=nothing, retriever=nothing, decoder=nothing, documents=nothing, stow=_StowOnly())  # type: ignore[arg-type]
    return router.noted


def test_every_route_is_described_and_nothing_else() -> None:
    described = {(method, path) for path, methods in document()["paths"].items() for method in methods}
    assert described == _noted()


def test_each_operation_has_its_path_parameters_and_a_name_of_its_own() -> None:
    operations = [(path, operation) for path, methods in document()["paths"].items() for operation in methods.values()]
    for path, operation in operations:
        named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", path)
        assert "200" in operation["responses"]
    names = [operation["operationId"] for _, operation in operations]
    assert len(names) == len(set(names))


def test_search_describes_the_keys_of_its_level() -> None:
    paths = document()["paths"]
    keys = {p["name"] for p in paths["/dicomweb/studies"]["get"]["parameters"]}
    assert {"PatientName", "StudyDate", "limit", "offset", "includefield"} <= keys
    assert "Modality" not in keys
    assert "Modality" in {p["name"] for p in paths["/dicomweb/series"]["get"]["parameters"]}
