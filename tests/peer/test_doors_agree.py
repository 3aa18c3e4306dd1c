"""The same questions at both doors, C-FIND and QIDO-RS, over one archive: the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as StudyFind

from fileroom.dicom.attributes import ATTRIBUTES, Level
from fileroom.dicomweb.qido import Qido
from fileroom.web.router import Router
from tests.support.archives import ct
from tests.support.asking import ask
from tests.support.doors import Door, running_door

ADDRESS = {Level.STUDY: "studies", Level.SERIES: "series", Level.IMAGE: "instances"}
UID = {Level.STUDY: "StudyInstanceUID", Level.SERIES: "SeriesInstanceUID", Level.IMAGE: "SOPInstanceUID"}

QUESTIONS: list[tuple[Level, dict[str, str]]] = [
    (Level.STUDY, {}),
    (Level.STUDY, {"PatientName": "müller*"}),
    (Level.STUDY, {"PatientName": "*^anna"}),
    (Level.STUDY, {"PatientName": "山田*"}),
    (Level.STUDY, {"PatientName": "SMITH^?OHN"}),
    (Level.STUDY, {"PatientID": "P1"}),
    (Level.STUDY, {"PatientID": "P*"}),
    (Level.STUDY, {"StudyDate": "20240131"}),
    (Level.STUDY, {"StudyDate": "20240101-20240201"}),
    (Level.STUDY, {"StudyDate": "-20231231"}),
    (Level.STUDY, {"StudyTime": "0800-0930"}),
    (Level.STUDY, {"AccessionNumber": "ACC?"}),
    (Level.STUDY, {"ModalitiesInStudy": "MR"}),
    (Level.STUDY, {"StudyInstanceUID": "1.2.9.1\\1.2.9.3"}),
    (Level.STUDY, {"PatientName": "nobody"}),
    (Level.STUDY, {"ReferringPhysicianName": "grey*", "StudyDate": "20240101-"}),
    (Level.SERIES, {"StudyInstanceUID": "1.2.9.1"}),
    (Level.SERIES, {"StudyInstanceUID": "1.2.9.1", "Modality": "MR"}),
    (Level.SERIES, {"StudyInstanceUID": "1.2.9.1", "SeriesNumber": "2"}),
    (Level.IMAGE, {"StudyInstanceUID": "1.2.9.1", "SeriesInstanceUID": "1.2.9.1.1"}),
    (Level.IMAGE, {"StudyInstanceUID": "1.2.9.1", "SeriesInstanceUID": "1.2.9.1.1", "InstanceNumber": "2"}),
]


@dataclass
class Doors:
    """Both of them."""

    dimse: Door
    router: Router


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with running_door(tmp_path_factory.mktemp("doors")) as door:
        people = {1: "Müller^Anna", 2: "Smith^John", 3: "Yamada^Tarou=山田^太郎=やまだ^たろう", 4: "Smith^Mohn^^Dr"}
        for study, name in people.items():
            for series, modality in ((1, "CT"), (2, "MR"))[: 1 + study % 2]:
                for number in (1, 2):
                    dataset = ct(number, study=study, series=series, patient=f"P{study}")
                    dataset.SpecificCharacterSet = "ISO_IR 192"
                    dataset.PatientName, dataset.Modality = name, modality
                    dataset.StudyDate, dataset.StudyTime = f"202{study}0131", f"{study + 6:02d}15"
                    dataset.AccessionNumber, dataset.ReferringPhysicianName = f"ACC{study}", f"Grey^{study}"
                    door.archive.store(dataset)
        router = Router()
        Qido(door.search).add_routes(router)
        yield Doors(door, router)


def _by_dimse(door: Door, level: Level, keys: dict[str, str]) -> list[Dataset]:
    identifier = Dataset()
    identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level.name
    for attribute in ATTRIBUTES:
        if attribute.level <= level:
            setattr(identifier, attribute.keyword, None)
    for keyword, value in keys.items():
        setattr(identifier, keyword, value.split("\\") if "\\" in value else value)
    entity = AE("TESTER")
    entity.add_requested_context(StudyFind)
    association = entity.associate("127.0.0.1", door.port)
    assert association.is_established
    answers = [(status.Status, found) for status, found in association.send_c_find(identifier, StudyFind)]
    association.release()
    assert answers[-1][0] == 0
    return [found for _, found in answers[:-1]]


def _by_web(router: Router, level: Level, keys: dict[str, str]) -> list[Dataset]:
    answer = ask(router, f"/dicomweb/{ADDRESS[level]}?{urlencode({**keys, 'includefield': 'all'})}")
    assert (answer.status, answer.header("warning")) == (200, "")
    return [Dataset.from_json(item) for item in answer.json()]


def _values(dataset: Dataset, level: Level) -> dict[str, Any]:
    tags = {attribute.tag for attribute in ATTRIBUTES if attribute.level <= level}
    return {keyword_for_tag(e.tag): e.value for e in dataset if e.tag in tags and e.value not in (None, "")}


@pytest.mark.parametrize(("level", "keys"), QUESTIONS)
def test_both_doors_give_the_same_answers(doors: Doors, level: Level, keys: dict[str, str]) -> None:
    dimse = [_values(found, level) for found in _by_dimse(doors.dimse, level, keys)]
    web = [_values(found, level) for found in _by_web(doors.router, level, keys)]
    assert dimse == web


def test_the_questions_above_do_find_something(doors: Doors) -> None:
    found = [len(_by_web(doors.router, level, keys)) for level, keys in QUESTIONS]
    assert sum(count > 0 for count in found) >= len(QUESTIONS) - 1
    assert max(found) == 4
