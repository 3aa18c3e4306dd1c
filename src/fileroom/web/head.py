"""The head of one HTTP/1.1 request: bytes in, a checked value out (RFC 9110, RFC 9112).

llhttp in its strict mode reads the grammar; what decides where one request ends and the next begins is checked here
once more and refused when it could be read in two ways. A refused head ends its connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import httptools

from fileroom import errors
from fileroom.web.limits import Limits

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
# Two of these could be read in two ways; other repeated headers join with a comma.
_ONCE = frozenset({"host", "content-length", "transfer-encoding", "content-type", "authorization", "origin", "expect"})
_ABSOLUTE = re.compile(r"https?://([^/?#@]+)([/?][^#]*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LENGTH = re.compile(r"[0-9]{1,18}")
_PLAIN_LINE = re.compile(rb"(GET|HEAD) (/[!\"$-~]*) HTTP/1\.1")
CHUNKED = -1


class BadHead(errors.BadRequest):
    """A request that is not answered but refused, and ends its connection. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Head:
    """One request's head."""

    method: str
    path: str  # percent-decoded once; an encoded slash is decoded too: see raw_path
    raw_path: str  # as sent; segments are split here, so that an encoded slash stays inside its segment
    query: str  # raw, without the question mark
    headers: dict[str, str]  # names in lower case
    http10: bool
    keep_alive: bool
    body_length: int  # bytes, or CHUNKED
    expects_continue: bool


class _Listener:
    """What llhttp calls back."""

    __slots__ = ("complete", "headers", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.complete = True


class Heads:
    """Reads the heads of one connection, one after the other.

    A client repeats its headers from request to request: those that were checked a moment ago, byte for byte, are not
    checked again.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._checked = b""  # everything behind the request line of a request like the next
        self._last: Head | None = None  # what it said

    def parse(self, data: bytes) -> Head:
        """As `parse_head`."""
        line, _, rest = data.partition(b"\r\n")
        last = self._last
        if last is not None and rest == self._checked and (plain := _PLAIN_LINE.fullmatch(line)):
            path, raw_path, query = _target(plain[2], "GET", {}, self._limits)
            return Head(plain[1].decode(), path, raw_path, query, last.headers, False, last.keep_alive, 0, False)
        head = parse_head(data, self._limits)
        if _PLAIN_LINE.fullmatch(line) and not head.body_length and not head.expects_continue:
            self._checked, self._last = rest, head
        return head


def parse_head(data: bytes, limits: Limits) -> Head:
    """The head in `data`, which ends with the empty line. Raises BadHead."""
    listener = _Listener()
    parser = httptools.HttpRequestParser(listener)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # Upgrade is not offered: answered as if it had not been asked for. CONNECT is refused below
    except httptools.HttpParserInvalidMethodError as error:
        raise BadHead(501, "no such method here") from error
    except httptools.HttpParserError as error:
        raise BadHead(400, f"malformed request: {error}") from error
    if not listener.complete:
        raise BadHead(400, "malformed request")
    method = parser.get_method().decode("ascii")
    if method not in METHODS:
        raise BadHead(501, "no such method here")
    version = parser.get_http_version()
    if version not in ("1.1", "1.0"):
        raise BadHead(505, "HTTP/1.1 and HTTP/1.0 are spoken here")
    headers = _headers(listener.headers, limits)
    http10 = version == "1.0"
    path, raw_path, query = _target(listener.target, method, headers, limits)
    if "host" not in headers and not http10:
        raise BadHead(400, "no Host header")
    connection = headers.get("connection")
    return Head(
        method,
        path,
        raw_path,
        query,
        headers,
        http10,
        _keeps_alive(connection, http10) if connection is not None else not http10,
        _body_length(headers, http10, limits),
        _expects_continue(headers, http10) if "expect" in headers else False,
    )


def _headers(raw: list[tuple[bytes, bytes]], limits: Limits) -> dict[str, str]:
    if len(raw) > limits.headers_max:
        raise BadHead(431, f"more than {limits.headers_max} headers")
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1").strip(" \t")
        if name in headers:
            if name in _ONCE:
                raise BadHead(400, f"header {name} given twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _target(raw: bytes, method: str, headers: dict[str, str], limits: Limits) -> tuple[str, str, str]:
    """Path, raw path and query of origin-form, absolute-form and asterisk-form targets (RFC 9112 3.2)."""
    if len(raw) > limits.target_bytes_max:
        raise BadHead(414, f"request target over {limits.target_bytes_max} bytes")
    try:
        target = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise BadHead(400, "request target is not ASCII") from error
    if not target.startswith("/"):
        if target == "*" and method == "OPTIONS":
            return "*", "*", ""
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise BadHead(400, "request target is neither a path nor an http address")
        if absolute[1].lower() != headers.get("host", absolute[1]).lower():
            raise BadHead(400, "request target and Host header disagree")
        headers["host"] = absolute[1]
        target = absolute[2] or "/"
        if target.startswith("?"):
            target = "/" + target
    if "#" in target:
        raise BadHead(400, "request target holds a fragment")
    raw_path, _, query = target.partition("?")
    return _decoded(raw_path) if "%" in raw_path else raw_path, raw_path, query


def _decoded(raw_path: str) -> str:
    """Percent-decoded once. Refuses control characters and what is not UTF-8."""
    if _BAD_PERCENT.search(raw_path):
        raise BadHead(400, "malformed percent-encoding in the path")
    try:
        path = unquote_to_bytes(raw_path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadHead(400, "path is not UTF-8") from error
    if _CONTROL.search(path):
        raise BadHead(400, "control character in the path")
    return path


def _keeps_alive(connection: str, http10: bool) -> bool:
    options = {option.strip() for option in connection.lower().split(",")}
    if "close" in options:
        return False
    return not http10 or "keep-alive" in options


def _body_length(headers: dict[str, str], http10: bool, limits: Limits) -> int:
    """Bytes of the body, or CHUNKED; one meaning or none (RFC 9112 6.3)."""
    coding = headers.get("transfer-encoding")
    length = headers.get("content-length")
    if coding is not None:
        if length is not None:
            raise BadHead(400, "both Content-Length and Transfer-Encoding")
        if http10 or coding.lower() != "chunked":
            raise BadHead(400, "Transfer-Encoding other than chunked, or in HTTP/1.0")
        return CHUNKED
    if length is None:
        return 0
    if _LENGTH.fullmatch(length) is None:
        raise BadHead(400, "malformed Content-Length")
    size = int(length)
    if limits.body_bytes_max is not None and size > limits.body_bytes_max:
        raise BadHead(413, f"body over {limits.body_bytes_max} bytes")
    return size


def _expects_continue(headers: dict[str, str], http10: bool) -> bool:
    if headers["expect"].lower() != "100-continue":
        raise BadHead(417, "only 100-continue may be expected")
    return not http10
