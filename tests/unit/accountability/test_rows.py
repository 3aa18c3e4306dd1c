"""The rows of a map: one person for each role."""

from __future__ import annotations

import pytest

from fileroom.accountability.rows import Owner, Person, Role, checked, named, plain, read
from fileroom.errors import BadRequest
from tests.support.responsibility import NEXT, REVIEWED, row

TEAMS = [
    "IT",
    "IT Team",
    "Radiology Department",
    "Help Desk",
    "PACS Admins",
    "Example Imaging Inc.",
    "Support",
    "Staff",
]
SHARED = ["it@", "helpdesk@", "it-support@", "radiology.team@", "pacs.admin@", "info@", "service-desk2@", "no-reply@"]


@pytest.mark.parametrize("name", TEAMS)
def test_a_team_or_a_company_is_no_person(name: str) -> None:
    with pytest.raises(BadRequest, match="one person") as caught:
        named(Person(name, "jane.doe@example.org"))
    assert "name the one person" in caught.value.hint


@pytest.mark.parametrize("mail", SHARED)
def test_a_mailbox_that_many_read_is_no_person(mail: str) -> None:
    with pytest.raises(BadRequest, match="many read"):
        named(Person("Jane Doe", f"{mail}example.org"))


@pytest.mark.parametrize("name", ["Jane Doe", "It Nguyen", "Zoë O’Brien-Müller", "J. Doe (MD)", "李 明", "Suharto"])
def test_a_person_is_taken(name: str) -> None:
    for mail in ("jane.doe@example.org", "it.nguyen@example.org", "helper@example.org", "jdoe+it@example.org"):
        assert named(Person(name, mail)) == Person(name, mail)


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+Jane", "@Jane", "-Jane", "<b>Jane</b>", 'Jane"Doe', "Jane\x1b[2J", "Jane\u202eDoe", "", " ", "J" * 201],
)
def test_a_name_cannot_be_a_formula_markup_or_steer_a_terminal(name: str) -> None:
    with pytest.raises(BadRequest):
        named(Person(name, "jane.doe@example.org"))


@pytest.mark.parametrize("mail", ["jane", "jane@", "@example.org", "a b@example.org", "<a@example.org>", "a@b@c"])
def test_an_address_is_one(mail: str) -> None:
    with pytest.raises(BadRequest):
        named(Person("Jane Doe", mail))


def test_the_organisation_itself_is_no_person() -> None:
    with pytest.raises(BadRequest, match="a company"):
        named(Person("Example  Imaging", "jane.doe@example.org"), "example imaging")


def test_the_deputy_is_somebody_else() -> None:
    one = row()
    for deputy in (Person(one.person.name.upper(), "x.y@example.org"), Person("Other", one.person.mail.upper())):
        with pytest.raises(BadRequest, match="same person"):
            checked(row(deputy=deputy))


def test_a_review_comes_after_the_last_one() -> None:
    with pytest.raises(BadRequest, match="not after"):
        checked(row(reviewed=NEXT, next_review=NEXT))
    assert checked(row()).reviewed == REVIEWED


def test_a_row_is_told_and_read_again() -> None:
    for one in (row(), row(Role.SUPPORT, deputy=None, owner=Owner.PROVIDER_CUSTOMER, checks=("b", "a"))):
        assert read(plain(one)) == one
        assert checked(checked(one)) == checked(one)


@pytest.mark.parametrize(
    "changed", [{"role": "king"}, {"person": None}, {"steps": [{"x": 1}]}, {"next_review": "soon"}]
)
def test_what_is_no_row_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        read(plain(row()) | changed)


def test_every_change_of_a_row_changes_what_was_accepted() -> None:
    digests = {
        row().digest,
        row(contact="+1 555 0199").digest,
        row(deputy=None).digest,
        row(owner=Owner.PROVIDER).digest,
        row(person=Person("Jane Doe", "jane.doe@example.org", "7")).digest,
        row(Role.EXIT, person=row().person).digest,
    }
    assert len(digests) == 6
