"""What a check says at a moment: computed from signed observations whenever somebody reads, stored nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fileroom.evidence.check import Check, Facts, Incomplete, Status
from fileroom.evidence.observation import OUTAGE

UNVERIFIED = "evidence does not verify"


@dataclass(frozen=True, slots=True)
class Seen:
    """One row as it was read. Times are milliseconds since 1970 UTC."""

    number: int
    observed_ms: int
    collected_ms: int
    grade: str
    facts: Facts | None  # None: the signature does not match


@dataclass(frozen=True, slots=True)
class Waiver:
    """A person who takes it upon themselves that a check does not pass."""

    by: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Result:
    """A check's status now, and what it rests on."""

    check_id: str
    status: Status
    why: str  # empty for a pass
    observed_ms: int | None = None  # None: nothing that can be relied on
    collected_ms: int | None = None
    valid_until_ms: int | None = None
    grade: str | None = None


def result(check: Check, newest: Sequence[Seen], now_ms: int, waiver: Waiver | None = None) -> Result:
    """Judge the newest observations of one check and site, the newest first; two are enough.

    A waiver covers what does not pass, up to its end; it does not cover evidence that does not verify.
    """
    found = _result(check, newest, now_ms)
    if waiver is None or now_ms >= waiver.until_ms or found.status is Status.PASS or found.why == UNVERIFIED:
        return found
    return replace(found, status=Status.WAIVED, why=f"waived by {waiver.by}: {found.why}")


def _result(check: Check, newest: Sequence[Seen], now_ms: int) -> Result:
    if not newest:
        why = check.waits_for or f"not looked at yet: fileroom check run {check.id}"
        return Result(check.id, Status.NOT_EVALUATED, why)
    last, before = newest[0], newest[1] if len(newest) > 1 else None
    if last.facts is None:
        return Result(check.id, Status.NOT_EVALUATED, UNVERIFIED)
    wrong = _unreliable(last, before, now_ms)
    if wrong:
        return Result(check.id, Status.NOT_EVALUATED, wrong)
    until = last.observed_ms + check.fresh_for_seconds * 1000
    dated = Result(check.id, Status.STALE, "", last.observed_ms, last.collected_ms, until, last.grade)
    status, why = _judged(check, last.facts)
    if status is not Status.NOT_EVALUATED and now_ms >= until:
        said = "it passed" if status is Status.PASS else f"it failed ({why})"
        return replace(dated, why=f"{said}, too long ago to count")
    return replace(dated, status=status, why=why)


def _unreliable(last: Seen, before: Seen | None, now_ms: int) -> str:
    if (before.number if before else 0) != last.number - 1:
        return "an earlier observation is missing"
    if last.collected_ms < last.observed_ms:
        return "the observation was written down before it was made: look at the clock"
    if max(one.collected_ms for one in (last, before) if one is not None and one.facts is not None) > now_ms:
        return "an observation is dated in the future: look at the clock"
    return ""


def _judged(check: Check, facts: Facts) -> tuple[Status, str]:
    if OUTAGE in facts:
        return Status.NOT_EVALUATED, f"could not be looked at: {facts[OUTAGE]}"
    try:
        judgement = check.judge(facts)
    except Incomplete as missing:
        return Status.NOT_EVALUATED, f"the evidence does not say: {missing}"
    return (Status.PASS, "") if judgement.passed else (Status.FAIL, judgement.why)
