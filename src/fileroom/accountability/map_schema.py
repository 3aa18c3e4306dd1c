"""The tables of responsibility maps and decisions. Rows are added, never changed: triggers refuse it.

Each holds a document in canonical JSON beside its SHA-256. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import event

from fileroom.audit.schema import KEY, TEXT, fence
from fileroom.database import METADATA

map_version = sa.Table(
    "map_version",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("system", TEXT, nullable=False),  # empty: this one
    sa.Column("number", sa.Integer, nullable=False),  # from 1
    sa.Column("document", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
    sa.UniqueConstraint("system", "number"),  # of two that change the map at once, one is told
)

map_acceptance = sa.Table(
    "map_acceptance",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("system", TEXT, nullable=False, index=True),
    sa.Column("document", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
)

decision = sa.Table(
    "decision",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("system", TEXT, nullable=False, index=True),
    sa.Column("document", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
)


@event.listens_for(map_version, "after_create")
@event.listens_for(map_acceptance, "after_create")
@event.listens_for(decision, "after_create")
def _put_up_fence(table: sa.Table, connection: sa.Connection, **_: object) -> None:
    for statement in fence(table.name, "id", connection.dialect.name):
        connection.exec_driver_sql(statement)
