"""Adding to the ledger: one order of lines over all threads, processes and machines.

Whoever adds holds the ledger until its transaction ends: the write lock on SQLite, an advisory lock on PostgreSQL. So
an act and its event commit together, positions have no gaps, and the tree's state is what the rows say, never what a
process remembers: nothing has to be mended after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from fileroom import errors
from fileroom.audit import schema
from fileroom.audit.event import Event, written
from fileroom.audit.subjects import insert_subjects
from fileroom.audit.tree import HASH_BYTES, Range, leaf_hash, peaks
from fileroom.database import Change, Database, Lookup

_LOCK = 0x6C_65_64_67_65_72  # "ledger": PostgreSQL's advisory lock of whoever adds
_L = schema.ledger.c
_COLUMNS = ("position", "line", "node")

_NODES = Lookup(sa.select(_L.position, _L.node).where(_L.position.in_(sa.bindparam("keys", expanding=True))))
_INSERT = Change(sa.insert(schema.ledger).values({name: sa.bindparam(name) for name in _COLUMNS}), _COLUMNS)
_INSERT_LISTS = (  # one statement whatever the number of rows: PostgreSQL's fastest but for COPY
    f"INSERT INTO ledger ({', '.join(_COLUMNS)}) SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[])"
)


class Ledger:
    """Takes events. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, events: Sequence[Event]) -> int:
        """Add events in a transaction of their own. Returns the first one's position once all survive power loss.

        Raises DatabaseUnavailable, StorageFull, DamagedLedger; none is kept then.
        """
        with self._database.write() as connection:
            return append(connection, events)


def append(connection: sa.Connection, events: Sequence[Event]) -> int:
    """Add events within the caller's transaction: they are kept, in this order, if and when it commits.

    Returns the first one's position. Others that add wait until the transaction ends, so this comes last in it: what
    is written after it is written while everybody waits, and may lock in another order than they do.
    Raises DamagedLedger, and what `Connection.execute` does.
    """
    return append_lines(connection, [written(event).data for event in events])


def append_lines(connection: sa.Connection, lines: Sequence[bytes]) -> int:
    """Add lines as `append` does."""
    hold(connection)
    first = size(connection)
    grown = range_of(connection, first)
    _insert(connection, [(position, data, grown.append(leaf_hash(data))) for position, data in enumerate(lines, first)])
    insert_subjects(connection, lines, first)
    return first


def hold(connection: sa.Connection) -> None:
    """Wait until nobody else adds, and be the one who does until the transaction ends."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def _insert(connection: sa.Connection, rows: list[tuple[int, bytes, bytes]]) -> None:
    if connection.dialect.name == "sqlite":
        _INSERT.run(connection, rows)
    elif rows:
        lists: Any = tuple(map(list, zip(*rows, strict=True)))
        connection.exec_driver_sql(_INSERT_LISTS, lists)


def size(connection: sa.Connection) -> int:
    """How many lines there are."""
    last: int | None = connection.exec_driver_sql("SELECT max(position) FROM ledger").scalar()
    return 0 if last is None else last + 1


def range_of(connection: sa.Connection, size: int) -> Range:
    """The tree over the first lines, as their rows tell. Raises DamagedLedger when rows are missing or damaged."""
    ends = [start + width - 1 for start, width in peaks(size)]
    nodes: dict[int, bytes] = dict(_NODES.rows(connection, ends))
    if len(nodes) != len(ends):
        raise errors.DamagedLedger("lines of the ledger are missing", hint="fileroom audit verify")
    if not all(type(node) is bytes and len(node) == HASH_BYTES for node in nodes.values()):
        raise errors.DamagedLedger("lines of the ledger were changed", hint="fileroom audit verify")
    return Range(size, [nodes[end] for end in ends])
