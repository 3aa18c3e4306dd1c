"""Questions to the ledger, on SQLite and on PostgreSQL."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from fileroom import migrations
from fileroom.audit.event import Event, Kind, Outcome
from fileroom.audit.inquiry import Asked, all_lines, find
from fileroom.audit.ledger import Ledger
from fileroom.audit.table import pieces
from fileroom.database import Database
from tests.support.tampering import view

AT = 1_700_000_000_000


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def event(outcome: Outcome, act: str, study: str, objects: int | None = None, kind: Kind = Kind.VIEW) -> Event:
    return Event(kind, AT, "reader", patient_id="DEMO-1", study_uid=study, outcome=outcome, act=act, objects=objects)


def positions(database: Database, asked: Asked) -> list[int]:
    return [one.position for one in find(database, asked).happenings]


def test_each_narrowing_finds_its_lines_the_newest_first(database: Database) -> None:
    Ledger(database).record([view(number) for number in range(12)])
    assert positions(database, Asked()) == list(range(11, -1, -1))
    assert positions(database, Asked(patient_id="DEMO-1")) == [11, 6, 1]
    assert positions(database, Asked(study_uid="1.2.3.7")) == [7]
    assert positions(database, Asked(who="reader-2")) == [11, 8, 5, 2]
    assert positions(database, Asked(patient_id="DEMO-1", who="reader-0")) == [6]
    assert positions(database, Asked(patient_id="DEMO-1", study_uid="1.2.3.7")) == []
    assert positions(database, Asked(since_ms=AT + 3, until_ms=AT + 5)) == [4, 3]
    assert positions(database, Asked(kind=Kind.STORE)) == []


def test_older_ones_follow_without_a_gap(database: Database) -> None:
    Ledger(database).record([view(number) for number in range(1203)])
    for asked, wanted in ((Asked(), 1203), (Asked(patient_id="DEMO-1"), 241)):
        found, before = [], None
        while True:
            answer = find(database, asked, before=before, limit=100)
            found += [one.position for one in answer.happenings]
            if (before := answer.before) is None:
                break
        assert len(found) == wanted
        assert found == sorted(set(found), reverse=True)


def test_an_act_and_its_end_are_one(database: Database) -> None:
    Ledger(database).record(
        [
            event(Outcome.BEGUN, "aa", "1.2"),
            event(Outcome.BEGUN, "bb", "1.2"),
            event(Outcome.DONE, "aa", "1.2", 57),
            event(Outcome.BEGUN, "cc", "1.2", kind=Kind.STORE),
            event(Outcome.BEGUN, "cc", "1.3", kind=Kind.STORE),
            event(Outcome.DONE, "cc", "1.3", 9, kind=Kind.STORE),
            event(Outcome.DONE, "cc", "", 1, kind=Kind.STORE)._replace(patient_id=""),
        ]
    )
    first_page = find(database, Asked(), limit=2)
    assert [one.position for one in first_page.happenings] == [4, 3]
    stored, single = first_page.happenings
    assert (stored.end and stored.end.objects, single.end and single.end.objects) == (9, 1)
    interrupted, looked = find(database, Asked(), before=first_page.before).happenings
    assert interrupted.end is None
    assert (looked.position, looked.end and looked.end.objects) == (0, 57)  # though its end is on a newer page


def test_the_file_holds_every_line_and_runs_no_formula(database: Database) -> None:
    Ledger(database).record([view(1), view(1)._replace(who="=1+1", detail='says "so", twice')])
    text = b"".join(pieces(all_lines(database, Asked(patient_id="DEMO-1")))).decode()
    newest, oldest = csv.DictReader(io.StringIO(text))
    assert (newest["who"], newest["detail"], oldest["who"]) == ("'=1+1", 'says "so", twice', "reader-1")
