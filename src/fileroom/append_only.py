"""Tables that only take new rows: the database itself refuses to change, remove or replace one.

A first fence, against accidents: whoever may change the database may take it down. What shows that nobody did are
checkpoints and signatures, elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event


def append_only(table: sa.Table, rows: str) -> None:
    """Have the table put up its fence when it is created. `rows`: what its rows are called when one is refused."""
    unique = [one for one in table.constraints if isinstance(one, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    keys = sorted(([column.name for column in one.columns] for one in unique), key=lambda names: (len(names), names))

    def put_up(_table: sa.Table, connection: sa.Connection, **_: Any) -> None:
        for statement in fence(table.name, rows, keys, connection.dialect.name):
            connection.exec_driver_sql(statement)

    event.listen(table, "after_create", put_up)


def fence(table: str, rows: str, keys: Sequence[Sequence[str]], dialect: str) -> list[str]:
    """The statements of the fence. `keys`: the columns of each constraint by which a row could be replaced."""
    refusal = f"{rows} are added, never changed"
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        same = " OR ".join(" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys)
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # INSERT OR REPLACE deletes without a trigger
        return [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}",
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]
