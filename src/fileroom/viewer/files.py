"""The viewer's own files, as scripts/web_assets.py laid them down: sent compressed, kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from fileroom import errors
from fileroom.web.encoding import takes_gzip
from fileroom.web.http import Request, Response

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
# The prefix holds a digest of what was fetched and how it was changed, so a file at an address never changes.
log = logging.getLogger("fileroom.viewer")

_FOR_EVER = ("cache-control", "public, max-age=31536000, immutable")


@dataclass(frozen=True, slots=True)
class About:
    """What the fetched viewer is."""

    version: str
    prefix: str  # the path its files are served under; ends with a slash
    script: str  # the names of the files it starts from
    style: str
    soon: tuple[str, ...]  # scripts that every study needs after the first one


@dataclass(frozen=True, slots=True)
class _File:
    """One file, open for as long as the server runs. A Sendable."""

    fd: int
    offset: int
    length: int
    gzipped: bool
    media_type: str
    digest: str


class ViewerFiles:
    """Serves the files under `about.prefix`. `about` is None when they were never fetched; thread-safe."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where scripts/web_assets.py put the viewer. Raises nothing when it is not there."""
        self._folder = folder / "files"
        self._open: dict[str, _File] = {}
        self._lock = threading.Lock()
        self.about = _about(folder / "viewer.json")
        self._names = _names(self._folder) if self.about else {}

    def __call__(self, request: Request) -> Response:
        """The file `name`, compressed where the asker takes that, or 304 when it has it. Raises NotFound."""
        file = self._find(request.params["name"])
        compressed = file.gzipped and takes_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{file.digest}-gzip"' if compressed else f'"{file.digest}"'
        headers = [("etag", etag), _FOR_EVER]
        if file.gzipped:
            headers.append(("vary", "accept-encoding"))
        if etag in (part.strip() for part in request.headers.get("if-none-match", "").split(",")):
            return Response(304, headers)
        headers.append(("content-type", file.media_type))
        if compressed:
            headers.append(("content-encoding", "gzip"))
        elif file.gzipped:
            return Response(200, headers, [gzip.decompress(os.pread(file.fd, file.length, 0))])
        return Response(200, headers, [file])

    def _find(self, name: str) -> _File:
        with self._lock:
            file = self._open.get(name)
            if file is None:
                if name not in self._names:
                    raise errors.NotFound("the viewer has no such file")
                file = self._open[name] = _opened(self._names[name], name)
            return file


def _about(path: Path) -> About | None:
    try:
        told = json.loads(path.read_text())
        return About(told["version"], told["prefix"], told["script"], told["style"], tuple(told["soon"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError):  # fetched for another version: as good as not there
        log.warning("the viewer that was fetched is of another version; `make env` fetches it anew")
        return None


def _names(folder: Path) -> dict[str, Path]:
    """What may be asked for, by the name it is asked by. A file name never comes from a request."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and Path(name.removesuffix(".gz")).suffix in _MEDIA_TYPES:
            found[name.removesuffix(".gz")] = path
    return found


def _opened(path: Path, name: str) -> _File:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    gzipped = path.suffix == ".gz"
    length = os.fstat(fd).st_size
    digest = hashlib.sha256(os.pread(fd, length, 0)).hexdigest()[:20]
    return _File(fd, 0, length, gzipped, _MEDIA_TYPES[Path(name).suffix], digest)
