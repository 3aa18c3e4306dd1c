"""What is open on a responsibility map, by name. A gap is never written down as open or closed: it is what the map and
the facts say when they are read, so nothing but a changed map or a changed fact closes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from fileroom.accountability import versions
from fileroom.accountability.facts import PARTS, Account, ContactTest, Facts, Line, Look
from fileroom.accountability.rows import TITLES, Person, Role, Row
from fileroom.accountability.versions import Acceptance, Status, Version

TEST_FRESH_MS = 90 * 24 * 3600 * 1000


class Kind(StrEnum):
    """What is wrong."""

    ROLE_EMPTY = "role-empty"
    NOT_ACCEPTED = "not-accepted"
    REVIEW_OVERDUE = "review-overdue"
    DEPUTY_MISSING = "deputy-missing"
    NO_SUPPORT_PATH = "no-support-path"
    ACCOUNT_DISABLED = "account-disabled"
    CONTACT_TEST = "contact-test"
    CONTRACT_ENDED = "contract-ended"
    UNDECLARED_FLOW = "undeclared-flow"
    RELEASE_CHANGED = "release-changed"
    NOT_EVALUATED = "not-evaluated"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something open."""

    key: str  # the same as long as it is the same gap; one that closed and opened again has another
    kind: Kind
    role: Role | None
    text: str  # names who or what
    since_ms: int | None  # where it is known
    closes: str  # what closes it


def gaps(
    version: Version,
    acceptances: Iterable[Acceptance],
    facts: Facts,
    now_ms: int,
    approved_release: str | None = None,
) -> tuple[Gap, ...]:
    """Everything open on that version now, in the order of the roles.

    `approved_release`: what the decision in force was made about; None when there is none yet.
    """
    known = tuple(acceptances)
    found = [
        Gap(
            f"{Kind.ROLE_EMPTY}:{role}:{version.number}",
            Kind.ROLE_EMPTY,
            role,
            f"{TITLES[role]}: nobody is named",
            None,
            "name one person",
        )
        for role in versions.missing(version)
    ]
    for row in version.rows:
        found += _of_row(row, version, known, now_ms)
        if facts.accounts is not None:
            found += _accounts(row, facts.accounts.found, now_ms)
        if facts.contact_tests is not None:
            found += _contacts(row, facts.contact_tests.found, now_ms)
    return (*found, *_of_things(facts, now_ms, approved_release), *_unseen(facts, now_ms))


def _of_row(row: Row, version: Version, known: tuple[Acceptance, ...], now_ms: int) -> Iterator[Gap]:
    title, person, mark = TITLES[row.role], row.person.name, row.digest[:16]
    where = versions.status(row, version, known, now_ms)
    if where is Status.PROPOSED:
        yield Gap(
            f"{Kind.NOT_ACCEPTED}:{row.role}:{mark}",
            Kind.NOT_ACCEPTED,
            row.role,
            f"{title}: {person} has not accepted",
            None,
            f"{person} accepts",
        )
    if where is Status.OVERDUE or versions.day(now_ms) > row.next_review:
        yield Gap(
            f"{Kind.REVIEW_OVERDUE}:{row.role}:{mark}",
            Kind.REVIEW_OVERDUE,
            row.role,
            f"{title}: the review of {row.next_review.isoformat()} is overdue",
            None,
            "review the row, and accept it anew",
        )
    if row.deputy is None:
        yield Gap(
            f"{Kind.DEPUTY_MISSING}:{row.role}:{mark}",
            Kind.DEPUTY_MISSING,
            row.role,
            f"{title}: {person} has no deputy",
            None,
            "name a deputy",
        )
    if row.role is Role.SUPPORT and not row.steps:
        yield Gap(
            f"{Kind.NO_SUPPORT_PATH}:{row.role}:{mark}",
            Kind.NO_SUPPORT_PATH,
            row.role,
            f"{title}: no step says whom to call first",
            None,
            "write the first step",
        )


def _accounts(row: Row, accounts: tuple[Account, ...], now_ms: int) -> Iterator[Gap]:
    for person, what in ((row.person, ""), (row.deputy, "deputy ")):
        if person is None:
            continue
        mine = [one for one in accounts if _is(one, person)]
        if person.id and not mine:
            yield Gap(
                f"{Kind.ACCOUNT_DISABLED}:{row.role}:{person.mail.casefold()}:gone",
                Kind.ACCOUNT_DISABLED,
                row.role,
                f"{TITLES[row.role]}: {what}{person.name}'s account is gone",
                None,
                "name another person",
            )
        disabled = [one.disabled_ms for one in mine if one.disabled_ms is not None]
        if disabled and min(disabled) <= now_ms:
            since = min(disabled)
            yield Gap(
                f"{Kind.ACCOUNT_DISABLED}:{row.role}:{person.mail.casefold()}:{since}",
                Kind.ACCOUNT_DISABLED,
                row.role,
                f"{TITLES[row.role]}: {what}{person.name}'s account is disabled since {stamp(since)}",
                since,
                "name another person, or enable the account",
            )


def _is(account: Account, person: Person) -> bool:
    return (bool(person.id) and account.id == person.id) or account.mail.casefold() == person.mail.casefold()


def _contacts(row: Row, tests: tuple[ContactTest, ...], now_ms: int) -> Iterator[Gap]:
    for line, called in ((Line.CONTACT, row.contact), (Line.OUT_OF_HOURS, row.out_of_hours)):
        mine = [
            one
            for one in tests
            if one.role == row.role and one.line == line and one.called == called and one.at_ms <= now_ms
        ]
        last = max(mine, key=lambda one: (one.at_ms, not one.answered), default=None)  # of two at once the failed one
        if last is not None and last.answered and now_ms - last.at_ms <= TEST_FRESH_MS:
            continue
        if last is None:
            said, mark = "was never tested", row.digest[:16]
        else:
            said = f"was last tested {stamp(last.at_ms)}" if last.answered else f"did not answer {stamp(last.at_ms)}"
            mark = str(last.at_ms)
        yield Gap(
            f"{Kind.CONTACT_TEST}:{row.role}:{line}:{mark}",
            Kind.CONTACT_TEST,
            row.role,
            f"{TITLES[row.role]}: the {line} of {row.person.name} {said}",
            None if last is None else last.at_ms,
            "a test call that is answered",
        )


def _of_things(facts: Facts, now_ms: int, approved_release: str | None) -> Iterator[Gap]:
    for one in _found(facts.contracts):
        if one.ends_ms <= now_ms:
            text, key = f"{one.name}: the contract ended {stamp(one.ends_ms)}", f"{one.name}:{one.ends_ms}"
            yield Gap(
                f"{Kind.CONTRACT_ENDED}:{key}", Kind.CONTRACT_ENDED, None, text, one.ends_ms, "a contract that runs"
            )
    for one in _found(facts.flows):
        if not one.declared:
            text = f"{one.name}: data goes there since {stamp(one.seen_ms)}, and nobody declared it"
            key = f"{Kind.UNDECLARED_FLOW}:{one.name}:{one.seen_ms}"
            yield Gap(key, Kind.UNDECLARED_FLOW, None, text, one.seen_ms, "declare the flow, or end it")
    for one in _found(facts.release):
        if approved_release is not None and one.name != approved_release:
            text = f"release {one.name} runs; {approved_release} was approved"
            key = f"{Kind.RELEASE_CHANGED}:{one.name}"
            yield Gap(key, Kind.RELEASE_CHANGED, None, text, None, "a decision about what runs now")


def _found(look: Look | None) -> tuple[Any, ...]:
    return () if look is None else look.found


def _unseen(facts: Facts, now_ms: int) -> Iterator[Gap]:
    for name, (_, what) in PARTS.items():
        look: Look | None = getattr(facts, name)
        told = look is not None and (bool(look.found) or name != "release")  # something runs always
        if told and look is not None and look.fresh(now_ms):
            continue
        when = "" if look is None else f" since {stamp(look.at_ms)}"
        yield Gap(
            f"{Kind.NOT_EVALUATED}:{name}",
            Kind.NOT_EVALUATED,
            None,
            f"Not evaluated: {what} was not looked at{when}",
            None if look is None else look.at_ms,
            "look again",
        )


def stamp(at_ms: int) -> str:
    """A time as it stands in a gap: the same on every machine."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
