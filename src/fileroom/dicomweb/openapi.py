"""The OpenAPI 3.1 description of what is under /dicomweb. A test holds it against the routes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fileroom
from fileroom.dicom.attributes import ATTRIBUTES, Level, Matching
from fileroom.dicomweb.accept import JSON_TYPES
from fileroom.dicomweb.frames import FRAMES_MAX
from fileroom.dicomweb.qido_query import RESULTS_MAX
from fileroom.dicomweb.rendered import RENDERED_TYPES

_STUDY = "/dicomweb/studies/{study}"
_SERIES = _STUDY + "/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_FRAMES = _INSTANCE + "/frames/{frames}"
_MULTIPART = ("multipart/related",)
_DICOM = ("multipart/related", "application/dicom")
_BYTES = ("multipart/related", "application/octet-stream")

_PATH = {
    "study": "Study Instance UID",
    "series": "Series Instance UID",
    "instance": "SOP Instance UID",
    "frames": f"Frame numbers from 1, with commas between; at most {FRAMES_MAX}",
    "path": "Tag as eight hexadecimal digits; of a nested value tag/item number/tag",
}
_ERRORS = {
    "400": "The request is malformed.",
    "404": "It is not here, or hidden.",
    "406": "It cannot be had in an accepted form.",
    "503": "Busy, or the database does not answer: try again.",
}


@dataclass(frozen=True, slots=True)
class _Operation:
    """One method of one address."""

    path: str
    tag: str  # the service of PS3.18 10
    summary: str
    media_types: Sequence[str]
    level: Level | None = None  # of a search
    method: str = "get"


def _each(leaf: str, tag: str, summary: str, media_types: Sequence[str]) -> list[_Operation]:
    names = (("a study", _STUDY), ("a series", _SERIES), ("one instance", _INSTANCE))
    return [_Operation(above + leaf, tag, summary.format(name), media_types) for name, above in names]


_OPERATIONS: tuple[_Operation, ...] = (
    _Operation("/dicomweb/studies", "Search (QIDO-RS)", "Search studies", JSON_TYPES, Level.STUDY),
    _Operation("/dicomweb/series", "Search (QIDO-RS)", "Search series", JSON_TYPES, Level.SERIES),
    _Operation("/dicomweb/instances", "Search (QIDO-RS)", "Search instances", JSON_TYPES, Level.IMAGE),
    _Operation(_STUDY + "/series", "Search (QIDO-RS)", "Search a study's series", JSON_TYPES, Level.SERIES),
    _Operation(_STUDY + "/instances", "Search (QIDO-RS)", "Search a study's instances", JSON_TYPES, Level.IMAGE),
    _Operation(_SERIES + "/instances", "Search (QIDO-RS)", "Search a series' instances", JSON_TYPES, Level.IMAGE),
    *_each("", "Retrieve (WADO-RS)", "The objects of {}", _DICOM),
    *_each("/metadata", "Retrieve (WADO-RS)", "The metadata of {}", JSON_TYPES),
    *_each("/rendered", "Rendered", "Pictures of {}", (*RENDERED_TYPES, *_MULTIPART)),
    *_each("/thumbnail", "Rendered", "A small picture of {}", RENDERED_TYPES),
    _Operation(_FRAMES, "Retrieve (WADO-RS)", "Frames, native or as stored", _BYTES),
    _Operation(_FRAMES + "/rendered", "Rendered", "A picture of one frame", RENDERED_TYPES),
    _Operation(_FRAMES + "/thumbnail", "Rendered", "A small picture of one frame", RENDERED_TYPES),
    _Operation(_INSTANCE + "/bulkdata/{path}", "Retrieve (WADO-RS)", "A value that metadata points to", _BYTES),
    _Operation("/dicomweb/studies", "Store (STOW-RS)", "Store objects", JSON_TYPES, method="post"),
    _Operation(_STUDY, "Store (STOW-RS)", "Store objects of one study", JSON_TYPES, method="post"),
    _Operation("/dicomweb/openapi.json", "About", "This description", ("application/json",)),
)


def document() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in _OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fileroom DICOMweb",
            "version": fileroom.__version__,
            "summary": "Store, search and retrieve imaging objects (DICOM PS3.18).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR, "Dataset": _DATASET}},
    }


_ERROR = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {
        "error": {"type": "string", "description": "What happened"},
        "hint": {"type": "string", "description": "What can be done; may be empty"},
    },
}
_DATASET = {"type": "object", "description": "DICOM JSON Model, PS3.18 F: tags as eight hexadecimal digits"}


def _described(operation: _Operation) -> dict[str, Any]:
    schema = _answer_schema(operation)
    content = {kind: {"schema": schema} for kind in operation.media_types}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": re.sub(r"\W+", "_", f"{operation.method} {operation.summary.lower()}"),
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation)],
        "responses": {
            "200": {"description": "As asked.", "content": content},
            **{status: {"description": text, "content": error} for status, text in _ERRORS.items()},
        },
    }
    if operation.method == "post":
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _DICOM},
        }
    return described


def _answer_schema(operation: _Operation) -> dict[str, Any]:
    if operation.media_types != JSON_TYPES:
        return {"type": "object"} if operation.tag == "About" else {"type": "string", "format": "binary"}
    dataset = {"$ref": "#/components/schemas/Dataset"}
    return dataset if operation.method == "post" else {"type": "array", "items": dataset}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": _PATH[name], "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query_parameters(operation: _Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if operation.level is not None:
        number = {"type": "integer", "minimum": 0}
        found += [
            _query("limit", f"Most results; the server gives at most {RESULTS_MAX} at a time", number),
            _query("offset", "Results to leave out first", number),
            _query("includefield", "Attributes to return besides, by keyword or tag, or `all`"),
            _query(
                "fuzzymatching", "Not supported: matching stays literal, and a Warning says so", {"type": "boolean"}
            ),
        ]
        for attribute in ATTRIBUTES:
            if attribute.level <= operation.level and attribute.matching is not Matching.NONE:
                found.append(_query(attribute.keyword, f"Matching key, {attribute.matching} matching"))
    if operation.tag == "Rendered":
        found += [
            _query("window", "center,width,function; function is linear, linear-exact or sigmoid"),
            _query("viewport", "width,height or width,height,x,y,source width,source height"),
            _query("quality", "Of JPEG", {"type": "integer", "minimum": 1, "maximum": 100}),
        ]
    if operation.method == "get" and operation.tag != "About":
        found.append(_query("accept", "Media types, in place of the Accept header"))
    return found


def _query(name: str, text: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema or {"type": "string"}}
