"""The seven answers follow from the results alone: nothing is proven that no check passed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fileroom.accountability.questions import QUESTIONS
from fileroom.accountability.registry import all_checks
from fileroom.accountability.sentences import Proof, sentences
from fileroom.evidence.check import Role, Status
from fileroom.evidence.result import Result

CHECKS = {check.id: check for check in all_checks()}
PERSONS = {str(role): "person 1" for role in Role}


def results(status: Status) -> dict[str, Result]:
    return {name: Result(name, status, "because", 1000, 1000, 2000, "measured by the system") for name in CHECKS}


@given(st.lists(st.sampled_from(list(Status)), min_size=len(CHECKS), max_size=len(CHECKS)))
def test_exactly_the_checks_that_pass_are_proven_and_each_is_told_once(statuses: list[Status]) -> None:
    found = {name: Result(name, status, "why", 1, 1, 2) for name, status in zip(CHECKS, statuses, strict=True)}
    for question in QUESTIONS:
        said = sentences(question, CHECKS, found)
        assert 1 <= len(said) <= 3
        assert sorted(name for one in said for name in one.checks) == sorted(question.checks)
        for one in said:
            assert (one.proof is Proof.PROVEN) == all(found[name].status is Status.PASS for name in one.checks)


def test_without_any_evidence_nothing_is_proven() -> None:
    for found in (results(Status.NOT_EVALUATED), {}):
        said = [one for question in QUESTIONS for one in sentences(question, CHECKS, found)]
        assert {one.proof for one in said} == {Proof.NOT_PROVEN}


def test_a_check_that_was_taken_away_leaves_a_hole() -> None:
    without = {name: check for name, check in CHECKS.items() if name != "scrub"}
    said = sentences(QUESTIONS[3], without, results(Status.PASS))
    assert said[-1].proof is Proof.NOT_PROVEN
    assert said[-1].checks == ("scrub",)
    assert "missing" in said[-1].text


def test_a_pass_without_a_date_is_not_proven() -> None:
    found = results(Status.PASS) | {"scrub": Result("scrub", Status.PASS, "")}
    said = sentences(QUESTIONS[3], CHECKS, found)
    assert "scrub" not in said[0].checks


def test_what_nobody_answers_for_is_not_proven_once_there_is_a_map() -> None:
    assert [one.proof for one in sentences(QUESTIONS[0], CHECKS, results(Status.PASS), PERSONS)] == [Proof.PROVEN]
    removed = {role: name for role, name in PERSONS.items() if role != Role.DATA} | {Role.PRIVACY: " "}
    said = sentences(QUESTIONS[0], CHECKS, results(Status.PASS), removed)
    assert [one.proof for one in said] == [Proof.NOT_PROVEN]
    assert said[0].text.startswith("It passed, and nobody answers for it: index against packs")
    found = results(Status.PASS) | {"scrub": Result("scrub", Status.FAIL, "one thing is not as recorded")}
    said = sentences(QUESTIONS[3], CHECKS, found, {})
    assert said[0].text.startswith("Not as promised: ")
    assert "every byte read (one thing is not as recorded)" in said[0].text
    assert "(it passed, and nobody answers for it)" in said[0].text
