"""The pages' own files (stylesheets, scripts, icons), read from the rooms once and served with a validator.

An address that carries the file's digest (`url`) never changes its content, so a browser keeps it and asks no more.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from fileroom import errors
from fileroom.web.encoding import takes_gzip
from fileroom.web.http import Request, Response

_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "js": "text/javascript; charset=utf-8"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    """One file as it is sent."""

    content: bytes
    packed: bytes  # the same, gzip
    media_type: str
    digest: str


class Assets:
    """Serves `/static/{name}` from the rooms' folders `static`. Only what lay there at the start exists."""

    def __init__(self, rooms: Sequence[str] = ("web",)) -> None:
        self._assets: dict[str, _Asset] = {}
        for room in rooms:
            folder = files(f"fileroom.{room}").joinpath("static")
            for file in folder.iterdir() if folder.is_dir() else ():
                media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
                if media_type is None:
                    continue
                if file.name in self._assets:
                    raise ValueError(f"two rooms have a static file {file.name}")
                content = file.read_bytes()
                packed = gzip.compress(content, mtime=0)
                self._assets[file.name] = _Asset(content, packed, media_type, hashlib.sha256(content).hexdigest()[:20])

    def url(self, name: str) -> str:
        """The file's address, to be kept for ever; plain when there is no such file."""
        asset = self._assets.get(name)
        return f"/static/{name}?v={asset.digest}" if asset else f"/static/{name}"

    def icon(self, request: Request) -> Response:
        """`/favicon.ico`, which a browser asks for beside every answer that names no icon. Raises NotFound."""
        return self(request._replace(params={"name": "fileroom.svg"}, query=""))

    def __call__(self, request: Request) -> Response:
        """The file, or 304 when the asker has it. Raises NotFound."""
        asset = self._assets.get(request.params["name"])
        if asset is None:
            raise errors.NotFound("no such file")
        kept = request.query == f"v={asset.digest}"
        etag = f'"{asset.digest}"'
        headers = [
            ("etag", etag),
            ("cache-control", _FOREVER if kept else "no-cache"),
            ("vary", "accept-encoding"),
        ]
        if etag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")):
            return Response(304, headers)
        headers.append(("content-type", asset.media_type))
        if takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(200, [*headers, ("content-encoding", "gzip")], [asset.packed])
        return Response(200, headers, [asset.content])
