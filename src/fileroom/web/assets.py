"""The pages' own files (stylesheets, icons), read from the package once and served with a validator."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from fileroom import errors
from fileroom.web.http import Request, Response

_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Asset:
    """One file as it is sent."""

    content: bytes
    media_type: str
    etag: str


class Assets:
    """Serves `/static/{name}` from a package's folder `static`. Only what lay there at the start exists."""

    def __init__(self, package: str = "fileroom.web") -> None:
        self._assets: dict[str, _Asset] = {}
        for file in files(package).joinpath("static").iterdir():
            media_type = _MEDIA_TYPES.get(file.name.rpartition(".")[2])
            if media_type is not None:
                content = file.read_bytes()
                self._assets[file.name] = _Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:20]}"')

    def __call__(self, request: Request) -> Response:
        """The file, or 304 when the asker has it. Raises NotFound."""
        asset = self._assets.get(request.params["name"])
        if asset is None:
            raise errors.NotFound("no such file")
        headers = [("etag", asset.etag), ("cache-control", "no-cache")]
        if asset.etag in (part.strip() for part in request.headers.get("if-none-match", "").split(",")):
            return Response(304, headers)
        return Response(200, [("content-type", asset.media_type), *headers], [asset.content])
