"""The ledger's tables. `ledger` and `ledger_checkpoint` are records, which nothing changes: triggers refuse it. That is
a fence against accidents; whoever may drop a trigger is found out by the tree.

`ledger_outbox` holds lines that are durable and have no place yet: written in the transaction of the act itself, moved
to the ledger by whoever sequences. `ledger_about` is a shadow, to find the lines about a patient or a study.
Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.append_only import append_only
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

append_only(ledger, "lines of the ledger")
append_only(ledger_checkpoint, "checkpoints of the ledger")
