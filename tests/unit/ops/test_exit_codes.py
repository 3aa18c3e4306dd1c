"""Every error ends a command with a documented code."""

from __future__ import annotations

import inspect

import pytest

from fileroom import errors
from fileroom.ops.exit_codes import MEANING, Exit, exit_code

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.FileroomError)]


def test_every_code_has_a_meaning() -> None:
    assert list(MEANING) == list(Exit)


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_looks_like_success(kind: type[errors.FileroomError]) -> None:
    assert exit_code(kind.__new__(kind)) in (Exit.FOUND, Exit.USAGE, Exit.UNAVAILABLE)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.BadSetting, 2),
        (errors.BadRequest, 2),
        (errors.InvalidUid, 1),
        (errors.PeerUnavailable, 1),
        (errors.NotFound, 1),
        (errors.DatabaseUnavailable, 3),
        (errors.StorageFull, 3),
        (errors.InUse, 3),
    ],
)
def test_the_code_tells_a_finding_from_a_mistake_from_a_failure(kind: type[errors.FileroomError], code: int) -> None:
    assert exit_code(kind("what happened")) == code
