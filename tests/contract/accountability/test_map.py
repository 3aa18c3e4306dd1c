"""The kept map, on SQLite and on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from fileroom import errors, migrations
from fileroom.accountability import map_schema
from fileroom.accountability.decision import AcceptedGap, Decision, Verdict
from fileroom.accountability.facts import Account, Facts, Look
from fileroom.accountability.map import Maps
from fileroom.accountability.rows import REQUIRED, Person, Role, Row
from fileroom.accountability.versions import day
from fileroom.audit import reading
from fileroom.database import Database
from tests.support.responsibility import DAY_MS, DEPUTY, RELEASE, facts, person, row


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def now() -> int:
    return int(time.time() * 1000)


def today(role: Role, **changed: object) -> Row:
    reviewed = day(now())
    return row(role, **({"reviewed": reviewed, "next_review": reviewed + timedelta(days=365)} | changed))


def fill(maps: Maps) -> Facts:
    """Every role is named and accepted; all is in order for the next hours."""
    for role in REQUIRED:
        made = maps.propose(today(role), "tests")
        maps.accept(role, today(role).person, "signed on paper", "tests")
    return facts(made, now())


def decision(**changed: object) -> Decision:
    values: dict[str, object] = {
        "subject": "",
        "system": "",
        "verdict": Verdict.APPROVE,
        "by": person("Pat Moe"),
        "reviewed_by": DEPUTY,
        "why": "all is in order",
        "evidence_root": "0" * 64,
        "map_number": 0,
        "map_digest": "",
        "release": RELEASE,
        "conditions": (),
        "gaps": (),
        "at_ms": 0,
    }
    return Decision(**(values | changed))  # type: ignore[arg-type]


def test_from_nothing_to_going_live_and_back(database: Database) -> None:
    maps = Maps(database)
    assert not maps.kept().may_go_live(Facts(), now()).yes
    known = fill(maps)
    assert maps.kept().gaps(known, now()) == ()
    assert maps.kept().may_go_live(known, now()).reasons == ("nobody has decided",)
    made = maps.decide(decision(), known, "tests")
    assert made.reviewed_by == row(Role.EVIDENCE).person
    assert maps.kept().decisions == (made,)
    assert maps.kept().may_go_live(known, now()).yes

    disabled = replace(known, accounts=Look(now(), (Account(row().person.mail, now() - DAY_MS),)))
    (gap,) = maps.kept().gaps(disabled, now())
    since = datetime.fromtimestamp((gap.since_ms or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    assert gap.text == f"Backup owner: Jane Doe's account is disabled since {since}"
    assert maps.kept().may_go_live(disabled, now()).reasons == (gap.text,)
    lived_with = (AcceptedGap(gap.key, gap.text, DEPUTY, now() + DAY_MS),)
    maps.decide(decision(gaps=lived_with), disabled, "tests")
    assert maps.kept().may_go_live(disabled, now()).yes
    maps.decide(decision(verdict=Verdict.REJECT, why="no more"), known, "tests")
    assert not maps.kept().may_go_live(known, now()).yes
    assert len(maps.kept().decisions) == 3


def test_a_changed_row_is_accepted_anew_and_the_map_before_stays_in_force(database: Database) -> None:
    maps = Maps(database)
    fill(maps)
    before = maps.kept().newest
    maps.propose(today(Role.BACKUP, contact="+1 555 0199"), "tests")
    kept = maps.kept()
    assert kept.newest is not None
    assert before is not None
    assert kept.newest.number == before.number + 1
    assert kept.in_force(now()) == before
    maps.accept(Role.BACKUP, row().person, "signed on paper", "tests")
    assert maps.kept().in_force(now()) == kept.newest


def test_nobody_accepts_for_somebody_else_or_what_they_did_not_read(database: Database) -> None:
    maps = Maps(database)
    with pytest.raises(errors.NotFound, match="nobody is named"):
        maps.accept(Role.BACKUP, row().person, "signed on paper", "tests")
    read = today(Role.BACKUP)
    maps.propose(read, "tests")
    with pytest.raises(errors.Forbidden, match="only Jane Doe"):
        maps.accept(Role.BACKUP, DEPUTY, "signed on paper", "tests")
    maps.propose(today(Role.BACKUP, contact="+1 555 0199"), "tests")
    with pytest.raises(errors.Superseded):
        maps.accept(Role.BACKUP, row().person, "signed on paper", "tests", seen=read.digest)
    maps.propose(today(Role.DATA, person=Person("Ann Roe", "ann.roe@example.org", "7")), "tests")
    with pytest.raises(errors.Forbidden):  # the address alone is not the account
        maps.accept(Role.DATA, person("Ann Roe"), "signed in", "tests")
    assert maps.kept().acceptances == ()


def test_of_two_who_change_the_same_version_one_is_told(database: Database) -> None:
    maps = Maps(database)
    maps.propose(today(Role.BACKUP), "tests", seen=0)
    with pytest.raises(errors.Superseded):
        maps.propose(today(Role.DATA), "tests", seen=0)
    assert len(maps.kept().versions) == 1


def test_maps_of_other_systems_are_apart(database: Database) -> None:
    maps = Maps(database)
    maps.propose(today(Role.BACKUP), "tests", "Example Cloud")
    assert maps.kept().versions == ()
    assert len(maps.kept("Example Cloud").versions) == 1


def test_every_act_is_a_line_of_the_ledger(database: Database) -> None:
    maps = Maps(database)
    known = fill(maps)
    maps.decide(decision(), known, "tests")
    with pytest.raises(errors.Forbidden):
        maps.decide(decision(by=row(Role.EVIDENCE).person), known, "tests")
    with database.read() as connection:
        told = [one.event.detail for one in reading.entries(connection) if one.event is not None]
    assert len(told) == 13
    assert told[-1].startswith("decision: approve by pat.moe@example.org")


@pytest.mark.parametrize("table", ["map_version", "map_acceptance", "decision"])
def test_what_was_written_is_not_changed_or_removed(database: Database, table: str) -> None:
    maps = Maps(database)
    maps.decide(decision(), fill(maps), "tests")
    for statement in (f"UPDATE {table} SET document = '{{}}'", f"DELETE FROM {table}"):
        with pytest.raises(sa.exc.DBAPIError), database.write() as connection:
            connection.execute(sa.text(statement))


def test_a_row_that_was_changed_below_is_found(database: Database) -> None:
    maps = Maps(database)
    maps.propose(today(Role.BACKUP), "tests")
    with database.read() as connection:
        document, digest = connection.execute(
            sa.select(map_schema.map_version.c.document, map_schema.map_version.c.digest)
        ).one()
    changed = {"id": 1, "system": "", "number": 9, "document": document.replace("Jane", "Joan"), "digest": digest}
    with database.write() as connection:
        connection.execute(sa.insert(map_schema.map_version), [changed])
    with pytest.raises(errors.DamagedLedger, match="not what was written"):
        maps.kept()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE map_version SET document = '{}'",
        "DELETE FROM map_acceptance",
        "INSERT OR REPLACE INTO map_version SELECT id + 1, system, number, '{}', digest FROM map_version",
    ],
)
def test_what_was_proposed_and_accepted_is_not_changed_removed_or_replaced(database: Database, statement: str) -> None:
    maps, one = Maps(database), today(Role.BACKUP)
    maps.propose(one, "tests")
    maps.accept(Role.BACKUP, one.person, "signed on paper", "tests")
    if "OR REPLACE" in statement and not database.is_sqlite:
        pytest.skip("only SQLite replaces a row on its way in")
    with pytest.raises(sa.exc.DatabaseError, match="added, never changed"), database.write() as connection:
        connection.exec_driver_sql(statement)
