"""What readers left beside the images of a study: which are key images and why, and how images are to be shown.

Read from the documents themselves, each once, since stored bytes never change: Key Object Selections and presentation
states, whoever made them. A Key Object Selection that rejects another document takes it back.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.retrieve import ORDER, Retriever, StoredInstance
from fileroom.archive.select import visible
from fileroom.archive.speaker import Speaker, speaker
from fileroom.database import Database
from fileroom.dicom.companion import Reference
from fileroom.dicom.elements import read_elements
from fileroom.dicom.key_object import KEY_OBJECT_CLASS, KeyObject, read_key_object
from fileroom.dicom.softcopy import COLOUR_CLASS, GREY_CLASS, Shown, StateHead, read_head, read_shown

DOOR = "reader"  # of the source of what was made here
DOCUMENTS_MAX = 1000  # of one study that are read, the latest
KEY_IMAGES_MAX = 500  # marks that a page lists
_DOCUMENT_BYTES_MAX = 4 << 20
_REFERENCES_MAX = 2000  # of one document that marks images, or says how they are shown
_KEPT_MAX = 2000  # documents that are remembered
_CLASSES = (KEY_OBJECT_CLASS, GREY_CLASS, COLOUR_CLASS)

_I, _E, _S = schema.instance.c, schema.series.c, schema.study.c


@dataclass(frozen=True, slots=True)
class KeyMark:
    """One image that a document calls a key image."""

    image: Reference
    title: str  # code value (CID 7010)
    meaning: str
    document: StoredInstance
    ours: bool  # made here about this image alone, so that it can be taken back by itself


@dataclass(frozen=True, slots=True)
class State:
    """One presentation state."""

    head: StateHead
    document: StoredInstance
    ours: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """Of one study, the latest first. What was taken back is not in it."""

    keys: tuple[KeyMark, ...] = ()
    states: tuple[State, ...] = ()
    unread: int = 0  # documents that are damaged, too large or too many to be read


class KeyImage(NamedTuple):
    """One image of a study that is marked, once, with what it is marked for."""

    series_uid: str
    sop_uid: str
    frame: int | None  # the first that is marked; None: the whole object
    series_number: str | None
    instance_number: str | None
    meanings: tuple[str, ...]


class MarksReader:
    """Reads marks. Thread-safe."""

    def __init__(self, database: Database, retriever: Retriever) -> None:
        self._database = database
        self._retriever = retriever
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, KeyObject | StateHead | None] = OrderedDict()  # by digest, the latest used last

    def marks(self, study_uid: str) -> Marks:
        """Of a study; none of one that is not here or hidden. Raises DatabaseUnavailable, Busy."""
        found = self._documents(study_uid)
        keys: list[KeyMark] = []
        states: list[State] = []
        rejected: set[str] = set()
        read = [(document, made_here, self._said(document)) for document, made_here in found[:DOCUMENTS_MAX]]
        unread = len(found) - len(read) + sum(said is None for *_, said in read)
        for document, _, said in read:  # before anything is listed: what is rejected may have come later
            if isinstance(said, KeyObject) and said.rejects and document.sop_uid not in rejected:
                rejected.update(one.sop_uid for one in said.references)
        for document, made_here, said in read:
            if said is None or document.sop_uid in rejected:
                continue
            if isinstance(said, StateHead):
                states.append(State(said, document, made_here))
            elif said.marks:
                alone = made_here and len(said.references) == 1
                keys += [KeyMark(one, said.title, said.meaning, document, alone) for one in said.references]
        return Marks(tuple(keys), tuple(states), unread)

    def key_images(self, study_uid: str) -> list[KeyImage]:
        """The marked images that are here, by series and instance number. Raises DatabaseUnavailable, Busy."""
        meanings: dict[tuple[str, int | None], dict[str, None]] = {}
        for mark in self.marks(study_uid).keys[:KEY_IMAGES_MAX]:
            frame = mark.image.frames[0] if mark.image.frames else None
            meanings.setdefault((mark.image.sop_uid, frame), {})[mark.meaning] = None
        query = sa.select(_E.series_uid, _I.sop_uid, _E.series_number, _I.instance_number).select_from(
            schema.IN_STUDIES
        )
        query = query.where(_S.study_uid == study_uid, visible(), _I.image.is_not(None)).order_by(*ORDER)
        query = query.where(_I.sop_uid.in_({uid for uid, _ in meanings}))
        with self._database.read() as connection:
            rows = list(connection.execute(query))
        return [
            KeyImage(series_uid, sop_uid, frame, series_number, instance_number, tuple(why))
            for series_uid, sop_uid, series_number, instance_number in rows
            for (marked, frame), why in sorted(meanings.items(), key=lambda one: one[0][1] or 0)
            if marked == sop_uid
        ]

    def speaker(self, stored: StoredInstance) -> Speaker:
        """What to make a document about this object from. Raises as `speaker.speaker` does."""
        return speaker(self._database, self._retriever, stored)

    def shown(self, study_uid: str, series_uid: str, state_uid: str, image_uid: str, frame: int) -> Shown:
        """How a presentation state has a frame of an image shown; `frame` counts from 1.

        Raises NotFound when there is no such state, MalformedObject, DamagedPack, Busy.
        """
        state = self._retriever.instance(study_uid, series_uid, state_uid)
        if state is None or state.sop_class_uid not in (GREY_CLASS, COLOUR_CLASS):
            raise errors.NotFound("no such presentation state")
        if state.size_bytes > _DOCUMENT_BYTES_MAX:
            raise errors.MalformedObject("the presentation state is larger than any is read")
        return read_shown(read_elements(*self._retriever.readable(state)), image_uid, frame)

    def series_of(self, study_uid: str, sop_class_uid: str) -> tuple[str | None, int]:
        """The series that holds what was made here of this class, None when nothing was; and how many objects."""
        ours = _I.source.startswith(f"{DOOR}:", autoescape=True)
        query = sa.select(_E.series_uid, sa.func.count()).select_from(schema.IN_STUDIES).group_by(_E.series_uid)
        query = query.where(_S.study_uid == study_uid, _I.sop_class_uid == sop_class_uid, ours)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(sa.func.min(_I.id)).limit(1)).first()
        return (None, 0) if row is None else (row[0], row[1])

    def _documents(self, study_uid: str) -> list[tuple[StoredInstance, bool]]:
        """The latest first, each with whether it was made here."""
        columns = [_I[name] if name in _I else _E[name] if name in _E else _S[name] for name in _PLACE]
        query = sa.select(*columns, _I.source).select_from(schema.IN_STUDIES).order_by(_I.id.desc())
        query = query.where(_S.study_uid == study_uid, visible(), _I.sop_class_uid.in_(_CLASSES))
        with self._database.read() as connection:
            rows = list(connection.execute(query))
        return [(_stored(row), row[-1].startswith(f"{DOOR}:")) for row in rows]

    def _said(self, document: StoredInstance) -> KeyObject | StateHead | None:
        known = f"{document.digest} {document.transfer_syntax}"
        with self._lock:
            if known in self._kept:
                self._kept.move_to_end(known)
                return self._kept[known]
        try:
            said = self._read(document)
        except errors.DamagedPack:
            return None  # not for good: a disk comes back
        with self._lock:
            self._kept[known] = said
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return said

    def _read(self, document: StoredInstance) -> KeyObject | StateHead | None:
        if document.size_bytes > _DOCUMENT_BYTES_MAX:
            return None
        try:
            elements = read_elements(*self._retriever.readable(document))
        except errors.MalformedObject:
            return None
        if document.sop_class_uid != KEY_OBJECT_CLASS:
            head = read_head(elements)
            return head if len(head.images) <= _REFERENCES_MAX else None
        said = read_key_object(elements)
        return said if said.rejects or len(said.references) <= _REFERENCES_MAX else None


_PLACE = StoredInstance._fields[:-1]


def _stored(row: Any) -> StoredInstance:
    place: tuple[Any, ...] = (*tuple(row)[:-1], None)
    return StoredInstance(*place)
