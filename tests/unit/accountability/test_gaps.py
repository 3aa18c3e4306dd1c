"""What is open, by name: it opens from facts, and nothing but what closes it closes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fileroom.accountability.facts import (
    FRESH_MS,
    PARTS,
    Account,
    ContactTest,
    Contract,
    Facts,
    Flow,
    Line,
    Look,
    Release,
    read,
)
from fileroom.accountability.gaps import TEST_FRESH_MS, Gap, gaps
from fileroom.accountability.rows import Role
from fileroom.accountability.versions import Version
from fileroom.errors import BadRequest
from tests.support.responsibility import DAY_MS, DEPUTY, NOW_MS, RELEASE, accepted, facts, row, version

SINCE = NOW_MS - 3 * DAY_MS  # 2025-11-21 16:00 UTC


def found(one: Version, known: Facts, now_ms: int = NOW_MS) -> tuple[Gap, ...]:
    return gaps(one, [accepted(each) for each in one.rows], known, now_ms, RELEASE)


def texts(one: Version, known: Facts, now_ms: int = NOW_MS) -> list[str]:
    return [gap.text for gap in found(one, known, now_ms)]


def test_nothing_is_open_when_all_is_in_order() -> None:
    assert found(version(), facts(version())) == ()


def test_an_account_that_is_disabled_opens_a_gap_by_name_until_it_is_enabled() -> None:
    one = version()
    for who, text in (
        (row().person.mail, "Backup owner: Jane Doe's account is disabled since 2025-11-21 16:00 UTC"),
        (row().person.mail.upper(), "Backup owner: Jane Doe's account is disabled since 2025-11-21 16:00 UTC"),
    ):
        known = replace(facts(one), accounts=Look(NOW_MS, (Account(who, SINCE),)))
        assert texts(one, known) == [text]
    enabled = replace(facts(one), accounts=Look(NOW_MS, (Account(row().person.mail),)))
    assert texts(one, enabled) == []


def test_a_deputy_whose_account_is_disabled_is_named_in_every_row() -> None:
    known = replace(facts(version()), accounts=Look(NOW_MS, (Account(DEPUTY.mail, SINCE),)))
    assert len(texts(version(), known)) == 6
    assert "Backup owner: deputy Dan Zoe's account is disabled since 2025-11-21 16:00 UTC" in texts(version(), known)


def test_an_account_that_is_gone_and_a_release_that_nobody_names_are_open() -> None:
    one = version(row(person=replace(row().person, id="7")))
    assert texts(one, replace(facts(one), accounts=Look(NOW_MS))) == ["Backup owner: Jane Doe's account is gone"]
    known = replace(facts(version()), release=Look(NOW_MS))
    assert texts(version(), known) == [
        "Not evaluated: whether the release is the one approved was not looked at since 2025-11-24 16:00 UTC"
    ]


def test_disabled_anew_is_another_gap_than_before() -> None:
    one = version()
    keys = [
        found(one, replace(facts(one), accounts=Look(NOW_MS, (Account(row().person.mail, since),))))[0].key
        for since in (SINCE, SINCE + 1)
    ]
    assert len(set(keys)) == 2


def _contact(at_ms: int, answered: bool, called: str = "+1 555 0100") -> Callable[[Facts], Facts]:
    def change(known: Facts) -> Facts:
        assert known.contact_tests is not None
        tests = [one for one in known.contact_tests.found if (one.role, one.line) != (Role.BACKUP, Line.CONTACT)]
        tests.append(ContactTest(Role.BACKUP, Line.CONTACT, at_ms, answered, called))
        return replace(known, contact_tests=Look(NOW_MS, tuple(tests)))

    return change


CONTACTS = [
    (_contact(SINCE, False), "Backup owner: the contact of Jane Doe did not answer 2025-11-21 16:00 UTC"),
    (_contact(NOW_MS - TEST_FRESH_MS, True), ""),
    (
        _contact(NOW_MS - TEST_FRESH_MS - 1, True),
        "Backup owner: the contact of Jane Doe was last tested 2025-08-26 15:59 UTC",
    ),
    (_contact(SINCE, True, "+1 555 0177"), "Backup owner: the contact of Jane Doe was never tested"),
    (_contact(NOW_MS + 1, True), "Backup owner: the contact of Jane Doe was never tested"),
]


@pytest.mark.parametrize(("change", "text"), CONTACTS)
def test_a_contact_answers_in_time_lately_and_is_the_one_on_the_map(
    change: Callable[[Facts], Facts], text: str
) -> None:
    assert texts(version(), change(facts(version()))) == ([text] if text else [])


def test_a_test_that_failed_is_closed_by_a_later_one_that_did_not() -> None:
    known = _contact(SINCE, False)(facts(version()))
    assert known.contact_tests is not None
    later = ContactTest(Role.BACKUP, Line.CONTACT, SINCE + 1, True, "+1 555 0100")
    assert texts(version(), replace(known, contact_tests=Look(NOW_MS, (*known.contact_tests.found, later)))) == []


def test_things_that_end_appear_or_change_open_gaps_by_name() -> None:
    one = version()
    known = replace(
        facts(one),
        contracts=Look(NOW_MS, (Contract("Example Cloud", SINCE), Contract("Other", NOW_MS + 1))),
        flows=Look(NOW_MS, (Flow("OLDPACS", SINCE, False), Flow("MG1", SINCE, True))),
        release=Look(NOW_MS, (Release("1.1"),)),
    )
    assert texts(one, known) == [
        "Example Cloud: the contract ended 2025-11-21 16:00 UTC",
        "OLDPACS: data goes there since 2025-11-21 16:00 UTC, and nobody declared it",
        "release 1.1 runs; 1.0 was approved",
    ]


def test_a_row_alone_opens_gaps() -> None:
    for changed, text in (
        (row(deputy=None), "Backup owner: Jane Doe has no deputy"),
        (row(Role.SUPPORT, steps=()), "Support path: no step says whom to call first"),
    ):
        assert texts(version(changed), facts(version(changed))) == [text]
    one = version()
    assert "Backup owner: Jane Doe has not accepted" in [gap.text for gap in gaps(one, [], facts(one), NOW_MS)]
    less = replace(one, rows=one.rows[1:])
    assert "System owner: nobody is named" in texts(less, facts(less))


def test_a_review_is_overdue_for_who_accepted_and_for_who_did_not() -> None:
    one, late = version(), NOW_MS + 400 * DAY_MS
    text = "Backup owner: the review of 2026-11-20 is overdue"
    assert text in texts(one, facts(one, late), late)
    assert text in [gap.text for gap in gaps(one, [], facts(one, late), late)]


@pytest.mark.parametrize("part", PARTS)
def test_what_nobody_looked_at_today_is_open(part: str) -> None:
    one = version()
    look = getattr(facts(one), part)
    for gone in (None, Look(NOW_MS - FRESH_MS - 1, look.found), Look(NOW_MS + 1, look.found)):
        assert any(PARTS[part][1] in text for text in texts(one, replace(facts(one), **{part: gone})))
    assert texts(one, replace(facts(one), **{part: Look(NOW_MS - FRESH_MS, look.found)})) == []


def test_facts_are_read_from_json() -> None:
    told = {
        "accounts": {"at_ms": 5, "found": [{"mail": "a@example.org", "disabled_ms": 4}]},
        "contact_tests": {
            "at_ms": 5,
            "found": [{"role": "data-owner", "line": "contact", "at_ms": 3, "answered": True, "called": "1"}],
        },
        "flows": None,
    }
    test = ContactTest("data-owner", Line.CONTACT, 3, True, "1")
    assert read(told) == Facts(Look(5, (Account("a@example.org", 4),)), Look(5, (test,)))


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"account": {}},
        {"accounts": {"found": []}},
        {"accounts": {"at_ms": "5", "found": []}},
        {"accounts": {"at_ms": 5, "found": [{"mail": 1}]}},
        {"accounts": {"at_ms": 5, "found": [{"mail": "a", "disabled_ms": False}]}},
        {"accounts": {"at_ms": 5, "found": [{"mail": "a", "more": 1}]}},
        {"flows": {"at_ms": 5, "found": [{"name": "a", "seen_ms": None, "declared": True}]}},
        {"flows": {"at_ms": 5, "found": [{"name": "a", "seen_ms": 1, "declared": "no"}]}},
    ],
)
def test_facts_that_say_too_little_or_too_much_are_refused(told: object) -> None:
    with pytest.raises(BadRequest):
        read(told)
