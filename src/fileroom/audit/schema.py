"""The ledger's tables. `ledger` and `ledger_checkpoint` are records, which nothing changes: triggers refuse it. That is
a fence against accidents; whoever may drop a trigger is found out by the tree.

`ledger_outbox` holds lines that are durable and have no place yet: written in the transaction of the act itself, moved
to the ledger by whoever sequences. `ledger_about` is a shadow, to find the lines about a patient or a study.
Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import event

from fileroom.database import METADATA

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # the row's own address on SQLite

ledger = sa.Table(
    "ledger",
    METADATA,
    sa.Column("position", KEY, primary_key=True, autoincrement=False),  # in the tree, from 0, without gaps
    sa.Column("line", sa.LargeBinary, nullable=False),  # the event, see audit.event: the leaf of the tree
    sa.Column("node", sa.LargeBinary, nullable=False),  # of the tree, see audit.tree
)

ledger_checkpoint = sa.Table(
    "ledger_checkpoint",
    METADATA,
    sa.Column("size", KEY, primary_key=True, autoincrement=False),  # lines
    sa.Column("note", TEXT, nullable=False),  # signed, see audit.note
    sa.Column("made_ms", sa.BigInteger, nullable=False),
)

ledger_outbox = sa.Table(
    "ledger_outbox",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=True),  # the order they go to the ledger in
    sa.Column("line", sa.LargeBinary, nullable=False),
)

ledger_about = sa.Table(
    "ledger_about",
    METADATA,
    sa.Column("subject", TEXT, primary_key=True),  # see audit.subjects
    sa.Column("position", KEY, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

_REFUSAL = "lines of the ledger are added, never changed"


def fence(table: str, key: str, dialect: str) -> list[str]:
    """The statements that make a table refuse every change but a new row."""
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # INSERT OR REPLACE deletes without a trigger
        return [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}",
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]


@event.listens_for(ledger, "after_create")
@event.listens_for(ledger_checkpoint, "after_create")
def _put_up_fence(table: sa.Table, connection: sa.Connection, **_: object) -> None:
    (key,) = table.primary_key.columns
    for statement in fence(table.name, key.name, connection.dialect.name):
        connection.exec_driver_sql(statement)
