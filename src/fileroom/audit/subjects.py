"""Which lines are about a patient or a study, and which say how an act ended. A shadow of the ledger, for finding: no
proof rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from fileroom.audit import schema
from fileroom.database import Change

_COLUMNS = ("subject", "position")
_INSERT = Change(sa.insert(schema.ledger_about).values({name: sa.bindparam(name) for name in _COLUMNS}), _COLUMNS)
_INSERT_LISTS = "INSERT INTO ledger_about (subject, position) SELECT * FROM unnest(%s::text[], %s::bigint[])"


def of_patient(patient_id: str) -> str:
    """The subject that is a patient."""
    return f"p{patient_id}"


def of_study(study_uid: str) -> str:
    """The subject that is a study."""
    return f"s{study_uid}"


def of_act(act: str) -> str:
    """The subject that is the end of an act."""
    return f"a{act}"


def insert_subjects(connection: sa.Connection, lines: Sequence[bytes], first: int) -> None:
    """Note what lines are about that were added from position `first` on."""
    rows: list[tuple[str, int]] = []
    for position, line in enumerate(lines, first):
        said = orjson.loads(line)
        if patient_id := said.get("patient_id"):
            rows.append((of_patient(patient_id), position))
        if study_uid := said.get("study_uid"):
            rows.append((of_study(study_uid), position))
        if (act := said.get("act")) and said.get("outcome") != "begun":
            rows.append((of_act(act), position))
    if connection.dialect.name == "sqlite":
        _INSERT.run(connection, rows)
    elif rows:
        lists: Any = tuple(map(list, zip(*rows, strict=True)))
        connection.exec_driver_sql(_INSERT_LISTS, lists)
