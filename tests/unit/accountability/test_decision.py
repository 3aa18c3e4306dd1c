"""The decision record, and whether something may go live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fileroom.accountability.decision import (
    AcceptedGap,
    Condition,
    Decision,
    Verdict,
    checked,
    may_go_live,
    plain,
    read,
)
from fileroom.accountability.gaps import Gap, gaps
from fileroom.accountability.rows import Role
from fileroom.accountability.versions import Version
from fileroom.errors import BadRequest, Forbidden
from tests.support.responsibility import DAY_MS, DEPUTY, NOW_MS, RELEASE, accepted, facts, person, row, version

APPROVER = person("Pat Moe")


def open_on(one: Version, now_ms: int = NOW_MS) -> tuple[Gap, ...]:
    return gaps(one, [accepted(each) for each in one.rows], facts(one, now_ms), now_ms, RELEASE)


def decided(one: Version, **changed: object) -> Decision:
    values: dict[str, object] = {
        "subject": "",
        "system": "",
        "verdict": Verdict.APPROVE,
        "by": APPROVER,
        "reviewed_by": row(Role.EVIDENCE).person,
        "why": "the restore drill was repeated",
        "evidence_root": "0" * 64,
        "map_number": one.number,
        "map_digest": one.digest,
        "release": RELEASE,
        "conditions": (),
        "gaps": (),
        "at_ms": NOW_MS,
    }
    return Decision(**(values | changed))  # type: ignore[arg-type]


def test_with_nothing_open_and_an_approval_it_may() -> None:
    one = version()
    answer = may_go_live(decided(one), one, open_on(one), NOW_MS)
    assert answer.yes
    assert answer.reasons == ("Pat Moe: approve 2025-11-24 16:00 UTC",)


def test_every_reason_against_it_is_given() -> None:
    one = version(row(deputy=None))
    assert may_go_live(None, None, open_on(one), NOW_MS).reasons == (
        "no map is in force: a role is empty, or somebody has not accepted",
        "nobody has decided",
        "Backup owner: Jane Doe has no deputy",
    )
    rejected = decided(one, verdict=Verdict.REJECT, why="no exit drill")
    other = replace(one, number=2)
    assert may_go_live(rejected, other, open_on(one), NOW_MS).reasons == (
        "Pat Moe rejected it 2025-11-24 16:00 UTC: no exit drill",
        "the decision was made about version 1 of the map, not 2",
        "Backup owner: Jane Doe has no deputy",
    )


def test_a_decision_about_another_subject_or_of_tomorrow_is_none() -> None:
    one = version()
    assert not may_go_live(decided(one, subject="wave 1"), one, (), NOW_MS).yes
    assert may_go_live(decided(one, subject="wave 1"), one, (), NOW_MS, "wave 1").yes
    assert not may_go_live(decided(one), one, (), NOW_MS - 1).yes


def test_a_gap_is_lived_with_until_its_acceptance_ends() -> None:
    one = version(row(deputy=None))
    (gap,) = open_on(one)
    known = decided(one, gaps=(AcceptedGap(gap.key, gap.text, DEPUTY, NOW_MS + DAY_MS),))
    assert checked(known, one, [accepted(each) for each in one.rows], (gap,)) == known
    assert may_go_live(known, one, (gap,), NOW_MS + DAY_MS - 1).yes
    assert not may_go_live(known, one, (gap,), NOW_MS + DAY_MS).yes
    another = replace(gap, key="deputy-missing:data-owner:0")
    assert not may_go_live(known, one, (gap, another), NOW_MS).yes


def test_a_condition_holds_until_it_is_due() -> None:
    one = version()
    condition = Condition("a second restore drill", DEPUTY, NOW_MS + DAY_MS)
    known = decided(one, verdict=Verdict.CONDITIONS, conditions=(condition,))
    assert may_go_live(known, one, (), NOW_MS + DAY_MS - 1).yes
    assert may_go_live(known, one, (), NOW_MS + DAY_MS).reasons == (
        "the condition was due 2025-11-25 16:00 UTC: a second restore drill (Dan Zoe)",
    )


def test_who_reviewed_does_not_approve_and_who_accepted_everything_does_not_either() -> None:
    one = version()
    signed = [accepted(each) for each in one.rows]
    with pytest.raises(Forbidden, match="Eva Loe reviewed the evidence"):
        checked(decided(one, by=row(Role.EVIDENCE).person), one, signed, ())
    with pytest.raises(Forbidden, match="Eva Loe reviewed"):  # another address makes nobody another person
        checked(decided(one, by=replace(row(Role.EVIDENCE).person, mail="e@example.com")), one, signed, ())
    with pytest.raises(Forbidden, match="not reviewed by"):
        checked(decided(one, reviewed_by=DEPUTY), one, signed, ())
    alone = [each for each in signed if each.role is Role.SYSTEM]
    with pytest.raises(Forbidden, match="Sam Poe alone accepted"):
        checked(decided(one, by=row(Role.SYSTEM).person), one, alone, ())
    assert checked(decided(one, by=row(Role.SYSTEM).person), one, signed, ())


BAD: list[dict[str, object]] = [
    {"evidence_root": "0" * 63},
    {"evidence_root": "G" * 64},
    {"why": " "},
    {"by": person("Help Desk")},
    {"verdict": Verdict.CONDITIONS},
    {"conditions": (Condition("a drill", DEPUTY, NOW_MS + 1),)},
    {"verdict": Verdict.CONDITIONS, "conditions": (Condition("a drill", DEPUTY, NOW_MS),)},
    {"verdict": Verdict.CONDITIONS, "conditions": (Condition("a drill", person("IT Team"), NOW_MS + 1),)},
    {"gaps": (AcceptedGap("unknown", "", DEPUTY, NOW_MS + 1),)},
]


@pytest.mark.parametrize("changed", BAD)
def test_a_decision_that_says_too_little_is_refused(changed: dict[str, object]) -> None:
    one = version()
    with pytest.raises(BadRequest):
        checked(decided(one, **changed), one, [accepted(each) for each in one.rows], open_on(one))


def test_an_acceptance_of_a_gap_ends_and_is_nobody_elses_signature() -> None:
    one = version(row(deputy=None))
    signed = [accepted(each) for each in one.rows]
    (gap,) = open_on(one)
    for expires_ms in (NOW_MS, NOW_MS - 1, NOW_MS + 367 * DAY_MS):
        with pytest.raises(BadRequest, match="ends within"):
            checked(decided(one, gaps=(AcceptedGap(gap.key, "", DEPUTY, expires_ms),)), one, signed, (gap,))
    unsigned = gaps(version(), [], facts(version()), NOW_MS, RELEASE)[0]
    with pytest.raises(BadRequest, match="nobody can accept that for them"):
        checked(decided(one, gaps=(AcceptedGap(unsigned.key, "", DEPUTY, NOW_MS + 1),)), one, signed, (unsigned,))


def test_a_decision_is_told_and_read_again() -> None:
    one = decided(
        version(),
        verdict=Verdict.CONDITIONS,
        conditions=(Condition("a drill", DEPUTY, NOW_MS + 1),),
        gaps=(AcceptedGap("key", "text", DEPUTY, NOW_MS + 1),),
    )
    assert read(plain(one)) == one
    with pytest.raises(BadRequest):
        read(plain(one) | {"verdict": "perhaps"})
