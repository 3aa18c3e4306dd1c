"""The tables of responsibility maps and decisions. Rows are added, never changed: triggers refuse it.

Each holds a document in canonical JSON beside its SHA-256. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.append_only import append_only
from fileroom.audit.schema import KEY, TEXT
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


append_only(map_version, "versions of the map")
append_only(map_acceptance, "acceptances")
append_only(decision, "decisions")
