"""Which stored objects a C-MOVE or C-GET identifier asks for (PS3.4 C.4.2.1.4, C.4.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.archive.search import Query, Search
from fileroom.dicom.attributes import Level
from fileroom.dimse.identifiers import Identifier
from fileroom.errors import BadRequest

_UNIQUE = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}
_NARROWING = (*_UNIQUE.values(), "IssuerOfPatientID")
_SOPS_AT_ONCE = 500


def selected(identifier: Identifier, search: Search, retriever: Retriever) -> list[StoredInstance]:
    """The objects; [] when nothing matches. Each once.

    Only unique keys narrow. Keys above the level may be left out: a UID is unique by itself. Raises BadRequest when
    the level's own key is absent, or any is a wildcard.
    """
    keys = {name: identifier.keys[name] for name in _NARROWING if identifier.keys.get(name)}
    if _UNIQUE[identifier.level] not in keys:
        raise BadRequest("the identifier lacks the unique key of its level")
    if any("*" in value or "?" in value for value in keys.values()):
        raise BadRequest("a unique key is a wildcard: what is to be retrieved has to be named")
    found = {stored.sop_uid: stored for stored in _found(identifier.level, keys, search, retriever)}
    return list(found.values())


def _found(level: Level, keys: dict[str, str], search: Search, retriever: Retriever) -> Iterator[StoredInstance]:
    rows = search.find(Query(max(level, Level.STUDY), keys))
    if level <= Level.STUDY:
        for row in rows:
            yield from retriever.instances(row["study_uid"])
    elif level == Level.SERIES:
        for row in rows:
            yield from retriever.instances(row["study_uid"], row["series_uid"])
    else:
        sop_uids = [row["sop_uid"] for row in rows]
        for at in range(0, len(sop_uids), _SOPS_AT_ONCE):
            yield from retriever.by_sop_uids(sop_uids[at : at + _SOPS_AT_ONCE])
