"""Keeps what a reader set or marked: as DICOM objects in the study itself, taken in like any other."""

from __future__ import annotations

import threading
from datetime import datetime

from fileroom import errors
from fileroom.archive.marks import DOOR, MarksReader
from fileroom.archive.receive import Outcome, Receiver, Source
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.dicom.companion import CARRIED, Making, Reference
from fileroom.dicom.element import Elements
from fileroom.dicom.key_object import KEY_OBJECT_CLASS, REJECTED, TITLES, key_object
from fileroom.dicom.picked import pick
from fileroom.dicom.softcopy import GREY_CLASS, Shown
from fileroom.dicom.softcopy_writing import NEEDED, Setting, presentation_state
from fileroom.dicom.uid import new_uid

TAKEN_BACK = "Taken back by a reader"
_GROUPS_BYTES_MAX = 8 << 20  # of functional groups that say how each of thousands of frames is to be shown
_SERIES = {KEY_OBJECT_CLASS: ("KO", 900, "Key images"), GREY_CLASS: ("PR", 901, "Presentation states")}


class Keeping:
    """Makes the objects and has them stored. Every method returns after what it made survives power loss.

    All raise NotFound, BadRequest, RefusedObject, MalformedObject, DamagedPack, StorageFull, Busy, DatabaseUnavailable.
    """

    def __init__(self, retriever: Retriever, receiver: Receiver, marks: MarksReader) -> None:
        self._retriever = retriever
        self._receiver = receiver
        self._marks = marks
        self._one = threading.Lock()  # what is made depends on what there is: one after the other

    def key(self, image: StoredInstance, frame: int | None, title: str, place: str) -> None:
        """Mark an image, or one frame of it, as key image. Marked with this title already, nothing is added."""
        if title not in TITLES:
            raise errors.BadRequest("no such reason to mark an image", hint="choose one of those that are listed")
        about = _reference(image, frame)
        header, site = self._header(image, CARRIED)
        with self._one:
            marked = self._marks.marks(image.study_uid).keys
            if any(one.title == title and one.image == about and one.ours for one in marked):
                return
            making = self._making(image.study_uid, KEY_OBJECT_CLASS)
            self._store(key_object(header, making, title, [about]), image.study_uid, place, site)

    def state(
        self, image: StoredInstance, frame: int | None, setting: Setting, place: str, base: Shown | None = None
    ) -> str:
        """Keep how an image is shown; the UID of the presentation state. `base`: what it was shown by before."""
        about = _reference(image, frame)
        header, site = self._header(image, NEEDED)
        with self._one:
            making = self._making(image.study_uid, GREY_CLASS)
            self._store(presentation_state(header, making, about, setting, base), image.study_uid, place, site)
        return making.sop_uid

    def take_back(self, document: StoredInstance, place: str) -> None:
        """Reject a document that was made here. It stays stored; a second one, which says so, stands beside it."""
        about = Reference(document.sop_class_uid, document.sop_uid, document.series_uid)
        header, site = self._header(document, CARRIED)
        with self._one:
            making = self._making(document.study_uid, KEY_OBJECT_CLASS)
            self._store(key_object(header, making, REJECTED, [about], TAKEN_BACK), document.study_uid, place, site)

    def _header(self, stored: StoredInstance, wanted: frozenset[int]) -> tuple[Elements, str]:
        """What an object says, patient and study as its study has them; and the study's site."""
        speaker, site = self._marks.speaker(stored)
        found = self._read(stored, wanted)
        if speaker.digest != stored.digest:
            found = {tag: one for tag, one in found.items() if tag not in CARRIED} | self._read(speaker, CARRIED)
        return found, site

    def _read(self, stored: StoredInstance, wanted: frozenset[int]) -> Elements:
        return pick(*self._retriever.readable(stored), wanted, _GROUPS_BYTES_MAX, all_of_them=True)

    def _making(self, study_uid: str, sop_class_uid: str) -> Making:
        series_uid, count = self._marks.series_of(study_uid, sop_class_uid)
        modality, number, description = _SERIES[sop_class_uid]
        moment = datetime.now().astimezone()
        where = (modality, series_uid or new_uid(), number, description, count + 1, moment)
        return Making(sop_class_uid, new_uid(), *where)

    def _store(self, file: bytes, study_uid: str, place: str, site: str) -> None:
        with self._receiver.file(Source(DOOR, place, site), len(file)) as intake:
            intake.write(file)
            receipt = intake.submit(study_uid).wait()
        if receipt.outcome is not Outcome.STORED:
            raise errors.RefusedObject(
                "it was kept apart from the study: whose the study is has changed meanwhile",
                hint="see the page Conflicts, then try again",
            )


def _reference(image: StoredInstance, frame: int | None) -> Reference:
    return Reference(image.sop_class_uid, image.sop_uid, image.series_uid, () if frame is None else (frame,))
