"""How the ledger is, at a glance. `fileroom audit verify` reads every line; this reads a few dozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fileroom import errors
from fileroom.audit import schema
from fileroom.audit.checkpoints import FOLDER, PUBLIC, read_verifier
from fileroom.audit.ledger import range_of, size
from fileroom.audit.note import BadNote, Checkpoint
from fileroom.database import Database

_C = schema.ledger_checkpoint.c


@dataclass(frozen=True, slots=True)
class Health:
    """What can be told without reading it all."""

    lines: int
    signed: int  # lines that the last checkpoint covers
    signed_ms: int | None  # when it was made, in ms since 1970 UTC; None: none was
    keyed: bool  # the ledger's key is in the home


def health(database: Database, home: Path) -> Health:
    """How the ledger is. Raises DamagedLedger when it contradicts its last checkpoint, DatabaseUnavailable."""
    verifier = read_verifier(home / FOLDER / PUBLIC)
    with database.read() as connection:
        lines = size(connection)
        range_of(connection, lines)
        last = connection.execute(sa.select(schema.ledger_checkpoint).order_by(_C.size.desc()).limit(1)).one_or_none()
        if last is None:
            return Health(lines, 0, None, verifier is not None)
        try:
            checkpoint = Checkpoint.parse(verifier.check(last.note)) if verifier else Checkpoint.unverified(last.note)
        except BadNote as error:
            raise errors.DamagedLedger(
                "its last checkpoint is not signed with its key", hint="fileroom audit verify"
            ) from error
        if checkpoint.size > lines:
            raise errors.DamagedLedger(
                f"lines {lines} to {checkpoint.size - 1} were signed for, and are gone", hint="fileroom audit verify"
            )
        if range_of(connection, checkpoint.size).root() != checkpoint.root:
            raise errors.DamagedLedger("its lines are not those that were signed for", hint="fileroom audit verify")
    return Health(lines, checkpoint.size, last.made_ms, verifier is not None)
