"""What a glance at the ledger tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fileroom import errors, migrations
from fileroom.audit.checkpoints import Checkpoints
from fileroom.audit.event import Event, Kind
from fileroom.audit.health import health
from fileroom.audit.ledger import Ledger
from fileroom.database import Database
from tests.support import tampering

EVENT = Event(Kind.VIEW, 1_700_000_000_000, "reader", patient_id="DEMO-1")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrations.upgrade(database)
    yield database
    database.close()


def test_it_says_how_much_there_is_and_how_much_is_signed_for(database: Database, tmp_path: Path) -> None:
    assert health(database, tmp_path).signed_ms is None
    Ledger(database).record([EVENT] * 7)
    assert (health(database, tmp_path).lines, health(database, tmp_path).signed) == (7, 0)
    Checkpoints(database, tmp_path).make()
    Ledger(database).record([EVENT] * 3)
    found = health(database, tmp_path)
    assert (found.lines, found.signed, found.keyed) == (10, 7, True)
    assert found.signed_ms is not None
    (tmp_path / "ledger" / "key.pub").unlink()
    assert not health(database, tmp_path).keyed


def test_lines_that_were_signed_for_and_are_gone_are_missed(database: Database, tmp_path: Path) -> None:
    Ledger(database).record([EVENT] * 7)
    Checkpoints(database, tmp_path).make()
    tampering.rewrite(database, tampering.all_rows(database)[:5])
    with pytest.raises(errors.DamagedLedger, match="lines 5 to 6"):
        health(database, tmp_path)
