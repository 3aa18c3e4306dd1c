"""What a server's ledger says, read straight from its database."""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.audit import schema
from fileroom.audit.event import Event, Kind, read
from fileroom.audit.outbox import sequence
from fileroom.audit.reading import rows
from fileroom.audit.verify import verify
from fileroom.database import Database
from tests.support.doors import Door
from tests.support.fileroom import FileroomServer
from tests.support.ingest import Ledger


def told(server: FileroomServer) -> list[Event]:
    """Every line, in order, those on their way last. Fails when the ledger is not whole."""
    database = Database(server.environment.get("FILEROOM_DATABASE_URL", f"sqlite:///{server.home}/fileroom.sqlite"))
    try:
        with database.read() as connection:
            report = verify(lambda: rows(connection))
            assert report.good, report.findings
        sequence(database)
        with database.read() as connection:
            return [read(line) for line in connection.execute(_LINES).scalars()]
    finally:
        database.close()


def told_by(door: Door) -> list[Event]:
    """The ledger of a door, with what is open and on its way."""
    door.book.looks.end()
    door.book.journal.flush()
    sequence(door.archive.database)
    with door.archive.database.read() as connection:
        return [read(line) for line in connection.execute(_LINES).scalars()]


_LINES = sa.select(schema.ledger.c.line).order_by(schema.ledger.c.position)


def untold(server: FileroomServer, ledger: Ledger) -> set[str]:
    """Studies of which something was acknowledged, and the server's ledger has no line."""
    stored = {event.study_uid for event in told(server) if event.kind is Kind.STORE}
    return {ledger.sent[uid].study_uid for uid in ledger.acknowledged} - stored
