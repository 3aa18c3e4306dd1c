"""A real `fileroom serve` on free ports with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support import peers, processes

PROGRAM = str(peers.VENV_BIN / "fileroom")


class FileroomServer:
    """One running server. `.web` and `.dicom` are its ports on loopback; they stay the same over a restart."""

    aet = "FILEROOM"

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str] | None = None,
        *,
        log: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        """Starts it and waits for /readyz. Raises NotReady with the end of its log.

        `environment` is laid over this process's own, less every FILEROOM_* setting in it. `prefix` is a command that
        runs the server, such as strace with its options.
        """
        self.home = home
        self.web, self.dicom = processes.free_port(), processes.free_port()
        self.environment = dict(environment or {})
        self.log = log or home.with_name(home.name + ".log")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.prefix = list(prefix)
        self.process: processes.Process | None = None
        self.start()

    @property
    def pid(self) -> int:
        return self.running.pid

    @property
    def running(self) -> processes.Process:
        assert self.process is not None, "the server has not been started"
        return self.process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web}"

    @property
    def dicomweb(self) -> str:
        return f"{self.url}/dicomweb"

    def start(self, timeout_seconds: float = 60) -> None:
        """Starts it on the same home and ports, and waits for /readyz."""
        doors = ["--web", f"127.0.0.1:{self.web}", "--dicom", f"127.0.0.1:{self.dicom}"]
        self.process = processes.start(
            [*self.prefix, PROGRAM, "serve", "--home", self.home, *doors],
            self.log,
            environment=self._environment(),
            stop_signal=signal.SIGTERM,
        )
        self.process.wait_until(self.ready, timeout_seconds)

    def ready(self) -> bool:
        """Whether /readyz says 200 now."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self) -> None:
        """kill -9 of the server process."""
        self.running.kill()

    def stop(self) -> int:
        """SIGTERM, as `systemctl stop` would; returns the exit code."""
        return self.running.stop()

    def restart(self) -> None:
        """Stops it if it runs, starts it on the same home and ports."""
        if self.running.alive():
            self.stop()
        self.start()

    def close(self) -> None:
        """Ends it in any way: what a fixture calls last."""
        if self.process is not None:
            self.process.kill()

    def run(self, *arguments: str | os.PathLike[str], timeout_seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """A `fileroom` command on this server's home, such as `run("peer", "list", "--json")`."""
        return subprocess.run(
            [PROGRAM, *(os.fspath(word) for word in arguments), "--home", os.fspath(self.home)],
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            env=self._environment(),
            check=False,
        )

    def get(self, path: str, accept: str = "application/dicom+json") -> Any:
        """The JSON at that path; None where the answer has no body."""
        request = urllib.request.Request(self.url + path, headers={"accept": accept})
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def status(self, path: str, body: bytes | dict[str, str] | None = None, **headers: str) -> int:
        """The HTTP status at that path, after redirects; with a body (or the fields of a form) of a POST."""
        sent = urllib.parse.urlencode(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(self.url + path, sent, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FILEROOM_")}
        return inherited | self.environment
