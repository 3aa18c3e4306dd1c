"""One database belongs to one folder of packs: both carry the archive's identity, so that none is taken for another.

A database pointed at the wrong home would call every pack gone, and a rebuild there would forget what it knew.
"""

from __future__ import annotations

import os
import uuid

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.packs import Packs, storage_error, sync_folder
from fileroom.database import Database

_FILE = "ARCHIVE-ID"


def bind(database: Database, packs: Packs) -> str:
    """See that these belong together and return the archive's identity; new ones are given one.

    Raises BadSetting when they do not, StorageFull, DatabaseUnavailable.
    """
    here = _read(packs)
    with database.write() as connection:
        known = connection.execute(sa.select(schema.archive.c.id)).scalar()
        if known is None:
            known = here or uuid.uuid4().hex
            connection.execute(sa.insert(schema.archive), [{"id": known}])
        elif here is None and not _belongs(connection, packs):
            raise errors.BadSetting(
                f"none of the packs this database knows are in {packs.folder}",
                hint="check FILEROOM_HOME and FILEROOM_DATABASE_URL: they must be of the same archive",
            )
        elif here not in (None, known):
            raise errors.BadSetting(
                f"this database and the packs in {packs.folder} are of two archives",
                hint="check FILEROOM_HOME and FILEROOM_DATABASE_URL: they must be of the same archive",
            )
        if here is None:
            _write(packs, known)
    return str(known)


def _belongs(connection: sa.Connection, packs: Packs) -> bool:
    """Whether any pack that the database made a promise about is here; True when it made none."""
    if not sa.inspect(connection).has_table(schema.pack.name):
        return True
    ids = connection.execute(sa.select(schema.pack.c.id).where(schema.pack.c.size_bytes > 0)).scalars().all()
    return not ids or not set(ids).isdisjoint(packs.ids())


def _read(packs: Packs) -> str | None:
    try:
        return (packs.folder / _FILE).read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise errors.BadSetting(f"{packs.folder / _FILE} cannot be read: {error}") from error


def _write(packs: Packs, identity: str) -> None:
    unfinished = packs.folder / f"{_FILE}.new"
    try:
        with unfinished.open("w") as file:
            file.write(identity + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(packs.folder / _FILE)
        sync_folder(packs.folder)
    except OSError as error:
        raise storage_error(error) from error
