"""What judges are made of. Each condition looks at one fact; a fact that is not there is Incomplete, never a pass."""

from __future__ import annotations

from fileroom.evidence.check import Facts, Incomplete, Judge, Judgement


def all_of(*conditions: Judge) -> Judge:
    """Passes when each does; tells every reason. With no condition it is a mistake, and raises ValueError."""
    if not conditions:
        raise ValueError("a judge needs a condition")

    def judge(facts: Facts) -> Judgement:
        found = [condition(facts) for condition in conditions]
        return Judgement(all(one.passed for one in found), "; ".join(one.why for one in found if not one.passed))

    return judge


def none(fact: str, why: str) -> Judge:
    """The number is 0. `why` may hold {}, the number."""
    return at_most(fact, 0, why)


def at_most(fact: str, limit: int, why: str) -> Judge:
    """The number is no larger."""
    return lambda facts: Judgement((found := _number(facts, fact)) <= limit, why.format(found))


def at_least(fact: str, limit: int, why: str) -> Judge:
    """The number is no smaller."""
    return lambda facts: Judgement((found := _number(facts, fact)) >= limit, why.format(found))


def no_more_than(fact: str, other: str, why: str) -> Judge:
    """One number is no larger than another. `why` may hold two {}."""

    def judge(facts: Facts) -> Judgement:
        found, limit = _number(facts, fact), _number(facts, other)
        return Judgement(found <= limit, why.format(found, limit))

    return judge


def true(fact: str, why: str) -> Judge:
    """It is so."""

    def judge(facts: Facts) -> Judgement:
        found = facts.get(fact)
        if not isinstance(found, bool):
            raise Incomplete(fact)
        return Judgement(found, why)

    return judge


def named(fact: str, why: str) -> Judge:
    """The text is there and not blank."""

    def judge(facts: Facts) -> Judgement:
        found = facts.get(fact)
        if not isinstance(found, str):
            raise Incomplete(fact)
        return Judgement(bool(found.strip()), why)

    return judge


def _number(facts: Facts, fact: str) -> int:
    found = facts.get(fact)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise Incomplete(fact)
    return found
