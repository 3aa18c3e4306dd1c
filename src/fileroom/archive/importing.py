"""Taking in what lies on a disk: every object found is stored, known already, held, refused or skipped, and the report
says which and why. Interrupted, the same import goes on where it stopped: what is durable is in its journal.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import tarfile
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from fileroom import errors
from fileroom.archive.arrival import Outcome, Source
from fileroom.archive.entries import Entry, Unreadable, entries
from fileroom.archive.receive import Pending, Receiver
from fileroom.dicom import part10

_HEAD_BYTES = 64 << 10
_PIECE_BYTES = 4 << 20
_WAITING_MAX = 256  # objects handed over and not yet durable
_WAITING_BYTES_MAX = 64 << 20
_DIRECTORY = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
_READ_ERRORS = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that did not become a stored object, or only in part."""

    name: str
    outcome: str  # refused | unreadable | conflict | held
    why: str


@dataclass(slots=True)
class ImportReport:
    """What became of everything that was found."""

    counts: Counter[str] = field(default_factory=Counter)  # by outcome; also: refused, skipped, unreadable, done before
    size_bytes: int = 0  # read and stored
    problems: list[Problem] = field(default_factory=list)
    studies: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether everything found that was DICOM is stored and served."""
        return not self.problems


Progress = Callable[[ImportReport], None]


class Importer:
    """One import of some paths through a receiver."""

    def __init__(
        self, receiver: Receiver, source: Source, journal: Journal | None, progress: Progress = lambda report: None
    ) -> None:
        """`journal`: where what is durable is noted, to go on after a cut; None: this import is done in one go."""
        self._receiver = receiver
        self._source = source
        self._journal = journal
        self._progress = progress
        self._waiting: deque[tuple[Entry, Pending]] = deque()
        self._waiting_bytes = 0
        self.report = ImportReport()

    def run(self, paths: list[Path]) -> ImportReport:
        """Take in everything under the paths. Raises StorageFull, DatabaseUnavailable: run it again to go on."""
        for found in entries(paths):
            if isinstance(found, Unreadable):
                self._problem(found.name, "unreadable", found.why)
            elif self._journal is not None and self._journal.has(found):
                self.report.counts["done before"] += 1
            else:
                self._take(found)
            while len(self._waiting) > _WAITING_MAX or self._waiting_bytes > _WAITING_BYTES_MAX:
                self._settle()
        while self._waiting:
            self._settle()
        self._progress(self.report)
        return self.report

    def _take(self, entry: Entry) -> None:
        try:
            with entry.open() as file:
                pending = self._submit(entry, file)
        except errors.RefusedObject as error:
            self._problem(entry.name, "refused", str(error))
            return
        except _READ_ERRORS as error:
            self._problem(entry.name, "unreadable", str(error))
            return
        if pending is None:
            self.report.counts["skipped"] += 1
            return
        self._waiting.append((entry, pending))
        self._waiting_bytes += entry.size_bytes

    def _submit(self, entry: Entry, file: IO[bytes]) -> Pending | None:
        """Hand the file over; None when it is not an object: not DICOM at all, or a DICOMDIR."""
        with self._receiver.file(self._source, entry.size_bytes) as intake:
            room = intake.space(min(entry.size_bytes, _HEAD_BYTES))
            size = _read_into(file, room)
            meta = part10.read_file_start(bytes(room[:size]))
            room.release()
            if meta is None or meta.sop_class_uid == _DIRECTORY:
                return None
            intake.wrote(size)
            left = entry.size_bytes - size
            while left > 0:
                room = intake.space(min(left, _PIECE_BYTES))
                size = _read_into(file, room)
                room.release()
                if size == 0:
                    raise errors.MalformedObject("the file ended before its stated size")
                intake.wrote(size)
                left -= size
            return intake.submit()

    def _settle(self) -> None:
        entry, pending = self._waiting.popleft()
        self._waiting_bytes -= entry.size_bytes
        try:
            receipt = pending.wait()
        except errors.RefusedObject as error:
            self._problem(entry.name, "refused", str(error))
            return
        self.report.counts[receipt.outcome] += 1
        self.report.size_bytes += entry.size_bytes
        self.report.studies.add(receipt.study_uid)
        if receipt.outcome in (Outcome.CONFLICT, Outcome.HELD):
            why = f"SOP Instance UID {receipt.sop_uid}; see: fileroom conflicts"
            self.report.problems.append(Problem(entry.name, receipt.outcome, why))
        if self._journal is not None:
            self._journal.add(entry)
        self._progress(self.report)

    def _problem(self, name: str, outcome: str, why: str) -> None:
        self.report.counts[outcome] += 1
        self.report.problems.append(Problem(name, outcome, why))


class Journal:
    """What an import has made durable, a line each in HOME/imports, so that it can go on after a cut."""

    def __init__(self, folder: Path, paths: list[Path], *, afresh: bool = False) -> None:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        names = "\n".join(sorted(os.path.abspath(path) for path in paths))
        self.path = folder / f"{hashlib.sha256(names.encode()).hexdigest()[:16]}.journal"
        written = "" if afresh or not self.path.exists() else self.path.read_text()
        self._done = set(written.splitlines())
        self.path.touch(mode=0o640)  # names of files may name patients
        self._file = self.path.open("w" if afresh else "a")
        if written and not written.endswith("\n"):  # the last line was cut off: what comes next is one of its own
            self._file.write("\n")

    def has(self, entry: Entry) -> bool:
        return bool(self._done) and self._line(entry) in self._done

    def add(self, entry: Entry) -> None:
        self._file.write(self._line(entry) + "\n")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @staticmethod
    def _line(entry: Entry) -> str:
        return json.dumps([entry.name, entry.stamp])


def _read_into(file: IO[bytes], room: memoryview) -> int:
    """Fill the room as far as the file goes; the bytes read."""
    size = 0
    while size < len(room):
        more = file.readinto(room[size:]) if hasattr(file, "readinto") else _copy(file, room[size:])
        if not more:
            break
        size += more
    return size


def _copy(file: IO[bytes], room: memoryview) -> int:
    data = file.read(len(room))
    room[: len(data)] = data
    return len(data)
