"""The two servers under measurement, seen alike."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benches import processes
from benches.clients.failure import ClientFailed
from tests.support import orthanc
from tests.support.fileroom import FileroomServer
from tests.support.processes import Process

FILEROOM, ORTHANC = "Fileroom", "Orthanc"


class Server(Protocol):
    """A process that can be asked to end."""

    @property
    def pid(self) -> int: ...
    @property
    def process(self) -> Process | None: ...
    def stop(self) -> object: ...


@dataclass(slots=True)
class Side:
    """One running server."""

    name: str
    aet: str
    dicom: int  # port
    web: int  # port
    dicomweb: str  # path prefix
    home: Path
    _server: Server
    failed: str = ""  # why it is out of the row under measurement

    @property
    def pid(self) -> int:
        return self._server.pid

    def cpu_seconds(self) -> float:
        return processes.cpu_seconds(self.pid)

    def know_destination(self, aet: str, port: int) -> None:
        """Makes a C-MOVE destination on loopback known. Raises ClientFailed."""
        if isinstance(self._server, orthanc.Orthanc):
            self._server.know_peer(aet, port)
            return
        assert isinstance(self._server, FileroomServer)
        done = self._server.run("peer", "add", aet, "127.0.0.1", str(port))
        if done.returncode:
            raise ClientFailed(f"peer add: {done.stderr.strip()[-200:]}")

    def command(self, *arguments: str | os.PathLike[str]) -> str:
        """Runs a `fileroom` command on this side's home; returns what it printed. Raises ClientFailed."""
        assert isinstance(self._server, FileroomServer)
        done = self._server.run(*arguments, timeout_seconds=900)
        if done.returncode:
            raise ClientFailed(f"fileroom {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def stop(self) -> None:
        self._server.stop()

    def restart(self) -> None:
        """Ends it, starts it on the same data and ports. Raises NotReady."""
        assert isinstance(self._server, FileroomServer | orthanc.Orthanc)
        self._server.restart()

    def kill(self) -> None:
        if self._server.process is not None:
            self._server.process.kill()


def start_fileroom(home: Path) -> Side:
    """`fileroom serve` with default settings. Raises NotReady."""
    server = FileroomServer(home, environment={"FILEROOM_LOG_LEVEL": "warning"})
    return Side(FILEROOM, server.aet, server.dicom, server.web, "/dicomweb", home, server)


def orthanc_settings() -> dict[str, Any]:
    """benches/orthanc.json. Newer builds spell OverwriteInstances "Always" and take `true` for it."""
    settings: dict[str, Any] = json.loads(Path(__file__).with_name("orthanc.json").read_text())
    return settings


def start_orthanc(home: Path, **settings: Any) -> Side:
    """Orthanc with the settings in this folder, and TCP_NODELAY on its DICOM side. Raises MissingPeer, NotReady."""
    server = orthanc.Orthanc(home, orthanc_settings() | settings)
    return Side(ORTHANC, server.aet, server.dicom, server.http, "/dicom-web", home, server)


def start_stock_orthanc(home: Path) -> Side:
    """Orthanc as it comes: Nagle's algorithm on, PDU of 16 KiB; only duplicates are overwritten, as on every side."""
    settings = orthanc_settings()
    for name in ("DicomThreadsCount", "MaximumPduLength", "ConcurrentJobs", "HttpThreadsCount", "DicomWeb"):
        settings.pop(name)
    server = orthanc.Orthanc(home, settings, nodelay=False)
    return Side(ORTHANC, server.aet, server.dicom, server.http, "/dicom-web", home, server)
