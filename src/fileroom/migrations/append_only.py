"""The tables that only take new rows: the ledger, observations, the responsibility map and what was decided on it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from fileroom.append_only import fence

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def append_only_tables() -> None:
    """Make them, each behind its fence."""
    _ledger()
    _observation()
    _maps()


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("position", KEY, autoincrement=False, nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("node", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger")),
    )
    op.create_table(
        "ledger_checkpoint",
        sa.Column("size", KEY, autoincrement=False, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_outbox",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_outbox")),
    )
    op.create_table(
        "ledger_about",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("position", KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("subject", "position", name=op.f("pk_ledger_about")),
        sqlite_with_rowid=False,
    )
    _fence("ledger", "lines of the ledger", [["position"]])
    _fence("ledger_checkpoint", "checkpoints of the ledger", [["size"]])


def _observation() -> None:
    op.create_table(
        "observation",
        sa.Column("check_id", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("observed_ms", sa.BigInteger(), nullable=False),
        sa.Column("collected_ms", sa.BigInteger(), nullable=False),
        sa.Column("grade", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.Column("signature", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("check_id", "site", "number", name=op.f("pk_observation")),
    )
    _fence("observation", "observations", [["check_id", "site", "number"]])


def _maps() -> None:
    op.create_table(
        "map_version",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_map_version")),
        sa.UniqueConstraint("system", "number", name=op.f("uq_map_version_system_number")),
    )
    for name in ("map_acceptance", "decision"):
        op.create_table(
            name,
            sa.Column("id", KEY, autoincrement=False, nullable=False),
            sa.Column("system", TEXT, nullable=False),
            sa.Column("document", TEXT, nullable=False),
            sa.Column("digest", TEXT, nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        )
        op.create_index(op.f(f"ix_{name}_system"), name, ["system"], unique=False)
    _fence("map_version", "versions of the map", [["id"], ["system", "number"]])
    _fence("map_acceptance", "acceptances", [["id"]])
    _fence("decision", "decisions", [["id"]])


def _fence(table: str, rows: str, keys: Sequence[Sequence[str]]) -> None:
    for statement in fence(table, rows, keys, op.get_bind().dialect.name):
        op.execute(statement)
