"""What a patient, study or series row says, worked out again after one of its objects was exchanged, added or taken.

The rule is that of every arrival: of each value the first one wins, in the order the objects arrived in. Objects that
name another patient than their study's were put there by a person, or name no issuer where their study's does; they
tell nothing about the patient, but the objects they replaced still do.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Arrival
from fileroom.archive.batch import COLUMNS, with_folds
from fileroom.archive.kept import Kept, Served, former_object, read_back, served_below
from fileroom.archive.packs import Packs
from fileroom.archive.word_maker import renew_words
from fileroom.dicom.attributes import Level

_READ = 200  # objects looked up at a time
# Patient ID and issuer are who the patient is (see Arrival.identity): no object of the patient says otherwise
_SETTLED = {level: tuple(c for c in columns if c not in ("patient_id", "issuer")) for level, columns in COLUMNS.items()}
_TABLES = {Level.PATIENT: schema.patient, Level.STUDY: schema.study, Level.SERIES: schema.series}


def settle(
    connection: sa.Connection,
    packs: Packs,
    rows: Served,
    before: Arrival | None,
    after: Arrival | None,
    *,
    everything: bool = False,
) -> None:
    """Set what these rows say, now that an object no longer says `before` but `after`; None: it was, or is, not there.

    Reads headers until every value that may have changed is found: mostly one. `everything`: nobody knows what the
    object said before, so every value may have changed.
    """
    identity = connection.execute(
        sa.select(schema.patient.c.identity).where(schema.patient.c.id == rows.patient_pk)
    ).scalar_one()
    for level, key in ((Level.PATIENT, rows.patient_pk), (Level.STUDY, rows.study_pk), (Level.SERIES, rows.series_pk)):
        whose = identity if level is Level.PATIENT else None
        old, new = (_witness(connection, packs, one, whose) for one in (before, after))
        changed = [c for c in _SETTLED[level] if everything or _value(old, c) != _value(new, c)]
        if changed:
            _set(connection, packs, level, key, changed, whose)
            if "modality" in changed:
                set_modalities(connection, rows.study_pk)
            studies = (
                schema.study.c.patient_pk == rows.patient_pk
                if level is Level.PATIENT
                else schema.study.c.id == rows.study_pk
            )
            renew_words(connection, studies)


def _value(arrival: Arrival | None, column: str) -> str | None:
    return None if arrival is None else arrival.values.get(column)


def _witness(connection: sa.Connection, packs: Packs, arrival: Arrival | None, identity: str | None) -> Arrival | None:
    """Who tells about a patient in an object's place: itself, or what it replaced when it names somebody else."""
    if arrival is None or identity in (None, arrival.identity):
        return arrival
    former = former_object(connection, arrival.sop_uid)
    told = None if former is None else _read(packs, former)
    return told if told is not None and told.identity == identity else None


def _read(packs: Packs, kept: Kept) -> Arrival | None:
    try:
        return read_back(packs, kept)
    except (errors.DamagedPack, errors.RefusedObject):
        return None  # what can no longer be read tells nothing


def _set(
    connection: sa.Connection, packs: Packs, level: Level, key: int, columns: list[str], identity: str | None
) -> None:
    found: dict[str, str | None] = dict.fromkeys(columns)
    missing = set(columns)
    for one in _below(connection, packs, level, key):
        arrival = _witness(connection, packs, one, identity)
        for column in [c for c in missing if arrival is not None and c in arrival.values]:
            found[column] = _value(arrival, column)
            missing.discard(column)
        if not missing:
            break
    table = _TABLES[level]
    connection.execute(sa.update(table).where(table.c.id == key).values(dict(with_folds(level, found))))


def _below(connection: sa.Connection, packs: Packs, level: Level, key: int) -> Iterator[Arrival | None]:
    """The objects under a row, in order of arrival."""
    above = {
        Level.PATIENT: schema.study.c.patient_pk == key,
        Level.STUDY: schema.series.c.study_pk == key,
        Level.SERIES: schema.instance.c.series_pk == key,
    }[level]
    after = 0
    while found := served_below(connection, above, after, _READ):
        yield from (_read(packs, one.kept) for one in found)
        after = found[-1].instance_pk


def set_modalities(connection: sa.Connection, study_pk: int) -> None:
    """Have a study say which modalities its series are of."""
    series, study = schema.series.c, schema.study
    names = sa.select(series.modality).where(series.study_pk == study_pk, series.modality.is_not(None)).distinct()
    text = "\\".join(sorted(str(name) for name in connection.execute(names).scalars()))
    connection.execute(sa.update(study).where(study.c.id == study_pk).values(modalities=text))
