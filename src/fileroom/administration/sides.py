"""The two sides of a conflict as its page shows them: whose each is, what it says, where its picture is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fileroom import errors
from fileroom.archive.conflicts import Conflict, Conflicts
from fileroom.archive.differences import study_values
from fileroom.archive.kept import Kept
from fileroom.database import Database
from fileroom.web.segment import segment
from fileroom.web.texts import date_text, person_text, time_text

HERE, CAME = "here", "came"  # in addresses

# What tells whose an object is and what it shows: the column, what people call it, how it is read.
_SAID: tuple[tuple[str, str, Callable[[str | None], str]], ...] = (
    ("patient_name", "Patient", person_text),
    ("patient_id", "Patient ID", lambda value: value or ""),
    ("issuer", "Issuer of the ID", lambda value: value or ""),
    ("birth_date", "Born", date_text),
    ("sex", "Sex", lambda value: value or ""),
    ("site", "Site", lambda value: value or ""),
    ("study_date", "Study date", date_text),
    ("study_time", "Study time", time_text),
    ("accession", "Accession number", lambda value: value or ""),
    ("study_description", "Study", lambda value: value or ""),
)
_OF_OBJECTS: tuple[tuple[str, str, Callable[[str | None], str]], ...] = (
    ("modality", "Modality", lambda value: value or ""),
    ("series_description", "Series", lambda value: value or ""),
    ("instance_number", "Number in its series", lambda value: value or ""),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    title: str
    kept: Kept | None  # None: a study
    serves: bool  # in the answers now
    says: Mapping[str, str] | None  # by column; None: its bytes can no longer be read
    picture: str  # where; "" when there is none


@dataclass(frozen=True, slots=True)
class Said:
    """One line of what both say."""

    name: str
    here: str
    came: str
    differs: bool


def sides_of(conflicts: Conflicts, database: Database, conflict: Conflict) -> list[Side]:
    """The object, or else the study, that is here, when there is one; and the object that came.

    Raises DatabaseUnavailable.
    """
    held = conflict.held
    came = _object(conflicts, conflict, conflict.came, CAME, "What came")
    if conflict.other is not None:
        return [_object(conflicts, conflict, conflict.other, HERE, "What was here"), came]
    study = None if conflict.serves_came else study_values(database, held.study_uid)
    if study is None:
        return [came]
    picture = f"/dicomweb/studies/{segment(held.study_uid)}/thumbnail"
    return [Side("The study that is here", None, True, study, picture), came]


def said(sides: list[Side]) -> list[Said]:
    """What both say line by line, what they say alike too; what neither says is left out."""
    lines = _SAID if sides[0].kept is None else _SAID + _OF_OBJECTS
    found = []
    for column, name, text in lines:
        values = [(side.says or {}).get(column) for side in sides]
        if any(values):
            here, came = values[0], values[-1]
            found.append(Said(name, text(here), text(came), len(sides) > 1 and (here or "") != (came or "")))
    return found


def _object(conflicts: Conflicts, conflict: Conflict, kept: Kept, side: str, title: str) -> Side:
    serves = conflict.serves_came == (side == CAME)
    try:
        arrival = conflicts.arrival(kept)
    except (errors.DamagedPack, errors.RefusedObject):
        return Side(title, kept, serves, None, "")
    picture = "" if arrival.image is None else f"/conflicts/{conflict.held.id}/{side}/picture"
    return Side(title, kept, serves, {**arrival.values, "site": kept.site}, picture)
