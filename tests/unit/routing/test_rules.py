"""What a rule may be, and what it applies to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fileroom.routing.rules import (
    BadRule,
    SeriesFacts,
    Wanted,
    applies_to_series,
    applies_to_source,
    checked,
    in_words,
)

KNOWN = frozenset({"WS", "PACS"})
PLAIN = Wanted("CT to workstation", "WS")
CHEST = SeriesFacts("CT", "CT-ROOM 1", "North Hospital", "CT  Chest", "Lung 1.0", None, "CHEST")


def test_a_rule_is_tidied() -> None:
    wanted = Wanted("  CT  on ", " WS ", ("ct", "MR ", "CT", ""), ("CT_1 ", "", "CT_1"), " room  1 ")
    assert checked(wanted, KNOWN) == Wanted("CT on", "WS", ("CT", "MR"), ("CT_1",), "room 1")


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("name", replace(PLAIN, name=" ")),
        ("name", replace(PLAIN, name="x" * 49)),
        ("name", replace(PLAIN, name="a\u202eb")),
        ("destination", replace(PLAIN, destination="NOBODY")),
        ("modalities", replace(PLAIN, modalities=("C\\T",))),
        ("modalities", replace(PLAIN, modalities=("<script>",))),
        ("sources", replace(PLAIN, sources=("SEVENTEEN_LETTERS",))),
        ("sources", replace(PLAIN, sources=("A\\B",))),
        ("sources", replace(PLAIN, sources=("WS",))),
        ("station", replace(PLAIN, station="x" * 65)),
        ("description", replace(PLAIN, description="a\0b")),
    ],
)
def test_what_cannot_be_a_rule_is_said_by_field(field: str, wanted: Wanted) -> None:
    with pytest.raises(BadRule) as error:
        checked(wanted, KNOWN)
    assert list(error.value.problems) == [field]
    assert error.value.problems[field].startswith(f"{field}: ")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadRule) as error:
        checked(Wanted("", "NOBODY", ("?",)), KNOWN)
    assert set(error.value.problems) == {"name", "destination", "modalities"}


@pytest.mark.parametrize(
    ("conditions", "applies"),
    [
        ({}, True),
        ({"modalities": ("MR", "CT")}, True),
        ({"modalities": ("MR",)}, False),
        ({"station": "ct-room"}, True),
        ({"station": "mr"}, False),
        ({"institution": "NORTH"}, True),
        ({"description": "ct chest"}, True),
        ({"description": "lung"}, True),
        ({"description": "chest", "modalities": ("MR",)}, False),
        ({"description": "knee"}, False),
    ],
)
def test_a_series_is_asked_for_when_every_condition_holds(conditions: dict[str, str], applies: bool) -> None:
    assert applies_to_series(replace(PLAIN, **conditions), CHEST) is applies  # type: ignore[arg-type]


def test_what_is_absent_contains_nothing() -> None:
    nothing = SeriesFacts(None, None, None, None, None, None, None)
    assert applies_to_series(PLAIN, nothing)
    for condition in ({"modalities": ("CT",)}, {"station": "a"}, {"institution": "a"}, {"description": "a"}):
        assert not applies_to_series(replace(PLAIN, **condition), nothing)  # type: ignore[arg-type]


def test_nothing_goes_back_to_its_sender() -> None:
    assert not applies_to_source(PLAIN, "dimse:WS")
    assert applies_to_source(PLAIN, "dimse:WS2")
    assert applies_to_source(PLAIN, "stow:WS")
    assert not applies_to_source(PLAIN, "demo:demonstration")
    assert applies_to_source(replace(PLAIN, sources=("CT_1", "CT_2")), "dimse:CT_2")
    assert not applies_to_source(replace(PLAIN, sources=("CT_1",)), "import:CT_1")


def test_conditions_are_said_as_people_do() -> None:
    assert in_words(PLAIN) == "everything"
    assert in_words(replace(PLAIN, modalities=("CT", "MR"), sources=("A",), station="x", description="y")) == (
        "modality CT or MR, from A, station contains 'x', description or body part contains 'y'"
    )
