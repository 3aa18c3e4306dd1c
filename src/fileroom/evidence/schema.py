"""The table of observations: records, added and never changed. Triggers refuse what an accident would do; whoever may
drop a trigger is found out by the signatures.

Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import event

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

_REFUSAL = "observations are added, never changed"


def fence(dialect: str) -> list[str]:
    """The statements that make the table refuse every change but a new row."""
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        same = "check_id = NEW.check_id AND site = NEW.site AND number = NEW.number"
        taken = f"EXISTS (SELECT 1 FROM observation WHERE {same})"  # INSERT OR REPLACE deletes without a trigger
        return [
            f"CREATE TRIGGER observation_no_update BEFORE UPDATE ON observation {refuse}",
            f"CREATE TRIGGER observation_no_delete BEFORE DELETE ON observation {refuse}",
            f"CREATE TRIGGER observation_no_replace BEFORE INSERT ON observation WHEN {taken} {refuse}",
        ]
    return [
        "CREATE OR REPLACE FUNCTION observation_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER observation_no_change BEFORE UPDATE OR DELETE ON observation "
        "FOR EACH ROW EXECUTE FUNCTION observation_refuse()",
        "CREATE TRIGGER observation_no_truncate BEFORE TRUNCATE ON observation "
        "FOR EACH STATEMENT EXECUTE FUNCTION observation_refuse()",
    ]


@event.listens_for(observation, "after_create")
def _put_up_fence(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    for statement in fence(connection.dialect.name):
        connection.exec_driver_sql(statement)
