"""Every check there is: the modules of `checks`. A new one is a new module there, and its name in `questions`."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

from fileroom import errors
from fileroom.accountability import checks
from fileroom.accountability.questions import QUESTIONS
from fileroom.evidence.check import Check


@cache
def modules() -> tuple[ModuleType, ...]:
    """The modules that hold the checks."""
    names = [found.name for found in pkgutil.iter_modules(checks.__path__)]
    return tuple(import_module(f"{checks.__name__}.{name}") for name in names)


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, in the order of the questions."""
    found = {module.CHECK.id: module.CHECK for module in modules()}
    asked = [name for question in QUESTIONS for name in question.checks]
    return tuple(found[name] for name in asked if name in found)


def find(check_id: str) -> Check:
    """One check. Raises NotFound."""
    for check in all_checks():
        if check.id == check_id:
            return check
    raise errors.NotFound("there is no such check", hint="fileroom check list names them")
