"""A search request's arguments as a question to the archive (PS3.18 8.3.4, 10.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fileroom import errors
from fileroom.archive.search import Query
from fileroom.dicom.attributes import BY_KEYWORD, BY_TAG, Attribute, Level, Matching, at_level

RESULTS_MAX = 10_000  # rows of one answer, also when the asker sets no limit

_HEX_TAG = re.compile(r"[0-9A-Fa-f]{8}").fullmatch
_NAMEABLE = re.compile(r"[0-9A-Za-z.]{1,80}").fullmatch  # what a Warning may repeat
_NUMBER = re.compile(r"[0-9]{1,12}").fullmatch
_OTHER_ARGUMENTS = frozenset(("accept", "charset"))

FUZZY = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
CUT = (
    "The number of results exceeded the maximum supported by the server. Additional results can be requested "
    "with offset and limit."
)

# Returned without being asked for (PS3.18 tables 10.6.3-3 to 10.6.3-5), and the descriptions every work list shows.
_RETURNED: Mapping[Level, tuple[Attribute, ...]] = {
    level: tuple(BY_KEYWORD[keyword] for keyword in words.split())
    for level, words in {
        Level.STUDY: "PatientName PatientID PatientBirthDate PatientSex StudyInstanceUID StudyDate StudyTime "
        "AccessionNumber StudyID StudyDescription ReferringPhysicianName ModalitiesInStudy TimezoneOffsetFromUTC "
        "NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances",
        Level.SERIES: "StudyInstanceUID SeriesInstanceUID Modality SeriesNumber SeriesDescription BodyPartExamined "
        "Laterality TimezoneOffsetFromUTC PerformedProcedureStepStartDate PerformedProcedureStepStartTime "
        "NumberOfSeriesRelatedInstances",
        Level.IMAGE: "StudyInstanceUID SeriesInstanceUID SOPInstanceUID SOPClassUID InstanceNumber Rows Columns "
        "BitsAllocated NumberOfFrames TimezoneOffsetFromUTC",
    }.items()
}


@dataclass(slots=True)
class Question:
    """What a search request asks for."""

    query: Query
    attributes: frozenset[Attribute]  # to return
    limit: int | None  # the asker's own
    warnings: list[str] = field(default_factory=list)  # for Warning headers; hold no value of the request


def question(level: Level, path: Mapping[str, str], args: Iterable[tuple[str, str]]) -> Question | None:
    """The question in a request for `level`; `path` holds the UIDs its address names, by keyword.

    None when the address names a UID that nothing can have. Raises BadRequest on a malformed limit, offset or key.
    """
    reader = _Arguments(level)
    for keyword, uid in path.items():
        if "\\" in uid or not uid.strip("* "):
            return None
        reader.keys[keyword] = uid
    for name, value in args:
        reader.take(name, value)
    limit = reader.limit
    # one row more than will be sent tells whether the answer was cut
    reach = RESULTS_MAX + 1 if limit is None or limit > RESULTS_MAX else limit
    query = Query(level, reader.keys, limit=reach, offset=reader.offset)
    return Question(query, frozenset(reader.returned(path)), limit, reader.warnings)


class _Arguments:
    """Reads one argument after the other."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._includes: set[Attribute] = set()
        self.keys: dict[str, str] = {}
        self.limit: int | None = None
        self.offset = 0
        self.warnings: list[str] = []

    def take(self, name: str, value: str) -> None:
        """One argument. Raises BadRequest."""
        match name:
            case "limit":
                self.limit = _number(name, value)
            case "offset":
                self.offset = _number(name, value)
            case "includefield":
                self._include(value)
            case "fuzzymatching":
                if value.strip().lower() == "true":
                    self._warn(FUZZY)
            case _ if name not in _OTHER_ARGUMENTS:
                self._key(name, value)

    def _key(self, name: str, value: str) -> None:
        attribute = _attribute(name)
        if attribute is None or attribute.level > self._level or attribute.matching is Matching.NONE:
            named = f"The key {name}" if _NAMEABLE(name) else "A key"
            self._warn(f"{named} is not supported for matching here and was ignored.")
            return
        keyword = attribute.keyword
        if attribute.matching in (Matching.UID, Matching.ANY):
            value = value.replace(",", "\\")  # PS3.18 8.3.4.1: UID lists may use a comma
        if keyword in self.keys:
            if attribute.matching is not Matching.UID or self._level_named(keyword, value):
                raise errors.BadRequest(f"the key {keyword} is given twice")
            value = f"{self.keys[keyword]}\\{value}"
        self.keys[keyword] = value
        self._includes.add(attribute)

    def _level_named(self, keyword: str, value: str) -> bool:
        """Whether the address itself named this UID; the same one again changes nothing."""
        return BY_KEYWORD[keyword] not in self._includes and self.keys[keyword] != value

    def _include(self, value: str) -> None:
        for name in value.split(","):
            if name.strip().lower() == "all":
                for level in Level:
                    if level <= self._level:
                        self._includes.update(at_level(level))
            elif (attribute := _attribute(name.strip())) is not None and attribute.level <= self._level:
                self._includes.add(attribute)

    def _warn(self, text: str) -> None:
        if text not in self.warnings and len(self.warnings) < 20:
            self.warnings.append(text)

    def returned(self, path: Mapping[str, str]) -> set[Attribute]:
        """The attributes to return: those of every level the address does not name, and what was asked for."""
        found = set(self._includes)
        named = Level.SERIES if "SeriesInstanceUID" in path else Level.STUDY if path else Level.PATIENT
        for level, attributes in _RETURNED.items():
            if named < level <= self._level:
                found.update(attributes)
        return found


def _attribute(name: str) -> Attribute | None:
    return BY_KEYWORD.get(name) or (BY_TAG.get(int(name, 16)) if _HEX_TAG(name) else None)


def _number(name: str, value: str) -> int:
    if _NUMBER(value.strip()) is None:
        raise errors.BadRequest(f"{name} is a whole number, not negative")
    return int(value)
