"""What a check says as time goes by, and when the evidence cannot be relied on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileroom.accountability.registry import all_checks
from fileroom.evidence.check import Facts, Grade, Status
from fileroom.evidence.observation import OUTAGE
from fileroom.evidence.result import UNVERIFIED, Seen, Waiver, result

CHECK = next(check for check in all_checks() if check.id == "unmatched-queue")
FRESH_MS = CHECK.fresh_for_seconds * 1000
AT = 1_790_000_000_000
GOOD: Facts = {"waiting": 0, "oldest_hours": 0}
BAD: Facts = {"waiting": 1, "oldest_hours": 99}
MOMENT = st.integers(0, 4_000_000_000_000)


def seen(facts: Facts | None = GOOD, at_ms: int = AT, number: int = 1, collected_ms: int | None = None) -> Seen:
    return Seen(number, at_ms, at_ms if collected_ms is None else collected_ms, Grade.MEASURED, facts)


@given(at_ms=MOMENT, now_ms=MOMENT)
def test_a_pass_counts_from_when_it_was_seen_until_it_is_too_old_and_at_no_other_time(at_ms: int, now_ms: int) -> None:
    found = result(CHECK, [seen(at_ms=at_ms)], now_ms)
    if now_ms < at_ms:
        assert found.status is Status.NOT_EVALUATED
    elif now_ms < at_ms + FRESH_MS:
        assert (found.status, found.valid_until_ms) == (Status.PASS, at_ms + FRESH_MS)
    else:
        assert found.status is Status.STALE


@given(times=st.lists(MOMENT, min_size=2, max_size=6), now_ms=MOMENT)
def test_a_clock_that_moves_back_and_forth_never_makes_a_pass_of_the_future_or_of_the_past(
    times: list[int], now_ms: int
) -> None:
    rows = [seen(at_ms=at, number=number) for number, at in enumerate(times, 1)][::-1]
    found = result(CHECK, rows[:2], now_ms)
    if found.status is Status.PASS:
        assert all(row.collected_ms <= now_ms for row in rows[:2])
        assert now_ms - rows[0].observed_ms < FRESH_MS


@given(st.one_of(st.just(GOOD), st.just(BAD), st.just({}), st.none()), MOMENT, MOMENT, st.integers(-5, 5))
def test_nothing_but_good_facts_seen_and_collected_in_time_passes(
    facts: Facts | None, at_ms: int, collected_ms: int, number: int
) -> None:
    found = result(CHECK, [Seen(number, at_ms, collected_ms, Grade.MEASURED, facts)], AT)
    good = facts == GOOD and number == 1 and at_ms <= collected_ms <= AT < at_ms + FRESH_MS
    assert (found.status is Status.PASS) == good


@pytest.mark.parametrize(
    ("rows", "status", "why"),
    [
        ([], Status.NOT_EVALUATED, "not looked at yet"),
        ([seen(None)], Status.NOT_EVALUATED, UNVERIFIED),
        ([seen(BAD)], Status.FAIL, "99 hours"),
        ([seen({})], Status.NOT_EVALUATED, "does not say"),
        ([seen({OUTAGE: "the disk is away"})], Status.NOT_EVALUATED, "the disk is away"),
        ([seen({OUTAGE: "away", **GOOD})], Status.NOT_EVALUATED, "away"),
        ([seen(number=3)], Status.NOT_EVALUATED, "missing"),
        ([seen(number=3), seen(number=1)], Status.NOT_EVALUATED, "missing"),
        ([seen(at_ms=AT + 1)], Status.NOT_EVALUATED, "future"),
        ([seen(number=2), seen(at_ms=AT + 9)], Status.NOT_EVALUATED, "future"),
        ([seen(collected_ms=AT - 1)], Status.NOT_EVALUATED, "before it was made"),
        ([seen(BAD, AT - FRESH_MS)], Status.STALE, "it failed"),
        ([seen({"waiting": True, "oldest_hours": True})], Status.NOT_EVALUATED, "does not say"),
        ([seen({"waiting": 0, "oldest_hours": -1})], Status.NOT_EVALUATED, "does not say"),
    ],
)
def test_what_is_no_pass_says_why(rows: list[Seen], status: Status, why: str) -> None:
    found = result(CHECK, rows, AT)
    assert found.status is status
    assert why in found.why


def test_an_outage_stays_an_outage_however_old() -> None:
    assert result(CHECK, [seen({OUTAGE: "away"}, AT - 9 * FRESH_MS)], AT).status is Status.NOT_EVALUATED


def test_a_waiver_covers_a_failure_until_its_end_and_never_evidence_that_does_not_verify() -> None:
    waiver = Waiver("person 1", AT + 10)
    covered = result(CHECK, [seen(BAD)], AT, waiver)
    assert covered.status is Status.WAIVED
    assert "person 1" in covered.why
    assert result(CHECK, [seen(BAD)], AT + 10, waiver).status is Status.FAIL
    assert result(CHECK, [seen(None)], AT, waiver).status is Status.NOT_EVALUATED
    assert result(CHECK, [seen()], AT, waiver).status is Status.PASS


def test_what_cannot_be_seen_yet_says_which_part_is_missing() -> None:
    check = replace(CHECK, waits_for="Nobody can see that yet")
    assert result(check, [], AT).why == "Nobody can see that yet"
