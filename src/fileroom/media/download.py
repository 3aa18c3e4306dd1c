"""Studies and series as a ZIP to take away: what the browser saves when somebody asks for a download."""

from __future__ import annotations

from fileroom import errors
from fileroom.archive.contents import contents
from fileroom.archive.retrieve import Retriever
from fileroom.database import Database
from fileroom.media.file_name import archive_name, content_disposition
from fileroom.media.plan import plan
from fileroom.media.stream import Stream
from fileroom.web.http import Request, Response
from fileroom.web.router import Router
from fileroom.web.segment import segment

_STUDIES_MAX = 100  # in one archive


def download_path(study_uid: str) -> str:
    """Where a study is taken away from."""
    return f"/studies/{segment(study_uid)}/download"


class Download:
    """The handlers that answer with a ZIP. Memory: about 2 KB an object, and 1 MB for their bytes."""

    def __init__(self, database: Database, retriever: Retriever) -> None:
        self._database = database
        self._retriever = retriever

    def add_routes(self, router: Router) -> None:
        """Have the router send the addresses of downloads here."""
        router.add("GET", "/studies/download", self.several)
        router.add("GET", "/studies/{study}/download", self.one)
        router.add("GET", "/studies/{study}/series/{series}/download", self.one)

    def one(self, request: Request) -> Response:
        """A study, or one series of it. Raises NotFound, TooLarge, DamagedPack when nothing of it can be read."""
        return self._answer([request.params["study"]], request.params.get("series"))

    def several(self, request: Request) -> Response:
        """The studies named by `?study=UID&study=UID`. Raises NotFound when one of them is not here, and as `one`."""
        uids = list(dict.fromkeys(value for name, value in request.args() if name == "study"))
        if not 0 < len(uids) <= _STUDIES_MAX:
            raise errors.BadRequest(f"say which studies, at most {_STUDIES_MAX}", hint="?study=UID&study=UID")
        return self._answer(uids, None)

    def _answer(self, study_uids: list[str], series_uid: str | None) -> Response:
        found = contents(self._database, study_uids, series_uid)
        if len({series.values.study_uid for series in found}) < len(study_uids):
            raise errors.NotFound("no such series" if series_uid else "no such study")
        made = plan(found, self._retriever)
        headers = [
            ("content-type", "application/zip"),
            ("content-disposition", content_disposition(archive_name(found))),
            ("cache-control", "no-store"),
        ]
        stream = Stream(made, self._retriever)
        return Response(200, headers, stream.parts(), made.layout.size_bytes)
