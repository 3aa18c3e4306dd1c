"""multipart/related both ways (RFC 2387, RFC 2046, PS3.18 8.6): read part by part as it comes, and composed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import python_multipart
from python_multipart.exceptions import FormParserError

from fileroom import errors
from fileroom.web.http import Body, Part, Response

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_READ_BYTES = 262144
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")  # RFC 2046 5.1.1
_PARAMETER = re.compile(r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]*))")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one multipart body may hold."""

    parts_max: int = 100_000
    headers_max: int = 16  # of one part
    header_bytes_max: int = 8192  # of one header line
    leading_lines_max: int = 2  # empty ones before the first boundary


def media_type(text: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case and its parameters, names in lower case, quotes taken off (RFC 9110 8.3.1).

    Raises BadRequest when it does not parse or a parameter comes twice.
    """
    kind, separator, _ = text.partition(";")
    parameters: dict[str, str] = {}
    rest = text[len(kind) :]
    at = 0
    while at < len(rest.rstrip("; \t")):
        found = _PARAMETER.match(rest, at)
        if found is None:
            raise errors.BadRequest("malformed media type")
        name = found[1].lower()
        if name in parameters:
            raise errors.BadRequest(f"media type with two parameters {name}")
        parameters[name] = _ESCAPED.sub(r"\1", found[2]) if found[2] is not None else found[3]
        at = found.end()
    return kind.strip().lower(), parameters if separator else {}


@dataclass(slots=True)
class IncomingPart:
    """One part on its way in. Its bytes come from `chunks`, once; what is left of them is read over by the reader."""

    headers: Mapping[str, str]  # names in lower case
    number: int  # from 1
    _reader: MultipartReader

    def chunks(self) -> Iterator[memoryview]:
        """The part's bytes in order, each piece valid until the next is asked for. Raises like `MultipartReader`."""
        return self._reader._chunks(self.number)


class MultipartReader:
    """Iterates over the parts of one multipart body.

    Holds one read of the body at a time (256 KB), whatever the sizes of the parts. Raises BadRequest when the body
    does not begin with its boundary, ends without it, or passes a bound; and what `Body.read` raises.
    """

    def __init__(self, body: Body, boundary: str, bounds: Bounds | None = None) -> None:
        if _BOUNDARY.fullmatch(boundary) is None:
            raise errors.BadRequest(
                "multipart boundary missing, over 70 characters, or with characters it may not have",
                hint='Content-Type: multipart/related; type="application/dicom"; boundary=SOMETHING',
            )
        self._body = body
        self._bounds = bounds or Bounds()
        self._delimiter = b"--" + boundary.encode("ascii")
        self._events = _Events(self._bounds)
        self._parser = python_multipart.MultipartParser(
            boundary.encode("ascii"),
            self._events.callbacks(),
            max_header_count=self._bounds.headers_max,
            max_header_size=self._bounds.header_bytes_max,
        )
        self._started = False
        self._failure: errors.FileroomError | None = None  # met behind the events that are still to hand out

    def __iter__(self) -> Iterator[IncomingPart]:
        number = 0
        while True:
            event = self._next()
            if event is _END:
                return
            if isinstance(event, dict):
                number += 1
                yield IncomingPart(event, number, self)
            # anything else belongs to a part that nobody wanted to the end

    def _chunks(self, number: int) -> Iterator[memoryview]:
        if number != self._events.opened:
            return
        while isinstance(event := self._next(), memoryview):
            yield event

    def _next(self) -> _Event:
        """The next event: a part's headers (dict), some of its bytes (memoryview), its end (None), or _END."""
        queue = self._events
        while queue.at >= len(queue.events):
            queue.events.clear()
            queue.at = 0
            self._parse_more()
        event = queue.events[queue.at]
        queue.at += 1
        if isinstance(event, dict):
            queue.opened += 1
        return event

    def _parse_more(self) -> None:
        """Read and parse a piece. What went wrong in it is raised by the next call: parts before it count."""
        if self._failure is not None:
            raise self._failure
        chunk = self._body.read(_READ_BYTES) if self._started else self._first_bytes()
        if not chunk:
            raise errors.BadRequest("the multipart body ends without its closing boundary")
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            self._failure = errors.BadRequest(f"malformed multipart body: {error}")
        except errors.BadRequest as error:
            self._failure = error

    def _first_bytes(self) -> bytes:
        """The first read, which must begin with the boundary; empty lines before it are forgiven, text is not."""
        self._started = True
        data = b""
        wanted = len(self._delimiter) + 2 * self._bounds.leading_lines_max
        while len(data) < wanted:
            chunk = self._body.read(_READ_BYTES)
            if not chunk:
                break
            data += chunk
        if not data:
            raise errors.BadRequest("the multipart body is empty")
        lines = 0
        while lines < self._bounds.leading_lines_max and data.startswith(b"\r\n", 2 * lines):
            lines += 1
        if not data.startswith(self._delimiter, 2 * lines):
            raise errors.BadRequest(
                "the multipart body does not begin with its boundary",
                hint="the boundary in Content-Type differs from the body's, or there is text before the first one",
            )
        return data[2 * lines :]


class _End:
    """The closing boundary."""


_END = _End()
_Event = dict[str, str] | memoryview | None | _End


@dataclass(slots=True)
class _Events:
    """What the parser found in one piece of the body, in order."""

    bounds: Bounds
    events: list[_Event] = field(default_factory=list)
    at: int = 0
    opened: int = 0  # parts whose headers were handed out
    parts: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    name: bytes = b""
    value: bytes = b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self.part_begin,
            "on_part_data": self.part_data,
            "on_part_end": self.part_end,
            "on_header_field": self.header_field,
            "on_header_value": self.header_value,
            "on_header_end": self.header_end,
            "on_headers_finished": self.headers_finished,
            "on_end": self.end,
        }

    def part_begin(self) -> None:
        self.parts += 1
        if self.parts > self.bounds.parts_max:
            raise errors.BadRequest(f"more than {self.bounds.parts_max} parts in one body")
        self.headers = {}

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        name = self.name.decode("latin-1").lower()
        if name in self.headers:
            raise errors.BadRequest(f"a part with two headers {name}")
        self.headers[name] = self.value.decode("latin-1").strip(" \t")
        self.name = self.value = b""

    def headers_finished(self) -> None:
        self.events.append(self.headers)

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self.events.append(memoryview(data)[start:end])

    def part_end(self) -> None:
        self.events.append(None)

    def end(self) -> None:
        self.events.append(_END)


class OutgoingPart(NamedTuple):
    """One part of a multipart answer."""

    media_type: str  # with its parameters, e.g. "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    body: Sequence[Part]
    location: str = ""  # Content-Location


def compose(kind: str, parts: Iterable[OutgoingPart], headers: Sequence[tuple[str, str]] = ()) -> Response:
    """A multipart/related answer of parts of the media type `kind`.

    A list or tuple of parts goes out with Content-Length, any other iterable chunked, part after part as it comes.
    The boundary is 128 bits that nobody can foresee: the stored bytes cannot hold it but by chance.
    """
    boundary = next(_boundaries())
    content_type = ("content-type", f'multipart/related; type="{kind}"; boundary={boundary}')
    pieces = _pieces(boundary, parts)
    return Response(200, [content_type, *headers], list(pieces) if isinstance(parts, list | tuple) else pieces)


@cache
def _boundaries() -> Iterator[str]:
    """Boundaries nobody can foresee, each another: a system call for random bits would cost more than all the rest of
    an answer's head, and hand the interpreter to another thread."""
    key = secrets.token_bytes(32)

    def boundary(number: int) -> str:
        return sha256(key + number.to_bytes(8, "little")).hexdigest()[:32]

    return map(boundary, count())  # no generator: several threads take from it at once


def _pieces(boundary: str, parts: Iterable[OutgoingPart]) -> Iterator[Part]:
    lead = f"--{boundary}\r\nContent-Type: "
    empty = True
    for part in parts:
        location = f"\r\nContent-Location: {part.location}" if part.location else ""
        yield f"{lead}{part.media_type}{location}\r\n\r\n".encode("ascii")
        yield from part.body
        lead = f"\r\n--{boundary}\r\nContent-Type: "
        empty = False
    yield f"--{boundary}--\r\n".encode() if empty else f"\r\n--{boundary}--\r\n".encode()
