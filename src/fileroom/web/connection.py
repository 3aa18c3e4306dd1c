"""One connection, from its first request to its last."""

from __future__ import annotations

import logging
import re
import socket
import time
import traceback
import uuid
from collections.abc import Callable

from fileroom import errors
from fileroom.web.body import NO_BODY, BodyCutShort, ChunkedBody, LengthBody, WireBody, drain
from fileroom.web.head import CHUNKED, BadHead, Head, Heads
from fileroom.web.http import ErrorAnswer, Handler, Request, Response, error_response
from fileroom.web.limits import Limits
from fileroom.web.router import NoSuchPage
from fileroom.web.wire import ConnectionLost, Stalled, Wire
from fileroom.web.writer import Writer

log = logging.getLogger("fileroom.web")

_BARE_LF = re.compile(rb"(?<!\r)\n")


class Connection:
    """Reads requests off one socket, in order, and answers each before the next. `run` is its thread's whole life."""

    def __init__(
        self,
        sock: socket.socket,
        client: tuple[str, int],
        app: Handler,
        limits: Limits,
        stopping: Callable[[], bool],
        tell: ErrorAnswer,
    ) -> None:
        self._wire = Wire(sock, limits)
        self._client = client
        self._app = app
        self._limits = limits
        self._heads = Heads(limits)
        self._stopping = stopping
        self._tell = tell
        self.busy = False  # between a request's first byte and the end of its answer
        self.idle_since = time.monotonic()  # when it last was not

    def run(self) -> None:
        """Serve until either side ends it; then close the socket."""
        try:
            while self._serve_one():
                pass
        except (ConnectionLost, Stalled) as lost:
            log.debug("connection ended", extra={"client": self._client[0], "reason": str(lost)})
        finally:
            self._wire.sock.close()

    def shut(self, how: int = socket.SHUT_RDWR) -> None:
        """End it from another thread; SHUT_RD lets an answer under way finish."""
        self._wire.shut(how)

    def _serve_one(self) -> bool:
        """Answer one request; True when another may follow."""
        if not self._wire.wait():
            return False
        self.busy = True
        begin = time.monotonic()
        try:
            head = self._heads.parse(self._read_head())
        except BadHead as error:
            return self._refuse(error, error.status, begin)
        except Stalled as error:
            return self._refuse(error, 408, begin)
        keep_alive = head.keep_alive and not self._stopping()
        writer = Writer(self._wire, method=head.method, http10=head.http10, keep_alive=keep_alive)
        body = self._body(head)
        sent_before = self._wire.sent_bytes
        path = self._answer(head, body, writer)
        _log_access(head.method, path, writer.status, self._wire.sent_bytes - sent_before, begin)
        if not writer.keep_alive or not drain(body, self._limits.drain_bytes_max):
            self._wire.linger()
            return False
        self.idle_since = time.monotonic()
        self.busy = False
        return not self._stopping()

    def _refuse(self, error: errors.FileroomError, status: int, begin: float) -> bool:
        """Answer a head that cannot be trusted, and end the connection: what follows it may be anything."""
        writer = Writer(self._wire, method="", http10=False, keep_alive=False)
        writer.write(error_response(error, status))
        _log_access("-", "-", status, self._wire.sent_bytes, begin)
        self._wire.linger()
        return False

    def _read_head(self) -> bytes:
        """The next request's head with its empty line. Raises BadHead, Stalled, ConnectionLost."""
        wire, limits = self._wire, self._limits
        deadline = 0.0
        forgiven = False
        while True:
            data = wire.peek()
            if not forgiven and data.startswith(b"\r\n"):  # one empty line before a request (RFC 9112 2.2)
                forgiven = True
                wire.take(2)
                continue
            end = data.find(b"\r\n\r\n", 0, limits.head_bytes_max)
            if end >= 0:
                return wire.take(end + 4)
            _check_partial(data, limits)
            now = time.monotonic()
            deadline = deadline or now + limits.head_seconds
            if now >= deadline:
                raise Stalled("the request's headers took too long")
            if not wire.more(deadline - now):
                raise ConnectionLost("closed inside a request's headers")

    def _body(self, head: Head) -> WireBody:
        if head.body_length == 0:
            return NO_BODY
        if not self._wire.peek():
            self._wire.quick()
        if head.body_length == CHUNKED:
            return ChunkedBody(self._wire, self._limits.body_bytes_max, head.expects_continue)
        return LengthBody(self._wire, head.body_length, head.expects_continue)

    def _answer(self, head: Head, body: WireBody, writer: Writer) -> str:
        """Have the application answer, and whatever it raises too. Returns the path to log."""
        request = Request(head.method, head.path, head.query, head.headers, body, self._client, {}, head.raw_path)
        try:
            self._write(self._app(request), body, writer)
        except ConnectionLost:
            raise
        except errors.FileroomError as error:
            if isinstance(error, BodyCutShort | Stalled):
                writer.keep_alive = False
            self._write_error(error, self._tell(request, error), body, writer)
            if isinstance(error, NoSuchPage):
                return "-"
        except Exception as error:  # noqa: BLE001  the one boundary: a fault in a handler costs one answer
            self._write_error(error, _fault(error), body, writer)
        return head.raw_path

    def _write(self, response: Response, body: WireBody, writer: Writer) -> None:
        if body.awaited or body.left > self._limits.drain_bytes_max:
            writer.keep_alive = False  # what the peer sends next may be this body, and too much to read over
        writer.write(response)

    def _write_error(self, error: Exception, response: Response, body: WireBody, writer: Writer) -> None:
        if writer.begun:
            self._wire.abort()
            if isinstance(error, Stalled):
                raise error
            reason = str(error) if isinstance(error, errors.FileroomError) else "fault"
            log.warning("response cut short", extra={"reason": reason})
            raise ConnectionLost("response cut short") from error
        if response.status >= 500 and isinstance(error, errors.FileroomError):
            log.warning("request failed", extra={"status": response.status, "reason": str(error)})
        self._write(response, body, writer)


def _check_partial(data: bytes, limits: Limits) -> None:
    """Refuse at once what can never become a request's head: too long, other line ends, another protocol."""
    if len(data) >= limits.head_bytes_max:
        line_end = data.find(b"\r\n")
        if line_end < 0 or line_end > limits.target_bytes_max:
            raise BadHead(414, f"request target over {limits.target_bytes_max} bytes")
        raise BadHead(431, f"request headers over {limits.head_bytes_max} bytes")
    if data and not data[:1].isalpha() and data != b"\r":
        raise BadHead(400, "this is not HTTP")
    if _BARE_LF.search(data):
        raise BadHead(400, "a line ends without CR")


def _fault(error: Exception) -> Response:
    """A 500 with an id that the log has too. The log holds types and places, not values: those may name a patient."""
    fault_id = uuid.uuid4().hex[:12]
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("fault", extra={"id": fault_id, "error": " from ".join(kinds), "at": places})
    response = Response.json({"error": "internal error", "hint": f"the server's log has more under {fault_id}"}, 500)
    response.headers.append(("cache-control", "no-store"))
    return response


def _log_access(method: str, path: str, status: int, sent_bytes: int, begin: float) -> None:
    """One line a request, without its query: queries hold identifiers. Reads that went well are DEBUG."""
    level = logging.DEBUG if status < 400 and method in ("GET", "HEAD") else logging.INFO
    if log.isEnabledFor(level):
        ms = round((time.monotonic() - begin) * 1000, 1)
        told = {"method": method, "path": path, "status": status, "bytes": sent_bytes, "ms": ms}
        log.log(level, "request", extra=told)
