"""Asking a router without a server in between."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fileroom import errors
from fileroom.web.http import Request, Response, error_response
from fileroom.web.router import Router


class NoBody:
    def read(self, size: int = 65536) -> bytes:
        return b""


@dataclass
class Answer:
    """One answer, its parts read together."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    sent_from_files: int = field(default=0)  # bytes that were file ranges

    def header(self, name: str) -> str:
        """The header's value; several are joined by a comma; "" when absent."""
        return ", ".join(value for key, value in self.headers if key == name)

    def json(self) -> Any:
        return json.loads(self.body)


def ask(router: Router, target: str, method: str = "GET", host: str = "127.0.0.1:8080", **headers: str) -> Answer:
    """The answer to a request for `target` (path and query); `if_none_match="x"` is a header."""
    path, _, query = target.partition("?")
    given = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, unquote(path), query, given, NoBody(), ("127.0.0.1", 1), {}, path)
    try:
        response = router(request)
    except errors.FileroomError as error:
        response = error_response(error)
    return _read(response)


def _read(response: Response) -> Answer:
    pieces, from_files = [], 0
    for part in response.parts:
        if isinstance(part, bytes | memoryview):
            pieces.append(bytes(part))
        else:
            data = os.pread(part.fd, part.length, part.offset)
            assert len(data) == part.length
            from_files += part.length
            pieces.append(data)
    return Answer(response.status, response.headers, b"".join(pieces), from_files)
