"""Key objects and presentation states about objects of the corpus, as the product makes them and as others do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fileroom.dicom import part10
from fileroom.dicom.companion import Making, Reference
from fileroom.dicom.element import Elements
from fileroom.dicom.elements import read_elements
from fileroom.dicom.key_object import KEY_OBJECT_CLASS, key_object
from fileroom.dicom.picked import pick
from fileroom.dicom.softcopy import GREY_CLASS
from fileroom.dicom.softcopy_writing import NEEDED, Setting, presentation_state
from fileroom.dicom.syntax import EXPLICIT_LE, syntax
from tests.support.corpus import Instance
from tests.support.corpus.instance import uid

MOMENT = datetime(2026, 11, 24, 9, 30, 15, tzinfo=UTC)
_SYNTAX = syntax(EXPLICIT_LE)


def header(image: Instance | bytes) -> Elements:
    """What the product reads of an image (or of a dataset's bytes) before it makes something about it."""
    return pick(image if isinstance(image, bytes) else image.dataset, _SYNTAX, NEEDED)


def reference(image: Instance, *frames: int) -> Reference:
    return Reference(image.sop_class_uid, image.sop_uid, image.series_uid, frames)


def making(sop_class_uid: str, number: int = 1) -> Making:
    modality = "KO" if sop_class_uid == KEY_OBJECT_CLASS else "PR"
    series = (modality, uid("marks", modality), 900, "Marks")
    return Making(sop_class_uid, uid("marks", modality, number), *series, number, MOMENT)


def key_file(
    image: Instance, title: str = "113000", about: Sequence[Reference] = (), why: str = "", number: int = 1
) -> bytes:
    """A Key Object Selection as a file; about the image itself unless told otherwise."""
    asked = list(about) or [reference(image)]
    return key_object(header(image), making(KEY_OBJECT_CLASS, number), title, asked, why)


def state_file(image: Instance, setting: Setting, *frames: int, number: int = 1) -> bytes:
    """A presentation state as a file."""
    return presentation_state(header(image), making(GREY_CLASS, number), reference(image, *frames), setting)


def elements_of(file: bytes) -> Elements:
    """The dataset of a file."""
    return read_elements(file[part10.read_meta(file).dataset_offset :], _SYNTAX)
