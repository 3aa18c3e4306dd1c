"""The status table."""

from __future__ import annotations

import pytest

from fileroom import errors
from fileroom.archive.arrival import Outcome
from fileroom.dimse import status
from fileroom.dimse.status import BROKEN, QUERY, STORE, Status, query_status, store_status

EVERY = [
    *STORE.values(),
    *QUERY.values(),
    *(value for value in vars(status).values() if isinstance(value, Status)),
]


def test_every_outcome_has_a_status_and_only_what_is_here_for_good_is_a_success() -> None:
    codes = {outcome: store_status(outcome).code for outcome in Outcome}
    assert {outcome for outcome, code in codes.items() if code == 0} == {Outcome.STORED, Outcome.DUPLICATE}


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: f"{entry.code:04X}")
def test_comments_fit_and_failures_have_one(entry: Status) -> None:
    assert len(entry.comment) <= 64
    assert entry.comment.isascii()
    assert bool(entry.comment) == bool(entry.code)
    assert entry.meaning


def test_an_error_without_a_row_of_its_own_is_told_as_its_nearest_kin() -> None:
    class Odd(errors.MalformedObject):
        pass

    assert store_status(Odd("x")) == STORE[errors.MalformedObject]
    assert store_status(errors.DamagedPack("x")) == BROKEN
    assert query_status(errors.InvalidUid("x")) == QUERY[errors.RefusedObject]


def test_nothing_that_went_wrong_is_told_as_a_success() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.FileroomError]
    assert len(kinds) > 10
    for kind in kinds:
        assert STORE.get(kind, BROKEN).code != 0, kind
