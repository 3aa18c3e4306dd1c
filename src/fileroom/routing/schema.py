"""The tables of what goes out. All are records: truth of their own, which `rebuild-index` never touches. They speak of
studies and objects by UID, since the index's keys do not outlive a rebuild.

Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.archive.schema import KEY, TEXT
from fileroom.database import METADATA

send = sa.Table(
    "send",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),  # rises with time
    sa.Column("study_uid", TEXT, nullable=False, index=True),
    sa.Column("destination", TEXT, nullable=False),  # AE title of a peer, which may have been removed since
    sa.Column("requested_by", TEXT, nullable=False),  # a person, or `rule NAME`
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("state", TEXT, nullable=False),  # waiting | sending | done | failed | cancelled
    sa.Column("attempts", sa.Integer, nullable=False),  # in a row that delivered nothing, the one under way included
    sa.Column("total", sa.Integer, nullable=False),  # objects
    sa.Column("sent", sa.Integer, nullable=False),  # objects the peer said it has
    sa.Column("failed", sa.Integer, nullable=False),  # objects that are not tried again by themselves
    sa.Column("last_error", TEXT),  # for a person
    sa.Column("next_ms", sa.BigInteger, nullable=False),  # of the next attempt, while waiting
    sa.Column("ended_ms", sa.BigInteger),  # done, failed or cancelled
    sa.Index("ix_send_state", "state", "next_ms"),
)

# What a send has yet to deliver, and what was refused. A row goes when the peer has its object.
send_object = sa.Table(
    "send_object",
    METADATA,
    sa.Column("send_id", sa.ForeignKey("send.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),  # in the order they are sent in, from 0
    sa.Column("sop_uid", TEXT, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),  # that ended in doubt, or in a refusal of the moment
    sa.Column("failed", sa.Boolean, nullable=False),  # not tried again by itself
    sa.Column("status", sa.Integer),  # of the peer's last C-STORE response about it
    sa.Column("reason", TEXT),  # for a person
)

forward_rule = sa.Table(
    "forward_rule",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("name", TEXT, nullable=False, unique=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("destination", TEXT, nullable=False),  # AE title
    sa.Column("modalities", TEXT, nullable=False),  # joined by backslash; empty: any
    sa.Column("sources", TEXT, nullable=False),  # calling AE titles, joined by backslash; empty: any
    sa.Column("station", TEXT, nullable=False),  # contained in the station name; empty: any
    sa.Column("institution", TEXT, nullable=False),  # contained in the institution name; empty: any
    sa.Column("description", TEXT, nullable=False),  # contained in a description or the body part; empty: any
    sa.Column("since", sa.BigInteger, nullable=False),  # it is for objects whose key is larger than this
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("sends", sa.BigInteger, nullable=False),  # that it, alone or with others, had queued
    sa.Column("last_send_ms", sa.BigInteger),  # when the last of them was
)

# How far the rules have been applied: one row. Every object with a key up to `through` has had its turn.
forward_progress = sa.Table(
    "forward_progress",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # 1
    sa.Column("through", sa.BigInteger, nullable=False),
)

# The same for series with objects beyond that: a row goes when `forward_progress` has passed it.
forward_series = sa.Table(
    "forward_series",
    METADATA,
    sa.Column("study_uid", TEXT, primary_key=True),
    sa.Column("series_uid", TEXT, primary_key=True),
    sa.Column("through", sa.BigInteger, nullable=False),  # every object of it with a key up to this has had its turn
    sa.Column("objects", sa.Integer, nullable=False),  # that the series held then
)
