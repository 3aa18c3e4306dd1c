"""The life of a row, with a clock that moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fileroom.accountability import versions
from fileroom.accountability.rows import Person, Role
from fileroom.accountability.versions import Status, diff, in_force, status
from tests.support.responsibility import DAY_MS, NOW_MS, accepted, person, row, version


def at(day: date, milliseconds: int = 0) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp() * 1000) + milliseconds


def test_a_row_is_accepted_and_active_once_every_row_is() -> None:
    one = version()
    signed = [accepted(each) for each in one.rows]
    assert status(one.rows[0], one, [], NOW_MS) is Status.PROPOSED
    assert status(one.rows[0], one, signed[:-1], NOW_MS) is Status.ACCEPTED
    assert status(one.rows[-1], one, signed[:-1], NOW_MS) is Status.PROPOSED
    assert status(one.rows[0], one, signed, NOW_MS) is Status.ACTIVE


def test_only_the_person_named_accepts_and_only_the_row_as_it_is() -> None:
    one = row()
    for wrong in (
        replace(accepted(one), person=person("Somebody Else")),
        replace(accepted(one), role=Role.DATA),
        accepted(row(contact="+1 555 0199")),
        accepted(one, NOW_MS + 1),
    ):
        assert versions.acceptance_of(one, [wrong], NOW_MS) is None
    assert versions.acceptance_of(one, [accepted(one, NOW_MS)], NOW_MS) is not None


@given(
    reviewed=st.dates(date(2000, 1, 1), date(2090, 1, 1)),
    days=st.integers(1, 1000),
    moment=st.integers(-5 * DAY_MS, 1100 * DAY_MS),
    accepted_after=st.integers(0, 1100 * DAY_MS),
)
def test_the_life_of_a_row_is_what_the_clock_says(reviewed: date, days: int, moment: int, accepted_after: int) -> None:
    due = reviewed + timedelta(days=days)
    one = row(reviewed=reviewed, next_review=due)
    whole = version(one)
    signed = [accepted(each, at(reviewed, accepted_after)) for each in whole.rows]
    found = status(one, whole, signed, at(reviewed, moment))
    if moment < accepted_after:
        assert found is Status.PROPOSED
    elif at(reviewed, moment) >= at(due + timedelta(days=1)):
        assert found is Status.OVERDUE
    elif at(reviewed, moment) >= at(due - timedelta(days=30)):
        assert found is Status.DUE
    else:
        assert found is Status.ACTIVE


_ORDER = list(Status)


@given(st.lists(st.integers(0, 800 * DAY_MS), min_size=2))
def test_time_alone_never_takes_a_row_back(moments: list[int]) -> None:
    whole = version()
    signed = [accepted(each, NOW_MS + DAY_MS) for each in whole.rows]
    lives = [_ORDER.index(status(whole.rows[0], whole, signed, NOW_MS + moment)) for moment in sorted(moments)]
    assert lives == sorted(lives)


def test_a_day_ends_at_midnight_utc() -> None:
    one = row()
    whole = version(one)
    signed = [accepted(each) for each in whole.rows]
    end = at(one.next_review + timedelta(days=1))
    assert status(one, whole, signed, end - 1) is Status.DUE
    assert status(one, whole, signed, end) is Status.OVERDUE


def test_a_proposed_version_replaces_nothing() -> None:
    first = version()
    signed = [accepted(each) for each in first.rows]
    second = version(row(contact="+1 555 0199"), number=2)
    assert in_force([first, second], signed, NOW_MS) == first
    assert in_force([first, second], [*signed, accepted(second.row(Role.BACKUP) or row())], NOW_MS) == second
    assert in_force([first], signed[:-1], NOW_MS) is None


def test_a_version_without_a_role_is_never_in_force() -> None:
    whole = version()
    less = replace(whole, rows=whole.rows[1:])
    assert versions.missing(less) == (Role.SYSTEM,)
    assert in_force([less], [accepted(each) for each in less.rows], NOW_MS) is None


def test_a_difference_reads_as_sentences() -> None:
    first = version()
    second = version(
        row(person=Person("Ida Joe", "ida.joe@example.org"), contact="+1 555 0199"), row(Role.EXIT), number=2
    )
    assert diff(first, second) == (
        "Backup owner: person: Jane Doe <jane.doe@example.org> -> Ida Joe <ida.joe@example.org>",
        "Backup owner: contact: +1 555 0100 -> +1 555 0199",
        "Exit owner: new, Max Foe (Example Imaging)",
    )
    assert diff(second, first)[-1] == "Exit owner: taken out, was Max Foe"
    assert diff(first, replace(first, number=2)) == ()
    assert diff(version(row(deputy=None)), first) == ("Backup owner: deputy: none -> Dan Zoe <dan.zoe@example.org>",)


def test_a_version_is_told_and_read_again() -> None:
    assert versions.read(versions.plain(version())) == version()
