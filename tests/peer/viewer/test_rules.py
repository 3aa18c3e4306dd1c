"""The rules by which mammograms hang and measurements are saved, asked where they run: in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.peer.viewer.conftest import Archive

CC, MLO = {"CodeValue": "399162004"}, {"CodeValue": "399368009"}
MG = {"Modality": "MG", "ImageLaterality": "R", "ViewCodeSequence": [CC]}


@pytest.fixture
def rule(archive: Archive, page: Page) -> Any:
    """Call it with a function of a script of the viewer's that is ours, and its arguments."""
    page.goto(archive.server.url + "/")
    script = """async ([name, values]) => {
      const ours = ['mammography', 'saving', 'faults'];
      const modules = await Promise.all(ours.map((name) => import(`/static/${name}.js`)));
      const made = Object.assign({}, ...modules)[name](...values) ?? null;
      return made instanceof Map ? Object.fromEntries(made) : made;
    }"""
    return lambda name, *values: page.evaluate(script, [name, values])


def test_a_view_is_known_by_code_or_word_and_side(rule: Any) -> None:
    assert rule("viewOf", MG) == "R CC"
    assert rule("viewOf", MG | {"ViewCodeSequence": {"CodeValue": "R-10226"}}) == "R MLO"
    assert rule("viewOf", {"Modality": "MG", "Laterality": "L", "ViewPosition": "MLO"}) == "L MLO"
    tomosynthesis = {"SharedFunctionalGroupsSequence": [{"FrameAnatomySequence": [{"FrameLaterality": "L"}]}]}
    assert rule("viewOf", {"Modality": "MG", "ViewCodeSequence": [MLO]} | tomosynthesis) == "L MLO"
    # A code that is another view is not overruled by the word.
    assert rule("viewOf", MG | {"ViewCodeSequence": [{"CodeValue": "399260004"}], "ViewPosition": "MLO"}) is None
    assert rule("viewOf", MG | {"ImageLaterality": "B"}) is None
    assert rule("viewOf", MG | {"Modality": "CT"}) is None
    assert rule("viewOf", None) is None


def test_the_plain_processed_image_is_preferred(rule: Any) -> None:
    plain = rule("suitability", MG)
    tomosynthesis = rule("suitability", MG | {"NumberOfFrames": 60})
    magnified = rule("suitability", MG | {"ViewCodeSequence": [CC | {"ViewModifierCodeSequence": [{}]}]})
    assert plain > tomosynthesis > magnified > 0
    assert rule("suitability", MG | {"PartialView": "YES"}) < tomosynthesis
    assert magnified > rule("suitability", MG | {"PresentationIntentType": "FOR PROCESSING"}) > 0
    assert rule("suitability", {"Modality": "CT"}) == 0


@pytest.mark.parametrize(
    ("side", "told", "rotation", "flip"),
    [
        ("R", ["P", "L"], 0, False),
        ("R", ["A", "L"], 0, True),
        ("L", ["A", "FR"], 0, False),
        ("L", ["AR", "FR"], 0, False),
        ("L", ["P", "FR"], 0, True),
        ("L", ["A", "HL"], 180, True),
        ("R", ["A", "HR"], 180, False),
        ("R", ["FL", "A"], 90, False),
        ("L", ["FR", "A"], 90, True),
        ("L", ["HL", "A"], 270, False),
        ("R", ["R", "A"], 270, True),
        ("R", ["", ""], 0, False),
        ("R", ["P"], 0, False),
        ("B", ["A", "F"], 0, False),
    ],
)
def test_an_image_is_turned_by_what_it_says_of_its_orientation(
    rule: Any, side: str, told: list[str], rotation: int, flip: bool
) -> None:
    image = MG | {"ImageLaterality": side, "PatientOrientation": told}
    assert rule("turn", image) == {"rotation": rotation, "flip": flip}


def test_letters_follow_the_picture_as_it_is_turned_and_flipped(rule: Any) -> None:
    runs = ["P", "FL"]
    right, down, left, up = [9, 0], [0, 9], [-9, 0.1], [0, -9]
    assert rule("edges", runs, [right, down]) == {"right": "P", "left": "A", "bottom": "FL", "top": "HR"}
    assert rule("edges", runs, [left, down]) == {"left": "P", "right": "A", "bottom": "FL", "top": "HR"}
    assert rule("edges", runs, [down, left]) == {"bottom": "P", "top": "A", "left": "FL", "right": "HR"}
    assert rule("edges", runs, [up, right]) == {"top": "P", "bottom": "A", "right": "FL", "left": "HR"}


def test_a_tomosynthesis_says_its_orientation_elsewhere(rule: Any) -> None:
    frame = {"PatientOrientationInFrameSequence": [{"PatientOrientation": ["A", "L"]}]}
    assert rule("turn", MG | {"SharedFunctionalGroupsSequence": [frame]}) == {"rotation": 0, "flip": True}
    plane = {"PlaneOrientationSequence": [{"ImageOrientationPatient": ["0", "-1", "0", "0.7", "0", "-0.72"]}]}
    assert rule("orientation", MG | {"PerFrameFunctionalGroupsSequence": [plane]}) == ["A", "FL"]


def test_what_is_odd_about_an_image_is_told(rule: Any) -> None:
    stated = MG | {"PatientOrientation": ["P", "L"]}
    assert rule("told", stated) == "R CC"
    assert rule("told", MG) == "R CC, orientation not stated"
    for odd in (["A", "P"], ["P", "A"], ["L", "R"], ["H", "L"]):
        assert rule("turn", MG | {"PatientOrientation": odd}) == {"rotation": 0, "flip": False}
        assert rule("told", MG | {"PatientOrientation": odd}) == "R CC, orientation contradictory"
    assert rule("told", MG | {"PatientOrientation": ["A", "R"]}) == "R CC, stored turned"
    assert rule("told", MG | {"PatientOrientation": ["A", "L"]}) == "R CC, stored mirrored"
    assert rule("told", MG | {"PatientOrientation": ["P", "R"]}) == "R CC, stored mirrored and turned"
    assert rule("told", stated | {"PresentationIntentType": "FOR PROCESSING"}) == "R CC, for processing"
    spot = CC | {"ViewModifierCodeSequence": [{"CodeMeaning": "Spot compression"}]}
    assert rule("told", stated | {"ViewCodeSequence": [spot]}) == "R CC, Spot compression"
    assert rule("told", {"Modality": "US", "SeriesDescription": "Left breast"}) == "Left breast"


def test_the_standard_views_hang_in_front_and_everything_else_behind_them(rule: Any) -> None:
    def hung(*images: dict[str, Any]) -> dict[str, str]:
        sets = [
            {"displaySetInstanceUID": f"{at}", "SeriesNumber": at, "instances": [{"Rows": 9} | image]}
            for at, image in enumerate(images)
        ]
        sets.append({"displaySetInstanceUID": "report", "instances": [{"Modality": "SR"}]})
        return rule("slots", sets)

    left = MG | {"ImageLaterality": "L"}
    raw, spot = MG | {"PresentationIntentType": "FOR PROCESSING"}, MG | {"PartialView": "YES"}
    bare, sideless = {"Modality": "MG"}, MG | {"ImageLaterality": ""}
    assert hung(raw, spot, MG, left, bare, sideless) == {
        "2": "R CC",
        "3": "L CC",
        "1": "further 1",
        "4": "further 2",
        "5": "further 3",
        "0": "further 4",
    }
    assert hung(raw, left) == {"0": "R CC", "1": "L CC"}
    no_view = left | {"ViewCodeSequence": []}
    assert hung(bare, no_view, no_view, no_view) == {"0": "R CC", "1": "L CC", "2": "L MLO", "3": "further 1"}


def test_only_the_same_person_s_second_study_is_the_prior(rule: Any) -> None:
    def study(patient: str | None, birth: str = "19600101") -> dict[str, Any]:
        return {"series": [{"instances": [{"PatientID": patient, "PatientBirthDate": birth}]}]}

    here, other = study("A"), study("B")
    assert rule("place", here, {"studies": [here], "studyInstanceUIDsIndex": 0}) == "current"
    assert rule("place", here, {"studies": [here, here], "studyInstanceUIDsIndex": 1}) == "prior"
    assert rule("place", other, {"studies": [here, other], "studyInstanceUIDsIndex": 1}) == "other"
    assert rule("place", study("A", "19700101"), {"studies": [here], "studyInstanceUIDsIndex": 1}) == "other"
    assert rule("place", here, {"studies": [here, here, here], "studyInstanceUIDsIndex": 2}) == "other"
    assert rule("place", {}, {"studies": [{}, {}], "studyInstanceUIDsIndex": 1}) == "other"


def test_what_is_saved_says_whose_it_is_as_its_study_does(rule: Any) -> None:
    image = {"PatientID": "A", "IssuerOfPatientID": "HOSPITAL", "StudyDate": "20260101", "Rows": 512, "StudyID": ""}
    assert rule("completed", {"PatientID": "A", "StudyDate": ""}, image) == {
        "PatientID": "A",
        "IssuerOfPatientID": "HOSPITAL",
        "StudyDate": "20260101",
    }
    assert rule("completed", {"PatientID": "B"}, image)["PatientID"] == "B"
    assert rule("completed", {"PatientID": "A"}, None) == {"PatientID": "A"}


def test_what_is_saved_of_an_object_of_somebody_else_is_of_the_patient_of_the_study(rule: Any) -> None:
    row = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Own^One"}]},
        "00100020": {"vr": "LO", "Value": ["A"]},
        "00100021": {"vr": "LO", "Value": ["NORTH"]},
        "00100030": {"vr": "DA"},
    }
    own = {"PatientID": "A", "IssuerOfPatientID": "NORTH", "PatientName": "as it was"}
    assert rule("owned", own, row) == own
    other = {"PatientID": "B", "PatientName": "Other^One", "PatientBirthDate": "19500101", "StudyID": "7"}
    assert rule("owned", other, row) == {
        "PatientID": "A",
        "IssuerOfPatientID": "NORTH",
        "PatientName": [{"Alphabetic": "Own^One"}],
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyID": "7",
    }
    assert rule("owned", {"PatientID": "B"}, {})["PatientID"] == ""


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (409, '{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49424]}}]}}', "keeps it apart"),
        (409, "", "refused it (409)"),
        (0, "", "does not answer"),
        (507, "", "cannot keep anything now"),
    ],
)
def test_why_something_was_not_saved_is_told(rule: Any, status: int, body: str, said: str) -> None:
    assert said in rule("trouble", status, body)


def test_images_that_cannot_be_had_are_told_together(rule: Any) -> None:
    damaged = [{"status": 404, "series": "CHEST", "image": number} for number in range(1, 11)]
    said = rule("sentence", [*damaged, {"status": 500, "series": "LUNG", "image": 3}])
    assert "image 1, 2, 3, 4, 5, 6, 7, 8 and 2 more of CHEST; image 3 of LUNG" in said
    assert "does not answer" in rule("sentence", [*damaged, {"status": 0, "series": "CHEST", "image": 1}])
