"""Is this server well? /healthz: the process answers. /readyz: 200 when it can do its work, 503 with the reasons."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fileroom.database import Database
from fileroom.errors import FileroomError
from fileroom.settings import Settings
from fileroom.web.http import Request, Response


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must work. `why_not` answers with the reason why it does not, or with nothing."""

    name: str
    why_not: Callable[[], str]


class Health:
    """Asks every check anew each time."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = tuple(checks)

    def reasons(self) -> dict[str, str]:
        """The checks that fail, each with its reason."""
        return {check.name: reason for check in self._checks if (reason := check.why_not())}

    def alive(self, _request: Request) -> Response:
        """GET /healthz."""
        return Response.json({"alive": True})

    def ready(self, _request: Request) -> Response:
        """GET /readyz."""
        failing = self.reasons()
        checks = {check.name: failing.get(check.name, "ok") for check in self._checks}
        return Response.json({"ready": not failing, "checks": checks}, 503 if failing else 200)


def database_check(database: Database) -> Check:
    """The database answers a question."""

    def why_not() -> str:
        try:
            with database.read() as connection:
                connection.exec_driver_sql("SELECT 1")
        except FileroomError as error:
            return str(error)
        return ""

    return Check("database", why_not)


def packs_check(settings: Settings) -> Check:
    """The packs' folder takes a file, and has the room that the settings ask for."""

    def why_not() -> str:
        try:
            free = shutil.disk_usage(settings.packs).free
            _try_write(settings.packs)
        except OSError as error:
            return f"the packs' folder cannot be written: {error.strerror}"
        return "" if free >= settings.free_bytes_min else f"only {free >> 20} MiB are free"

    return Check("packs", why_not)


def _try_write(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:  # without a name: many may ask at once
        file.write(b"fileroom")
