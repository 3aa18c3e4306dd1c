"""The page of the answers: everything escaped, every status in words, nothing proven without a date."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fileroom.accountability.answers import Answer, Answers, document
from fileroom.accountability.map import Kept
from fileroom.accountability.pages import AnswersPage
from fileroom.accountability.questions import QUESTIONS
from fileroom.accountability.registry import all_checks
from fileroom.accountability.rows import Person, Role
from fileroom.accountability.sentences import sentences
from fileroom.accountability.versions import Version
from fileroom.evidence.check import Status
from fileroom.evidence.result import Result
from fileroom.web.pages import Pages
from fileroom.web.router import Router
from tests.support.asking import ask
from tests.support.responsibility import row

NOBODY = Kept()
HOSTILE = "<script>alert(1)</script> & 'quoted'"


def answers(status: Status, why: str, **dates: Any) -> Answers:
    checks = {check.id: check for check in all_checks() if check.id != "scrub"}
    results = {name: Result(name, status, why, **dates) for name in checks}
    said = tuple(Answer(one, tuple(sentences(one, checks, results))) for one in QUESTIONS)
    return Answers(1_790_000_000_000, said, tuple((check, results[name]) for name, check in checks.items()))


def text(found: Answers, kept: Kept = NOBODY) -> str:
    router = Router()
    AnswersPage(Pages(("web", "accountability"), "test"), lambda: (found, kept), "9.9").add_routes(router)
    return ask(router, "/answers").body.decode()


@pytest.mark.parametrize("status", list(Status))
def test_each_status_stands_there_in_words_and_everything_is_escaped(status: Status) -> None:
    shown = text(answers(status, HOSTILE, observed_ms=1000, collected_ms=1000, valid_until_ms=2000, grade=HOSTILE))
    assert f"</span> {status}</span>" in shown
    assert "<script>alert" not in shown
    assert "this check is missing" in shown
    summaries = re.findall(r"<summary>.*?</summary>", shown, re.DOTALL)
    assert len(summaries) >= len(QUESTIONS)
    assert [one for one in summaries if "%" in one] == []


def test_a_proven_sentence_shows_since_when_and_until_when() -> None:
    dates = {"observed_ms": 1_790_000_000_000, "collected_ms": 1_790_000_000_000, "valid_until_ms": 1_790_000_060_000}
    shown = text(answers(Status.PASS, "", **dates))
    assert shown.count('class="answer proven"') == shown.count(">Seen <time") == 7


def test_dates_that_no_calendar_has_are_none_in_the_document() -> None:
    found = answers(Status.PASS, "", observed_ms=1 << 52, collected_ms=1, valid_until_ms=1 << 53)
    assert {one["observed_at"] for one in document(found, None)["checks"]} == {None}


def test_who_answers_and_what_is_open_stand_there_by_name_as_text() -> None:
    found = answers(Status.PASS, "", observed_ms=1000, collected_ms=1000, valid_until_ms=2000)
    nobody = text(found)
    assert "nobody is named yet" in nobody
    assert "Backup owner: nobody is named" in nobody
    assert "Nobody has decided yet" in nobody
    jane = row(Role.BACKUP, person=Person("Jane <b>Doe</b>", "jane@example.org"), deputy=None)
    shown = text(found, Kept((Version(1, "", (jane,), found.as_of_ms - 1, "tests"),)))
    assert "<td>Jane &lt;b&gt;Doe&lt;/b&gt;<br>" in shown  # beside the checks
    assert "<td>Backup owner</td><td>Jane &lt;b&gt;Doe&lt;/b&gt;</td><td>nobody</td>" in shown
    assert "<b>Doe" not in shown
    assert "nobody is named yet" not in shown
    assert "Backup owner: nobody is named" not in shown
