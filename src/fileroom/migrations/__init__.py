"""How an older database becomes today's: Alembic revisions, one file each in `versions`, applied as commands start.

To change a table: change its room's schema, write a revision, set HEAD. tests/contract/migrations fails until the
tables that the revisions make are those the rooms declare, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from fileroom import errors
from fileroom.database import Database

HEAD = "0001"  # the newest revision

FOLDER = Path(__file__).parent
_LOCK = 0x66_69_6C_65_72_6F_6F_6D  # "fileroom": PostgreSQL's advisory lock while the tables change


def revision(database: Database) -> str | None:
    """The revision the database is at; None when it is empty. Raises DatabaseUnavailable."""
    with database.read() as connection:
        return _revision(connection)


def upgrade(database: Database) -> bool:
    """Bring the tables to HEAD in one durable transaction; True when anything had to change.

    Processes that start at once take turns. Raises BadSetting when a newer Fileroom made the database,
    DatabaseUnavailable, StorageFull.
    """
    if revision(database) == HEAD:
        return False
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        if _revision(connection) == HEAD:
            return False
        _upgrade(connection)
    return True


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: sa.Connection) -> None:
    # Alembic costs a quarter of a second and 12 MB: imported only when there is something to do
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise errors.BadSetting(
            "the database was made by a newer Fileroom", hint="install that version, or one after it"
        ) from error
