"""A database administrator who rewrites the ledger: drops the fence, and may make the tree anew."""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.audit import schema
from fileroom.audit.event import Event, Kind
from fileroom.audit.tree import Range, leaf_hash
from fileroom.database import Database

Row = tuple[int, bytes, bytes]


def view(number: int) -> Event:
    """One look at a study, each another."""
    who, patient = f"reader-{number % 3}", f"DEMO-{number % 5}"
    return Event(Kind.VIEW, 1_700_000_000_000 + number, who, patient_id=patient, study_uid=f"1.2.3.{number}")


def all_rows(database: Database) -> list[Row]:
    """The ledger's rows in order."""
    columns = (schema.ledger.c.position, schema.ledger.c.line, schema.ledger.c.node)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(schema.ledger.c.position))]


def rechained(lines: list[bytes]) -> list[Row]:
    """Rows that agree with each other, whatever was there before."""
    grown = Range()
    return [(position, line, grown.append(leaf_hash(line))) for position, line in enumerate(lines)]


def drop_fence(database: Database) -> None:
    """Take the triggers away, as whoever owns the tables may."""
    with database.write() as connection:
        for table in ("ledger", "ledger_checkpoint"):
            if database.is_sqlite:
                for name in ("update", "delete", "replace"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{name}")
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


def rewrite(database: Database, rows: list[Row], *, without_checkpoints: bool = False) -> None:
    """Replace the ledger by these rows."""
    drop_fence(database)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM ledger")
        if without_checkpoints:
            connection.exec_driver_sql("DELETE FROM ledger_checkpoint")
        if rows:
            names = ("position", "line", "node")
            connection.execute(sa.insert(schema.ledger), [dict(zip(names, row, strict=True)) for row in rows])
