"""The table of observations: records, added and never changed. Triggers refuse what an accident would do; whoever may
drop a trigger is found out by the signatures.

Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.append_only import append_only
from fileroom.audit.schema import TEXT
from fileroom.database import METADATA

observation = sa.Table(
    "observation",
    METADATA,
    sa.Column("check_id", TEXT, primary_key=True),
    sa.Column("site", TEXT, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # of this check and site: 1, 2, 3 ...
    sa.Column("observed_ms", sa.BigInteger, nullable=False),
    sa.Column("collected_ms", sa.BigInteger, nullable=False),
    sa.Column("grade", TEXT, nullable=False),
    sa.Column("facts", TEXT, nullable=False),  # canonical JSON
    sa.Column("signature", TEXT, nullable=False),  # a line of a signed note, see audit.note
)

append_only(observation, "observations")
