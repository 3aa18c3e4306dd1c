"""A real Orthanc with its DICOMweb plugin, on free ports, in a folder of its own.

ORTHANC=/path picks another build than Debian's; ORTHANC_PLUGINS=/path names its plugins (files or folders, with a
colon between).
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.support import peers, processes


def build() -> str:
    """The Orthanc program to start. Raises MissingPeer."""
    return peers.program(os.environ.get("ORTHANC") or "/usr/sbin/Orthanc")


def plugins() -> list[str]:
    """Where that build's DICOMweb plugin is. Raises MissingPeer."""
    named = os.environ.get("ORTHANC_PLUGINS")
    if named:
        return named.split(os.pathsep)
    beside = Path(build()).resolve().parent
    for folder in (beside, beside / "plugins", Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc")):
        for plugin in sorted(folder.glob("libOrthancDicomWeb.so*")):
            return [str(plugin)]
    raise peers.missing("orthanc-dicomweb")


class Orthanc:
    """One running server: `.http` and `.dicom` are its ports on loopback, `.aet` its title."""

    aet = "ORTHANC"

    def __init__(self, home: Path, settings: dict[str, Any] | None = None, *, nodelay: bool = True) -> None:
        """Starts it with `settings` over the defaults and waits until it answers. Raises MissingPeer, NotReady.

        dcmtk, which it builds on, leaves Nagle's algorithm on unless `nodelay`.
        """
        self.home = home
        self._environment = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}
        if nodelay:
            self._environment["TCP_NODELAY"] = "1"
        self.http, self.dicom = processes.free_port(), processes.free_port()
        home.mkdir(parents=True, exist_ok=True)
        self.config = home / "orthanc.json"
        self.config.write_text(json.dumps(self._defaults() | (settings or {}), indent=2))
        self.process = self._start()

    def _defaults(self) -> dict[str, Any]:
        return {
            "Name": "peer",
            "DicomAet": self.aet,
            "DicomPort": self.dicom,
            "HttpPort": self.http,
            "StorageDirectory": str(self.home / "storage"),
            "IndexDirectory": str(self.home / "storage"),
            "Plugins": plugins(),
            "AuthenticationEnabled": False,
            "RemoteAccessAllowed": False,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "DicomCheckCalledAet": False,
            "UnknownSopClassAccepted": True,
            "OverwriteInstances": True,
        }

    def _start(self) -> processes.Process:
        process = processes.start([build(), self.config], self.home / "log", environment=self._environment)
        process.wait_until(self.answers)
        return process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def dicomweb(self) -> str:
        return f"http://127.0.0.1:{self.http}/dicom-web"

    def answers(self) -> bool:
        try:
            self.get("/system")
        except (urllib.error.URLError, ConnectionError):
            return False
        return processes.accepts_connections(self.dicom)

    def get(self, path: str) -> Any:
        """The JSON of its REST interface at that path."""
        return self._call(urllib.request.Request(self._address(path)))

    def post(self, path: str, body: bytes | dict[str, Any] | list[Any] | str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._call(urllib.request.Request(self._address(path), data=data, method="POST"))

    def put(self, path: str, body: dict[str, Any] | list[Any]) -> Any:
        return self._call(urllib.request.Request(self._address(path), data=json.dumps(body).encode(), method="PUT"))

    def know_peer(self, aet: str, port: int) -> None:
        """Lets it send to, and move to, that application on loopback."""
        self.put(f"/modalities/{aet}", {"AET": aet, "Host": "127.0.0.1", "Port": port})

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http}{path}"

    @staticmethod
    def _call(request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def restart(self) -> None:
        """Stops it, starts it on the same data and ports."""
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        self.process.stop()
