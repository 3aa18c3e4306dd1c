"""Upload from a browser: one file a request, spooled to the home's disk, then taken in as `import` does."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from pathlib import Path
from typing import IO

from fileroom import errors
from fileroom.archive.arrival import Source
from fileroom.archive.importing import Importer, ImportReport
from fileroom.archive.packs import storage_error
from fileroom.archive.receive import Receiver
from fileroom.archive.telling import Telling
from fileroom.web.actor import actor
from fileroom.web.http import Body, Request, Response
from fileroom.web.pages import Pages
from fileroom.web.router import Router

FILE_BYTES_MAX = 64 << 30  # of one file: a ZIP may hold a whole archive
_AT_ONCE = 4  # files that are taken in at the same time
_SPARE_BYTES = 2 << 30  # of disk that an upload leaves free
_PROBLEMS_TOLD = 200
_NAME_CHARACTERS_MAX = 500
_PIECE_BYTES = 1 << 20


class Upload:
    """The handlers of `/upload`. `spool` is a folder of its own; what a crash left in it is removed at the start."""

    def __init__(
        self, pages: Pages, receiver: Receiver, spool: Path, site: str, telling: Telling | None = None
    ) -> None:
        self._pages = pages
        self._receiver = receiver
        self._spool = spool
        self._site = site
        self._telling = telling
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        shutil.rmtree(spool, ignore_errors=True)

    def add_routes(self, router: Router) -> None:
        """Have the router send the page and its files here."""
        router.add("GET", "/upload", self.page)
        router.add("POST", "/upload", self.take)

    def page(self, request: Request) -> Response:
        """The page that sends files."""
        return self._pages.page(request, "administration/upload.html")

    def take(self, request: Request) -> Response:
        """Take one file in, named by `?name=`: an object, a ZIP or a tar of them. What became of it, as JSON.

        Raises Busy when too many come at once, TooLarge, StorageFull; nothing is kept of the file then.
        """
        act = None if self._telling is None else self._telling.storing(actor(request), "upload")
        source = Source("upload", "browser", self._site, act)
        name = next((value for key, value in request.args() if key == "name"), "")[:_NAME_CHARACTERS_MAX] or "file"
        if not self._places.acquire(timeout=20.0):
            raise errors.Busy("other uploads are being taken in", hint="try again shortly")
        try:
            self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._spool / uuid.uuid4().hex
            try:
                self._write(request.body, path)
                report = Importer(self._receiver, source, None).run([path])
            finally:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error) from error
        finally:
            if act is not None:
                act.end()
            self._places.release()
        return Response.json(_told(report, str(path), name))

    def _write(self, body: Body, path: Path) -> None:
        with path.open("xb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            total = 0
            while piece := body.read(_PIECE_BYTES):
                total += len(piece)
                if total > FILE_BYTES_MAX:
                    raise errors.TooLarge(f"a file over {FILE_BYTES_MAX} bytes", hint="use fileroom import")
                if shutil.disk_usage(self._spool).free < _SPARE_BYTES:
                    raise errors.StorageFull("the disk is nearly full", hint="free disk space, then try again")
                _write_all(file, piece)


def _write_all(file: IO[bytes], piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]


def _told(report: ImportReport, path: str, name: str) -> dict[str, object]:
    """The report with the file's own name in it; inside a ZIP or tar, the member's name behind it."""
    return {
        "name": name,
        "counts": {str(outcome): count for outcome, count in report.counts.items()},
        "size_bytes": report.size_bytes,
        "studies": sorted(report.studies),
        "problems": [
            {
                "name": problem.name.replace(path, name),
                "outcome": problem.outcome,
                "why": problem.why.replace(path, name),
            }
            for problem in report.problems[:_PROBLEMS_TOLD]
        ],
        "problems_left_out": max(0, len(report.problems) - _PROBLEMS_TOLD),
    }
