"""Each check is a small module with facts it passes on and facts it fails on, and answers one of the questions."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from fileroom.accountability.observing import OBSERVERS
from fileroom.accountability.questions import QUESTIONS
from fileroom.accountability.registry import modules
from fileroom.evidence.check import Incomplete, Source

LINES_MAX = 60


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize("module", modules(), ids=_name)
def test_a_check_passes_and_fails_on_its_own_facts_and_on_nothing_else(module: ModuleType) -> None:
    check = module.CHECK
    assert check.id == _name(module).replace("_", "-")
    passed, failed = check.judge(module.PASSES), check.judge(module.FAILS)
    assert (passed.passed, passed.why) == (True, "")
    assert not failed.passed
    assert failed.why
    with pytest.raises(Incomplete):
        check.judge({})
    assert check.clauses
    assert len(Path(module.__file__ or "").read_text().splitlines()) <= LINES_MAX


def test_each_check_answers_exactly_the_question_it_names() -> None:
    asked = {(question.number, name) for question in QUESTIONS for name in question.checks}
    assert asked == {(module.CHECK.question, module.CHECK.id) for module in modules()}
    assert len([name for question in QUESTIONS for name in question.checks]) == len(asked)


def test_a_check_is_looked_at_or_says_what_it_waits_for() -> None:
    for check in (module.CHECK for module in modules()):
        assert bool(check.waits_for) != (check.id in OBSERVERS), check.id
        assert not (check.source is Source.DOCUMENTED and check.id in OBSERVERS), check.id
