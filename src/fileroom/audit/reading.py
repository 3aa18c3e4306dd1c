"""Reading the ledger, of a running archive or of a copied database file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import exc

from fileroom import errors
from fileroom.audit import schema
from fileroom.audit.event import Event, NotALine, read
from fileroom.audit.ledger import range_of, size
from fileroom.audit.tree import Spans, consistency_path, inclusion_path, leaf_hash, needed, proof, subtree
from fileroom.database import Lookup

_L = schema.ledger.c
_PAGE = 5000  # lines read at one time
_BEFORE_ALL = -(1 << 62)

Row = tuple[int, bytes, bytes]  # position, line, node

# SQLite keeps a value of any type in any column: what somebody put there is read as bytes
LINE, NODE = sa.cast(_L.line, sa.LargeBinary), sa.cast(_L.node, sa.LargeBinary)

_PROOF_ROWS = Lookup(sa.select(_L.position, LINE, NODE).where(_L.position.in_(sa.bindparam("keys", expanding=True))))


class Entry(NamedTuple):
    """One line, as it is read."""

    position: int
    event: Event | None  # None: the line cannot be read, see `fileroom audit verify`
    line: bytes


def rows(connection: sa.Connection, after: int = _BEFORE_ALL) -> Iterator[Row]:
    """Every row behind this position, in order. What is added meanwhile may be among them."""
    query = sa.select(_L.position, LINE, NODE).order_by(_L.position).limit(_PAGE)
    while found := connection.execute(query.where(_L.position > after)).all():
        yield from found
        after = found[-1][0]


def newest(connection: sa.Connection, wanted: Callable[[Event], bool], limit: int) -> list[Entry]:
    """The newest lines that are wanted, and those that cannot be read; the newest first."""
    query = sa.select(_L.position, LINE).order_by(_L.position.desc()).limit(_PAGE)
    kept: list[Entry] = []
    before = 1 << 62
    while found := connection.execute(query.where(_L.position < before)).all():
        for position, line in found:
            entry = _entry(position, line)
            if entry.event is None or wanted(entry.event):
                kept.append(entry)
                if len(kept) == limit:
                    return kept
        before = found[-1][0]
    return kept


def entries(connection: sa.Connection) -> Iterator[Entry]:
    """Every line, the oldest first."""
    for position, line, _ in rows(connection):
        yield _entry(position, line)


def entry(connection: sa.Connection, position: int) -> Entry:
    """One line. Raises NotFound."""
    line = connection.execute(sa.select(LINE).where(_L.position == position)).scalar()
    if line is None:
        raise errors.NotFound(f"the ledger has no line {position}")
    return _entry(position, line)


def _entry(position: int, line: bytes) -> Entry:
    try:
        return Entry(position, read(line), line)
    except NotALine:
        return Entry(position, None, line)


def inclusion(connection: sa.Connection, position: int, size: int) -> list[bytes]:
    """The proof that a line is in the tree over the first `size` lines (RFC 6962 2.1.1).

    Raises ValueError, DamagedLedger.
    """
    return _proof(connection, inclusion_path(position, size))


def consistency(connection: sa.Connection, old: int, new: int) -> list[bytes]:
    """The proof that the tree over the first `old` lines is the beginning of that over `new` (RFC 6962 2.1.2).

    Raises ValueError, DamagedLedger.
    """
    return _proof(connection, consistency_path(old, new))


def _proof(connection: sa.Connection, path: list[Spans]) -> list[bytes]:
    positions = needed(span for spans in path for span in spans)
    found = {row[0]: row for row in _PROOF_ROWS.rows(connection, sorted(positions))}
    if len(found) != len(positions):
        raise errors.DamagedLedger("lines of the ledger are missing", hint="fileroom audit verify")

    def node(start: int, width: int) -> bytes:
        return subtree(start, width, lambda at: found[at][2], lambda at: leaf_hash(found[at][1]))

    return proof(path, node)


def root_of(connection: sa.Connection, lines: int | None = None) -> bytes:
    """The root over the first lines, or over all. Raises DamagedLedger when rows are missing."""
    return range_of(connection, size(connection) if lines is None else lines).root()


@contextmanager
def open_copy(path: Path) -> Iterator[sa.Connection]:
    """A copied SQLite database, only to be read; nothing is written beside it unless its log lies there.

    Raises NotFound, DatabaseUnavailable.
    """
    if not path.is_file():
        raise errors.NotFound(f"{path} is not there")
    log = path.with_name(f"{path.name}-wal")
    address = f"{path.absolute().as_uri()}?mode=ro{'' if log.exists() else '&immutable=1'}"
    engine = sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))
    try:
        with engine.connect() as connection:
            yield connection
    except exc.DatabaseError as error:
        raise errors.DatabaseUnavailable(
            f"{path} cannot be read as a database", hint="a copy made with `fileroom backup` is whole"
        ) from error
    finally:
        engine.dispose()
