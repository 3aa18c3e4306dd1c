"""One run of the benchmark: its folder, its servers, how long it may take."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benches.library import Library
from benches.sides import FILEROOM, ORTHANC, Side, start_fileroom, start_orthanc
from tests.support.peers import MissingPeer
from tests.support.processes import NotReady


@dataclass(slots=True)
class Bench:
    """What rows share. `quick` makes everything small: to try the harness, not to quote."""

    folder: Path
    quick: bool = False
    notes: list[str] = field(default_factory=list)  # printed under the table
    figures: dict[str, float] = field(default_factory=dict)  # from one row for a later one
    _library: Library | None = None

    def count(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @property
    def pairs(self) -> int:
        return self.count(5, 1)

    def say(self, text: str) -> None:
        """Progress, beside the table."""
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def start(self, name: str, starter: Callable[[Path], Side], kind: str) -> Side | None:
        """A server with an empty home, or None with a note when it cannot be started."""
        try:
            return starter(self.folder / name / kind.lower())
        except (NotReady, MissingPeer, OSError) as error:
            self.notes.append(f"{kind} did not start for {name}: {str(error).strip()[-300:]}")
            return None

    @contextlib.contextmanager
    def sides(self, name: str, starter: Callable[[Path], Side] = start_orthanc) -> Iterator[list[Side]]:
        """Both servers, empty, for one row; ended and their folders removed afterwards."""
        started = [
            self.start(name, start_fileroom, FILEROOM),
            self.start(name, starter, ORTHANC),
        ]
        running = [side for side in started if side is not None]
        try:
            yield running
        finally:
            for side in running:
                side.kill()
            shutil.rmtree(self.folder / name, ignore_errors=True)

    @property
    def library(self) -> Library:
        """Both servers with the library loaded, shared by the rows that read. Made when first asked for."""
        if self._library is None:
            started = [
                self.start("library", start_fileroom, FILEROOM),
                self.start("library", start_orthanc, ORTHANC),
            ]
            self._library = Library([side for side in started if side is not None], quick=self.quick)
            self.say("loading the library: CT, mammograms, a tomosynthesis, 100 small studies")
            self._library.load()
        return self._library

    def readers(self) -> list[Side]:
        """Both servers with the library, each given a new chance after what failed in an earlier row."""
        for side in self.library.sides:
            side.failed = self.library.unusable.get(side.name, "")
        return self.library.sides

    def close(self) -> None:
        if self._library is not None:
            for side in self._library.sides:
                side.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def new_folder(parent: str | None) -> Path:
    """Where both sides keep their data: one folder, so one disk."""
    return Path(tempfile.mkdtemp(prefix="fileroom-bench-", dir=parent))
