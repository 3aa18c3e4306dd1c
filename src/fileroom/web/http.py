"""Requests and responses as plain values, and the one table that turns errors into HTTP status.

The server (`fileroom.web.server`) reads a `Request` off a connection and writes a `Response`; what lies between is
ordinary blocking functions, found by the `Router` (`fileroom.web.router`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, unquote

import orjson

from fileroom import errors
from fileroom.web.wire import Stalled

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Body(Protocol):
    """A request body, read once, in order, straight off the connection."""

    def read(self, size: int = 65536) -> bytes:
        """At most `size` bytes, b"" at the end.

        Raises TooLarge past the server's bound, BadRequest when cut short, Stalled when it comes too slowly; let
        these pass, the server answers them and closes the connection.
        """
        ...


class Sendable(Protocol):
    """A byte range of an open file, sent with sendfile. `fileroom.archive.retrieve.FileRange` is one."""

    @property
    def fd(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def length(self) -> int: ...


Part = bytes | memoryview | Sendable


class Request(NamedTuple):
    """One HTTP request. Header names are lower case; the path is percent-decoded once and begins with a slash."""

    method: str
    path: str
    query: str  # raw, without the question mark
    headers: Mapping[str, str]
    body: Body
    client: tuple[str, int]  # the connection's peer address
    params: Mapping[str, str] = MappingProxyType({})  # filled by the router, percent-decoded
    raw_path: str = ""  # the path as sent; "" when it is the same

    def args(self) -> list[tuple[str, str]]:
        """Query arguments in order, decoded, blank values kept.

        Raises BadRequest past 1,000 of them, on control characters and on what is not UTF-8.
        """
        if not self.query:
            return []
        try:
            pairs = parse_qsl(self.query, keep_blank_values=True, max_num_fields=1000, errors="strict")
        except ValueError as error:
            raise errors.BadRequest("query: too many arguments, or not UTF-8") from error
        if any(_CONTROL.search(name) or _CONTROL.search(value) for name, value in pairs):
            raise errors.BadRequest("query: control character in an argument")
        return pairs

    def segments(self) -> list[str]:
        """The path split at its slashes, each piece decoded by itself: an encoded slash does not split."""
        raw = self.raw_path or self.path
        if self.raw_path and "%" in raw:
            return [unquote(piece) for piece in raw[1:].split("/")]
        return raw[1:].split("/")

    def content(self, bytes_max: int) -> bytes:
        """The whole body, for small ones. Raises TooLarge past `bytes_max`."""
        pieces: list[bytes] = []
        total = 0
        while piece := self.body.read(min(65536, bytes_max - total + 1)):
            total += len(piece)
            if total > bytes_max:
                raise errors.TooLarge(f"body over {bytes_max} bytes")
            pieces.append(piece)
        return b"".join(pieces)


@dataclass(slots=True)
class Response:
    """One HTTP response. Header names are lower case; the server adds date, framing and connection headers.

    `parts` is a list or tuple (length known: sent with Content-Length) or any other iterable: sent chunked, small
    parts gathered up to 16 KB, an empty part sends what was gathered at once; unless `size_bytes` says what the parts
    come to: then they are sent with Content-Length, and a sum that differs breaks the connection, so that it cannot
    pass for the whole. An iterable with a `close` method (a generator) is closed whatever happens. A part that is a
    Sendable must stay open until it is sent, so the response holds it.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    parts: Iterable[Part] = ()
    size_bytes: int | None = None  # of parts that are made while they are sent

    @staticmethod
    def text(text: str, status: int = 200, media_type: str = "text/plain; charset=utf-8") -> Response:
        return Response(status, [("content-type", media_type)], [text.encode()])

    @staticmethod
    def json(value: object, status: int = 200, media_type: str = "application/json") -> Response:
        return Response(status, [("content-type", media_type)], [orjson.dumps(value)])


Handler = Callable[[Request], Response]
ErrorAnswer = Callable[[Request, errors.FileroomError], Response]

# The one table of errors and HTTP status (PS3.18 8.5); the first match from the top wins.
STATUS: tuple[tuple[type[errors.FileroomError], int], ...] = (
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Superseded, 409),
    (errors.InUse, 409),
    (errors.NotAcceptable, 406),
    (errors.UnsupportedMedia, 415),
    (errors.TooLarge, 413),
    (errors.ObjectTooLarge, 413),
    (errors.BadRequest, 400),
    (errors.RefusedObject, 400),
    (Stalled, 408),
    (errors.StorageFull, 507),
    (errors.Busy, 503),
    (errors.DatabaseUnavailable, 503),
    (errors.UndecodableImage, 500),
    (errors.FileroomError, 500),
)


def error_status(error: errors.FileroomError) -> int:
    """The HTTP status of an error."""
    return next(code for kind, code in STATUS if isinstance(error, kind))


def error_response(error: errors.FileroomError, status: int | None = None) -> Response:
    """The error as JSON: `{"error": ..., "hint": ...}` under the table's status, or `status`."""
    status = status or error_status(error)
    response = Response.json({"error": str(error), "hint": error.hint}, status)
    response.headers.append(("cache-control", "no-store"))
    if status == 503:
        response.headers.append(("retry-after", "2"))
    return response


def plain_error(_request: Request, error: errors.FileroomError) -> Response:
    """`error_response`, whoever asks: the ErrorAnswer of a server without pages."""
    return error_response(error)
