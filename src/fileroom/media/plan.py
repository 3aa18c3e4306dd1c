"""What goes onto the media, where, and how large it will be: everything that is known before the first byte leaves."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fileroom import errors
from fileroom.archive.contents import ObjectValues, SeriesContents
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.media.dicomdir import directory
from fileroom.media.notes import MISSING, README, Missing, missing_note, readme
from fileroom.media.records import Records, Row, remaining
from fileroom.media.zip_format import Layout, dos_time, layout

OBJECTS_MAX = 100_000  # on one archive: its table of contents is held in memory, about 2 KB an object

DICOMDIR = "DICOMDIR"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One object and the name it gets."""

    path: str  # PS3.10 8.2: components of eight characters, none of them the patient's
    stored: StoredInstance
    modified: int  # when it arrived, as a DOS time in UTC


@dataclass(frozen=True, slots=True)
class Plan:
    """One archive. Its members, in order: README.TXT, the files, DICOMDIR, and MISSING.TXT when something is."""

    files: tuple[PlannedFile, ...]
    missing: tuple[Missing, ...]  # what is known not to be readable
    total: int  # objects, with the missing ones
    rows: tuple[Row, ...]
    readme: bytes
    dicomdir_bytes: int
    missing_bytes: int  # of MISSING.TXT; 0: it is not planned
    layout: Layout
    uid: str  # of the DICOMDIR; follows from what is in it
    modified: int  # of what is made here: when the last object arrived

    def dicomdir(self, missing: Iterable[int] = ()) -> bytes:
        """The DICOMDIR without the files at these places."""
        return directory(remaining(self.rows, frozenset(missing)), self.uid)


def plan(found: Sequence[SeriesContents], retriever: Retriever) -> Plan:
    """Look at every pack, and read the headers of what is no image.

    Raises TooLarge past OBJECTS_MAX, DamagedPack when nothing at all can be read.
    """
    total = sum(len(series.objects) for series in found)
    if total > OBJECTS_MAX:
        raise errors.TooLarge(
            f"{total} objects are more than the {OBJECTS_MAX} that one archive takes",
            hint="take it series by series",
        )
    work = _Planning(retriever)
    for series in found:
        work.add(series)
    if not work.files:
        raise errors.DamagedPack("nothing of it can be read", hint="run: fileroom scrub")
    text, note = readme(found), missing_note(work.missing, total) if work.missing else b""
    uid = f"2.25.{uuid.UUID(bytes=work.sha.digest()[:16], version=5).int}"
    size = len(directory((row.record for row in work.rows), uid))
    if size >= 1 << 32:
        raise errors.TooLarge("its DICOMDIR would be over 4 GiB", hint="take it series by series")
    members = [(README, len(text)), *((file.path, file.stored.size_bytes) for file in work.files), (DICOMDIR, size)]
    if note:
        members.append((MISSING, len(note)))
    return Plan(
        files=tuple(work.files),
        missing=tuple(work.missing),
        total=total,
        rows=tuple(work.rows),
        readme=text,
        dicomdir_bytes=size,
        missing_bytes=len(note),
        layout=layout(members),
        uid=uid,
        modified=_dos(max(one.arrived_ms for series in found for one in series.objects)),
    )


class _Planning:
    """Goes through series by series."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._records = Records(retriever)
        self._pack_bytes: dict[int, int | str] = {}  # size, or why it cannot be opened
        self._patient = self._study = self._series = 0  # how many there are so far
        self._study_of_patient = self._series_of_study = 0
        self._latest: tuple[object, object] = (None, None)
        self.files: list[PlannedFile] = []
        self.missing: list[Missing] = []
        self.rows: list[Row] = []
        self.sha = hashlib.sha256()

    def add(self, series: SeriesContents) -> None:
        readable = [one for one in series.objects if self._is_there(one.stored)]
        if not readable:
            return
        self._head(series, readable[0])
        folder = f"DICOM/P{self._patient:07}/S{self._series:07}"
        for number, one in enumerate(readable, start=1):
            self._file(one, series, number, f"{folder}/I{number:07}")

    def _head(self, series: SeriesContents, first: ObjectValues) -> None:
        """The records that its objects belong under."""
        values = series.values
        charset = self._records.charset(first.stored, values)
        patient, study = self._latest
        if patient != values.patient_pk:
            self._patient, self._study_of_patient = self._patient + 1, 0
            self.rows.append(Row(self._records.patient(values, charset), -1))
        if study != values.study_uid:
            self._study_of_patient, self._series_of_study = self._study_of_patient + 1, 0
            self.rows.append(Row(self._records.study(values, self._study_of_patient, charset), -1))
        self._latest = (values.patient_pk, values.study_uid)
        self._series += 1
        self._series_of_study += 1
        self.rows.append(Row(self._records.series(values, self._series_of_study, charset), -1))

    def _file(self, one: ObjectValues, series: SeriesContents, number: int, path: str) -> None:
        stored = one.stored
        self.sha.update(f"{stored.sop_uid} {stored.digest}\n".encode())
        self.rows.append(Row(self._records.file(one, series.values, number, path), len(self.files)))
        self.files.append(PlannedFile(path, stored, _dos(one.arrived_ms)))

    def _is_there(self, stored: StoredInstance) -> bool:
        size = self._pack_bytes.get(stored.pack_id)
        if size is None or (isinstance(size, int) and size < stored.offset + stored.size_bytes):
            size = self._pack_bytes[stored.pack_id] = self._look(stored)  # a pack may have grown since
        if isinstance(size, str):
            self.missing.append(Missing(stored.sop_uid, size))
            return False
        if size < stored.offset + stored.size_bytes:
            self.missing.append(Missing(stored.sop_uid, "its pack is shorter than its index says"))
            return False
        return True

    def _look(self, stored: StoredInstance) -> int | str:
        try:
            return os.fstat(self._retriever.file(stored).fd).st_size
        except errors.DamagedPack as error:
            return str(error)
        except OSError as error:
            return f"its pack cannot be read: {error.strerror}"


def _dos(since_1970_ms: int) -> int:
    at = datetime.fromtimestamp(since_1970_ms / 1000, UTC)
    return dos_time(at.year, at.month, at.day, at.hour, at.minute, at.second)
