"""A responsibility map with fictitious people, and facts about them that are all in order."""

from __future__ import annotations

from datetime import date

from fileroom.accountability.facts import Account, ContactTest, Facts, Line, Look, Release
from fileroom.accountability.rows import REQUIRED, Owner, Person, Role, Row, Step
from fileroom.accountability.versions import Acceptance, Version

NOW_MS = 1_764_000_000_000  # 2025-11-24T16:00:00Z
DAY_MS = 24 * 3600 * 1000
REVIEWED, NEXT = date(2025, 11, 20), date(2026, 11, 20)
RELEASE = "1.0"
NAMES = {
    Role.SYSTEM: "Sam Poe",
    Role.DATA: "Ann Roe",
    Role.ACCESS: "Bob Coe",
    Role.BACKUP: "Jane Doe",
    Role.SUPPORT: "Kim Noe",
    Role.EVIDENCE: "Eva Loe",
    Role.EXIT: "Max Foe",
}
DEPUTY = Person("Dan Zoe", "dan.zoe@example.org")
STEP = Step("no image opens", "the help desk", "always", "15 minutes", "the system owner", "the provider's gateway")


def person(name: str) -> Person:
    return Person(name, f"{name.replace(' ', '.').lower()}@example.org")


def row(role: Role = Role.BACKUP, **changed: object) -> Row:
    values: dict[str, object] = {
        "role": role,
        "person": person(NAMES[role]),
        "deputy": DEPUTY,
        "organisation": "Example Imaging",
        "owner": Owner.CUSTOMER,
        "contact": "+1 555 0100",
        "out_of_hours": "+1 555 0101",
        "reviewed": REVIEWED,
        "next_review": NEXT,
        "steps": (STEP,) if role is Role.SUPPORT else (),
    }
    return Row(**(values | changed))  # type: ignore[arg-type]


def accepted(one: Row, at_ms: int = NOW_MS - DAY_MS) -> Acceptance:
    return Acceptance(one.role, one.digest, one.person, "signed on paper", at_ms, "tests")


def version(*rows: Row, number: int = 1) -> Version:
    """Every role that has to be there; `rows` take the place of theirs."""
    given = {one.role: one for one in rows}
    found = tuple(given.pop(role, None) or row(role) for role in REQUIRED)
    return Version(number, "", (*found, *given.values()), NOW_MS - 2 * DAY_MS, "tests")


def facts(one: Version, now_ms: int = NOW_MS) -> Facts:
    """Everything was looked at just now, and is as it should be."""
    tests = tuple(
        ContactTest(each.role, line, now_ms - DAY_MS, True, called)
        for each in one.rows
        for line, called in ((Line.CONTACT, each.contact), (Line.OUT_OF_HOURS, each.out_of_hours))
    )
    accounts = tuple(Account(each.person.mail) for each in one.rows)
    empty = Look(now_ms)
    return Facts(Look(now_ms, accounts), Look(now_ms, tests), empty, empty, Look(now_ms, (Release(RELEASE),)))
