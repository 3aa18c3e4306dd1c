"""Lines on their way: written where the act is written, given their place in the ledger by whoever sequences.

An act and its line commit together, and nobody waits for the one order over all processes. Until it has its place a
line is as durable as the act; it is not in the tree yet.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from fileroom.audit import schema
from fileroom.audit.event import Event, written
from fileroom.audit.ledger import append_lines, hold
from fileroom.database import Change, Database

AT_ONCE = 2000  # lines given their place in one transaction

_INSERT = Change(sa.insert(schema.ledger_outbox).values(line=sa.bindparam("line")), ("line",))
_SOME = sa.text("SELECT 1 FROM ledger_outbox LIMIT 1")
_TAKE = (
    f"DELETE FROM ledger_outbox WHERE id IN (SELECT id FROM ledger_outbox ORDER BY id LIMIT {AT_ONCE}) "
    "RETURNING id, line"
)


def put(connection: sa.Connection, events: Sequence[Event]) -> None:
    """Have these in the ledger if and when the caller's transaction commits. Raises what `Connection.execute` does."""
    put_lines(connection, [written(event).data for event in events])


def put_lines(connection: sa.Connection, lines: Sequence[bytes]) -> None:
    """As `put`, of events that are written already."""
    _INSERT.run(connection, [(line,) for line in lines])


def waiting(connection: sa.Connection) -> int:
    """How many lines have no place yet."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(schema.ledger_outbox)).scalar_one())


def sequence(database: Database) -> int:
    """Give every line that waits its place; how many. Any process may, at any time.

    Raises DatabaseUnavailable, StorageFull, DamagedLedger; the lines wait on then.
    """
    count = 0
    while True:
        with database.read() as connection:
            if connection.execute(_SOME).first() is None:
                return count
        with database.write() as connection:
            hold(connection)
            taken = sorted(connection.exec_driver_sql(_TAKE).all())
            append_lines(connection, [bytes(line) for _, line in taken])
        count += len(taken)
