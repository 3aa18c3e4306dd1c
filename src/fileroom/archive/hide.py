"""A study stored by mistake: out of every answer, kept, reversible. A record, so that a rebuilt index hides it too."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.whose import patient_ids
from fileroom.audit.actor import UNNAMED, now_ms
from fileroom.audit.event import Event, Kind
from fileroom.audit.outbox import put
from fileroom.database import Database


@dataclass(frozen=True, slots=True)
class HiddenStudy:
    """One study that is out of every answer."""

    study_uid: str
    reason: str
    hidden_by: str
    hidden_ms: int  # since 1970 UTC


def hide(database: Database, study_uid: str, reason: str, hidden_by: str) -> bool:
    """Take a study out of every answer; False when it was hidden already. Raises NotFound, DatabaseUnavailable."""
    record = schema.hidden_study
    with database.write() as connection:
        if _set_hidden(connection, study_uid, hidden=True) == 0:
            raise errors.NotFound(
                "no such study here", hint="the Study Instance UID is needed, not the accession number"
            )
        if connection.execute(sa.select(record.c.study_uid).where(record.c.study_uid == study_uid)).first():
            return False
        row = {"study_uid": study_uid, "reason": reason, "hidden_by": hidden_by, "hidden_ms": int(time.time() * 1000)}
        connection.execute(sa.insert(record), [row])
        _tell(connection, study_uid, hidden_by, "hidden", reason)
    return True


def unhide(database: Database, study_uid: str, by: str = UNNAMED) -> None:
    """Bring a hidden study back. Raises NotFound when it is not hidden, DatabaseUnavailable."""
    record = schema.hidden_study
    with database.write() as connection:
        if connection.execute(sa.delete(record).where(record.c.study_uid == study_uid)).rowcount == 0:
            raise errors.NotFound("this study is not hidden", hint="see what is: fileroom hide --list")
        _set_hidden(connection, study_uid, hidden=False)
        _tell(connection, study_uid, by, "brought back", "")


def hidden_studies(database: Database) -> list[HiddenStudy]:
    """Every hidden study, newest first. Raises DatabaseUnavailable."""
    record = schema.hidden_study
    with database.read() as connection:
        return [HiddenStudy(*row) for row in connection.execute(sa.select(record).order_by(record.c.hidden_ms.desc()))]


def hidden_study(database: Database, study_uid: str) -> HiddenStudy | None:
    """The record of a hidden study; None when it is not hidden. Raises DatabaseUnavailable."""
    record = schema.hidden_study
    with database.read() as connection:
        row = connection.execute(sa.select(record).where(record.c.study_uid == study_uid)).first()
    return None if row is None else HiddenStudy(*row)


def _set_hidden(connection: sa.Connection, study_uid: str, *, hidden: bool) -> int:
    study = schema.study
    changes = {"hidden": hidden, "revision": study.c.revision + 1}
    return connection.execute(sa.update(study).where(study.c.study_uid == study_uid).values(changes)).rowcount


def _tell(connection: sa.Connection, study_uid: str, who: str, what: str, why: str) -> None:
    patient_id = patient_ids(connection, [study_uid]).get(study_uid, "")
    put(
        connection,
        [Event(Kind.HIDE, now_ms(), who, patient_id=patient_id, study_uid=study_uid, why=why, detail=what)],
    )
