"""The rows of the responsibility map: for each role exactly one person, who stands in, and how both are reached.

A person is never a team, a shared mailbox or a company: what everybody answers for, nobody does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from fileroom.accountability.canonical import digest
from fileroom.errors import BadRequest
from fileroom.evidence.check import Role

__all__ = [
    "CHECKS_MAX",
    "REQUIRED",
    "STEPS_MAX",
    "TEXT_MAX",
    "TITLES",
    "Owner",
    "Person",
    "Role",
    "Row",
    "Step",
    "checked",
    "named",
    "plain",
    "read",
    "shared",
    "text",
]

TEXT_MAX = 200  # characters
STEPS_MAX = 20
CHECKS_MAX = 200


REQUIRED = (Role.SYSTEM, Role.DATA, Role.ACCESS, Role.BACKUP, Role.SUPPORT, Role.EVIDENCE)
TITLES = {role: role.value.replace("-", " ").capitalize() for role in Role} | {
    Role.ACCESS: "Access-review owner",
    Role.BACKUP: "Backup owner",
    Role.EVIDENCE: "Vendor-evidence reviewer",
}


class Owner(StrEnum):
    """Whose work it is."""

    PROVIDER = "provider"
    CUSTOMER = "customer"
    THIRD_PARTY = "third-party"
    PROVIDER_CUSTOMER = "shared-provider-customer"
    PROVIDER_THIRD_PARTY = "shared-provider-third-party"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Person:
    """One human being."""

    name: str
    mail: str
    id: str = ""  # of their account; empty as long as there is none

    def same(self, other: Person) -> bool:
        """Whether both may be one human being: the account, the address or the name is the same."""
        ids = bool(self.id) and self.id == other.id
        return ids or self.mail.casefold() == other.mail.casefold() or self.name.casefold() == other.name.casefold()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the support path."""

    symptom: str
    first_call: str
    hours: str
    response: str  # the time in which somebody answers
    escalation: str = ""
    passes_to: str = ""  # where responsibility passes on


@dataclass(frozen=True, slots=True)
class Row:
    """One role and who answers for it."""

    role: Role
    person: Person
    deputy: Person | None
    organisation: str
    owner: Owner
    contact: str
    out_of_hours: str
    reviewed: date  # in UTC, as is the next
    next_review: date
    checks: tuple[str, ...] = ()  # ids of those it answers for
    steps: tuple[Step, ...] = ()  # the support path, in order

    @property
    def digest(self) -> str:
        """What an acceptance is bound to: a row changed afterwards is a row that nobody accepted."""
        return digest(plain(self))


def plain(row: Row) -> dict[str, object]:
    """The row as JSON values."""
    told = asdict(row)
    told["reviewed"], told["next_review"] = row.reviewed.isoformat(), row.next_review.isoformat()
    told["checks"], told["steps"] = list(row.checks), [asdict(step) for step in row.steps]
    return told | {"role": row.role.value, "owner": row.owner.value}


def read(told: Mapping[str, object]) -> Row:
    """The row that `plain` told, as it was kept: what is refused today may have been allowed then.

    Raises BadRequest.
    """
    try:
        values = dict(told)
        values["role"], values["owner"] = Role(str(told["role"])), Owner(str(told["owner"]))
        values["person"] = Person(**told["person"])  # type: ignore[arg-type]  # a wrong one is a TypeError
        values["deputy"] = None if told["deputy"] is None else Person(**told["deputy"])  # type: ignore[arg-type]
        values["reviewed"] = date.fromisoformat(str(told["reviewed"]))
        values["next_review"] = date.fromisoformat(str(told["next_review"]))
        values["checks"] = tuple(told["checks"])  # type: ignore[arg-type]
        values["steps"] = tuple(Step(**step) for step in told["steps"])  # type: ignore[attr-defined]
        return Row(**values)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRequest("not a row of a responsibility map") from error


def checked(row: Row) -> Row:
    """The row, tidied. Raises BadRequest, which says what to write instead."""
    person = named(row.person, row.organisation)
    deputy = None if row.deputy is None else named(row.deputy, row.organisation)
    if deputy is not None and person.same(deputy):
        raise BadRequest("the deputy is the same person", hint="somebody else has to stand in")
    if row.next_review <= row.reviewed:
        raise BadRequest("the next review is not after the last one")
    if len(row.steps) > STEPS_MAX or len(row.checks) > CHECKS_MAX:
        raise BadRequest(f"a row has at most {STEPS_MAX} steps and {CHECKS_MAX} checks")
    steps = tuple(
        Step(
            **{
                name: text(value, f"the support path's {name.replace('_', ' ')}", name in ("escalation", "passes_to"))
                for name, value in asdict(step).items()
            }
        )
        for step in row.steps
    )
    return Row(
        role=row.role,
        person=person,
        deputy=deputy,
        organisation=text(row.organisation, "the organisation"),
        owner=row.owner,
        contact=text(row.contact, "the contact"),
        out_of_hours=text(row.out_of_hours, "the out-of-hours contact"),
        reviewed=row.reviewed,
        next_review=row.next_review,
        checks=tuple(sorted({text(check, "a check's id") for check in row.checks})),
        steps=steps,
    )


def text(value: str, what: str, may_be_empty: bool = False) -> str:
    """One line of text, tidied. Raises BadRequest."""
    tidy = " ".join(str(value).split())
    if not (tidy or may_be_empty) or len(tidy) > TEXT_MAX or not tidy.isprintable():
        raise BadRequest(f"{what} has 1 to {TEXT_MAX} printable characters")
    return tidy


_NAME = re.compile(r"[^\W\d_][\w .,'’()-]*")
_MAIL = re.compile(r"[^@\s<>\"(),:;\\\[\]]{1,64}@[\w-]+(\.[\w-]+)*")
# Words that no person is called, but teams, desks and companies are.
_TEAM = frozenset(
    re.findall(
        r"\w+",
        "team teams department dept group helpdesk desk servicedesk support office staff committee administrators "
        "admins hospital clinic practice radiology vendor provider company inc llc ltd gmbh corp corporation",
    )
)
_TEAM_UPPER = frozenset(("IT", "AG", "PACS", "NOC", "SOC"))  # "It" is a name
# Mailboxes that many read.
_SHARED = frozenset(
    re.findall(
        r"\w+",
        "it help info admin administrator administrators service security privacy noreply reply no do not root "
        "postmaster webmaster hostmaster abuse contact mail hello sales billing oncall on call ops operations "
        "compliance pacs frontdesk front reception itsupport ithelpdesk itservice itteam pacsadmin everyone all",
    )
)


def named(person: Person, organisation: str = "") -> Person:
    """The person, tidied. Raises BadRequest when it is a team, a shared mailbox or a company."""
    name, mail = text(person.name, "a person's name"), text(person.mail, "a person's mail address")
    if _NAME.fullmatch(name) is None:
        raise BadRequest(f"{name!r} is not a person's name", hint="letters, spaces and . , ' - ( )")
    words = re.split(r"[^\w]+", name)
    company = bool(organisation) and name.casefold() == " ".join(organisation.split()).casefold()
    if company or any(word.casefold() in _TEAM or word in _TEAM_UPPER for word in words):
        raise BadRequest(
            f"{name!r} is a team or a company, and a role is answered for by one person",
            hint="name the one person who would be called; put the others into the support path",
        )
    if _MAIL.fullmatch(mail) is None:
        raise BadRequest(f"{mail!r} is not a mail address", hint="as in jane.doe@example.org")
    if shared(mail):
        raise BadRequest(
            f"{mail!r} looks like a mailbox that many read, and a role is answered for by one person",
            hint="the person's own address; the shared one may be the contact",
        )
    return Person(name, mail, text(person.id, "a person's id", may_be_empty=True))


def shared(mail: str) -> bool:
    """Whether an address is of a mailbox that many read, as far as its name tells."""
    local = mail.partition("@")[0].partition("+")[0].casefold()
    words = [word for word in re.split(r"[._\d-]+", local) if word]
    return any(word in _TEAM for word in words) or all(word in _SHARED for word in words)
