"""Requests and responses as plain values, a router, and the one table that turns errors into HTTP status.

The server (`fileroom.web.server`) reads a `Request` off a connection and writes a `Response`; what lies between is
ordinary blocking functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

import orjson

from fileroom import errors


class Body(Protocol):
    """A request body, read once, in order, straight off the connection."""

    def read(self, size: int = 65536) -> bytes:
        """At most `size` bytes, b"" at the end. Raises TooLarge past the server's bound, BadRequest when cut short."""
        ...


class Sendable(Protocol):
    """A byte range of an open file, sent with sendfile. `fileroom.archive.retrieve.FileRange` is one."""

    @property
    def fd(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...


Part = bytes | Sendable


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; the path is percent-decoded once and begins with a slash."""

    method: str
    path: str
    query: str  # raw, without the question mark
    headers: Mapping[str, str]
    body: Body
    client: tuple[str, int]  # the connection's peer address
    params: Mapping[str, str] = field(default_factory=dict)  # filled by the router

    def args(self) -> list[tuple[str, str]]:
        """Query arguments in order, decoded, blank values kept. Raises BadRequest past 1,000 of them."""
        try:
            return parse_qsl(self.query, keep_blank_values=True, max_num_fields=1000)
        except ValueError as error:
            raise errors.BadRequest("too many query arguments") from error


@dataclass(slots=True)
class Response:
    """One HTTP response.

    `parts` is a list (length known: sent with Content-Length) or any other iterable (sent chunked, as it comes).
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    parts: Iterable[Part] = ()

    @staticmethod
    def text(text: str, status: int = 200, media_type: str = "text/plain; charset=utf-8") -> Response:
        return Response(status, [("content-type", media_type)], [text.encode()])

    @staticmethod
    def json(value: object, status: int = 200, media_type: str = "application/json") -> Response:
        return Response(status, [("content-type", media_type)], [orjson.dumps(value)])


Handler = Callable[[Request], Response]

# The one table of errors and HTTP status (PS3.18 8.5); the first match from the top wins.
STATUS: tuple[tuple[type[errors.FileroomError], int], ...] = (
    (errors.NotFound, 404),
    (errors.NotAcceptable, 406),
    (errors.UnsupportedMedia, 415),
    (errors.TooLarge, 413),
    (errors.ObjectTooLarge, 413),
    (errors.BadRequest, 400),
    (errors.RefusedObject, 400),
    (errors.StorageFull, 507),
    (errors.Busy, 503),
    (errors.DatabaseUnavailable, 503),
    (errors.UndecodableImage, 500),
    (errors.FileroomError, 500),
)


def error_response(error: errors.FileroomError) -> Response:
    """The error as JSON: `{"error": ..., "hint": ...}` under the table's status."""
    status = next(code for kind, code in STATUS if isinstance(error, kind))
    response = Response.json({"error": str(error), "hint": error.hint}, status)
    if status == 503:
        response.headers.append(("retry-after", "2"))
    return response


class Router:
    """Maps method and path to a handler. Patterns hold `{name}` for one path segment."""

    def __init__(self) -> None:
        self._routes: list[tuple[re.Pattern[str], dict[str, Handler]]] = []
        self._by_pattern: dict[str, dict[str, Handler]] = {}

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Register; GET also answers HEAD (the server drops the body)."""
        methods = self._by_pattern.get(pattern)
        if methods is None:
            methods = self._by_pattern[pattern] = {}
            regex = re.compile("".join(_segment(piece) for piece in re.split(r"(\{\w+\})", pattern)))
            self._routes.append((regex, methods))
        methods[method] = handler

    def __call__(self, request: Request) -> Response:
        for regex, methods in self._routes:
            found = regex.fullmatch(request.path)
            if found is None:
                continue
            handler = methods.get("GET" if request.method == "HEAD" else request.method)
            if handler is None:
                allow = ", ".join(sorted(methods))
                return Response(405, [("allow", allow), ("content-type", "text/plain")], [b"method not allowed\n"])
            return handler(_with_params(request, found.groupdict()))
        raise errors.NotFound("no such page")


def _segment(piece: str) -> str:
    if piece.startswith("{"):
        return f"(?P<{piece[1:-1]}>[^/]+)"
    return re.escape(piece)


def _with_params(request: Request, params: dict[str, str]) -> Request:
    return Request(request.method, request.path, request.query, request.headers, request.body, request.client, params)
