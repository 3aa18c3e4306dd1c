"""The index: rows for patients, studies, series and instances, written in batches inside one transaction.

Reads what it needs, decides, writes; whoever commits the transaction owns the promise. Two processes may write at
once: on SQLite the write lock is held from the start, on PostgreSQL a lost race shows as IntegrityError and the caller
runs the batch again after `forget`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.arrival import Arrival, HeldKey, Outcome, Verdict
from fileroom.archive.batch import COLUMNS, Batch, Row
from fileroom.archive.belonging import belongs
from fileroom.database import Ids, Lookup
from fileroom.dicom.attributes import Level

DECIDED = "decided"  # the kind of a held object that no longer waits for a person
_LAST_DECISION = "last decision"  # the kind of the row that tells whether rows were changed by a person

_KEPT_MAX = 20_000  # rows remembered between batches, a level

_P, _S, _E, _I, _H = schema.patient.c, schema.study.c, schema.series.c, schema.instance.c, schema.held.c
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)


def _values_of(level: Level, table: sa.Table) -> list[sa.Column[Any]]:
    return [table.c[column] for column in COLUMNS[level]]


def _places(c: Any, kind: sa.ColumnElement[str]) -> sa.Select[Any]:
    columns = (c.sop_uid, c.digest, c.transfer_syntax, c.pack_id, c.offset, c.prefix_bytes, c.size_bytes)
    return sa.select(*columns, kind).where(c.sop_uid.in_(_KEYS))


_KNOWN = Lookup(
    sa.union_all(
        _places(_I, sa.literal_column("''").label("kind")),
        _places(_H, sa.case((_H.verdict.is_(None), _H.kind), else_=sa.literal_column(f"'{DECIDED}'"))),
        sa.select(
            *(sa.literal_column("''") for _ in range(3)),
            sa.func.coalesce(sa.func.max(schema.held_decision.c.id), sa.literal_column("0")),
            *(sa.literal_column("0") for _ in range(3)),
            sa.literal_column(f"'{_LAST_DECISION}'"),
        ),
    )
)
_TAKEN = Lookup(sa.union_all(sa.select(_I.id).where(_I.id.in_(_KEYS)), sa.select(_H.id).where(_H.id.in_(_KEYS))))
_PATIENTS = Lookup(
    sa.select(_P.identity, _P.id, *_values_of(Level.PATIENT, schema.patient)).where(_P.identity.in_(_KEYS))
)
_STUDIES = Lookup(
    sa.select(_S.study_uid, _S.id, _P.identity, _S.site, _S.patient_pk, *_values_of(Level.STUDY, schema.study))
    .join(schema.patient, _P.id == _S.patient_pk)
    .where(_S.study_uid.in_(_KEYS))
)
_SERIES = Lookup(  # a series UID may stand in two studies: the pair counts
    sa.select(_E.study_pk, _E.series_uid, _E.id, *_values_of(Level.SERIES, schema.series)).where(
        _E.series_uid.in_(_KEYS)
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object's bytes lie, and what they are."""

    digest: str
    transfer_syntax: str
    pack_id: int
    offset: int
    prefix_bytes: int
    size_bytes: int

    def holds(self, arrival: Arrival) -> bool:
        """Whether it is the same object: the same bytes, meant the same way."""
        return self.digest == arrival.digest and self.transfer_syntax == arrival.transfer_syntax


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds under some SOP Instance UIDs."""

    places: dict[str, Place]  # by SOP Instance UID
    held: dict[HeldKey, str]  # to the kind of hold, or DECIDED


class Index:
    """Writes arrivals to the index. One thread at a time; remembers rows between batches to save look-ups."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._patients: dict[str, Row] = {}
        self._studies: dict[str, Row] = {}
        self._series: dict[tuple[int, str], Row] = {}
        self._decision = 0  # the last one known of
        self._stale = False  # a decision changed rows, perhaps remembered ones

    def forget(self) -> None:
        """Drop what is remembered: after a rollback, or when others may have removed rows."""
        for kept in (self._patients, self._studies, self._series):
            kept.clear()

    def known(self, connection: sa.Connection, sop_uids: Iterable[str]) -> Known:
        """What is here already under these SOP Instance UIDs."""
        known = Known({}, {})
        for uid, digest, *place, kind in _KNOWN.rows(connection, list(sop_uids)):
            if kind == _LAST_DECISION:
                self._stale = self._stale or place[1] != self._decision
                self._decision = place[1]
            elif kind:
                known.held[uid, digest, place[0]] = kind
            else:
                known.places[uid] = Place(digest, *place)
        return known

    def record(self, connection: sa.Connection, arrivals: Sequence[Arrival], *, checked: bool = False) -> list[Verdict]:
        """Write the arrivals, in order, and say what became of each.

        `checked`: the caller knows that no SOP Instance UID among them is in the index unless marked so.
        Raises IntegrityError when another process was faster; nothing is then kept once the caller rolls back.
        """
        if not arrivals:
            return []
        known: dict[str, Place] = {}
        if not checked:
            known = self.known(connection, {a.sop_uid for a in arrivals}).places
            self._renumber(connection, arrivals, known)
        self._load(connection, arrivals)
        batch = Batch(int(time.time() * 1000))
        verdicts = [self._place(connection, arrival, known, batch) for arrival in arrivals]
        batch.write(connection)
        return verdicts

    def _load(self, connection: sa.Connection, arrivals: Sequence[Arrival]) -> None:
        """Remember every row the batch will ask for."""
        if self._stale:
            self._stale = False
            self.forget()
        self._trim()
        studies = {a.study_uid for a in arrivals if a.study_uid not in self._studies}
        for uid, pk, identity, site, patient_pk, *values in _STUDIES.rows(connection, list(studies)):
            self._studies[uid] = Row(pk, _missing(Level.STUDY, values), identity, site, patient_pk)
        identities = {identity for a in arrivals if (identity := a.identity) not in self._patients}
        for identity, pk, *values in _PATIENTS.rows(connection, list(identities)):
            self._patients[identity] = Row(pk, _missing(Level.PATIENT, values))
        wanted = set()
        for a in arrivals:
            study = self._studies.get(a.study_uid)
            if study is not None and (study.pk, a.series_uid) not in self._series:
                wanted.add(a.series_uid)
        for study_pk, uid, pk, *values in _SERIES.rows(connection, list(wanted)):
            self._series[study_pk, uid] = Row(pk, _missing(Level.SERIES, values))

    def _renumber(self, connection: sa.Connection, arrivals: Sequence[Arrival], known: dict[str, Place]) -> None:
        """Give another key to an arrival whose own is taken: two processes made the same one."""
        new = [a for a in arrivals if (place := known.get(a.sop_uid)) is None or not place.holds(a)]
        taken = {key for (key,) in _TAKEN.rows(connection, [arrival.sequence for arrival in new])}
        for arrival in new:
            if arrival.sequence in taken:
                arrival.sequence = self._ids.next()
            taken.add(arrival.sequence)

    def _trim(self) -> None:
        for kept in (self._patients, self._studies, self._series):
            if len(kept) > _KEPT_MAX:
                kept.clear()

    def _place(self, connection: sa.Connection, arrival: Arrival, known: dict[str, Place], batch: Batch) -> Verdict:
        place = known.get(arrival.sop_uid)
        if arrival.repairs and (place is None or place.holds(arrival)):
            batch.repair(arrival)
            return Verdict(Outcome.DUPLICATE)
        if place is not None and place.holds(arrival):
            return Verdict(Outcome.DUPLICATE)
        if place is not None or arrival.conflict:
            self._hold(connection, arrival, "conflict", batch)
            return Verdict(Outcome.CONFLICT, "another object with this SOP Instance UID is here")
        study = self._studies.get(arrival.study_uid)
        if study is not None and study.site != arrival.site:
            self._hold(connection, arrival, "site", batch)
            return Verdict(Outcome.HELD, "its study belongs to another site")
        if (
            study is not None
            and study.identity != arrival.identity
            and not self._kin(connection, arrival, study, batch)
        ):
            self._hold(connection, arrival, "patient", batch)
            return Verdict(Outcome.HELD, "its study belongs to another patient")
        known[arrival.sop_uid] = Place(
            arrival.digest,
            arrival.transfer_syntax,
            arrival.pack_id,
            arrival.offset,
            arrival.prefix_bytes,
            arrival.size_bytes,
        )
        self._add(arrival, study, batch)
        return Verdict(Outcome.STORED)

    def _kin(self, connection: sa.Connection, arrival: Arrival, study: Row, batch: Batch) -> bool:
        """Whether an object that names no issuer is of the study's patient all the same."""
        if not arrival.leaves_issuer_open(study.identity):
            return False
        return belongs(connection, arrival, study.patient_pk, batch.of_patient(study.patient_pk))

    def _hold(self, connection: sa.Connection, arrival: Arrival, kind: str, batch: Batch) -> None:
        """Keep a record of an object for a person to decide about, once however often it is sent."""
        key = arrival.held_key
        if key not in batch.held and key not in self.known(connection, [arrival.sop_uid]).held:
            batch.hold(arrival, kind)

    def file(self, connection: sa.Connection, arrival: Arrival) -> None:
        """Write one arrival to its study whatever patient or site that belongs to, as a person decided.

        Its SOP Instance UID is not in the index. Raises IntegrityError as `record` does.
        """
        self._load(connection, [arrival])
        batch = Batch(int(time.time() * 1000))
        self._add(arrival, self._studies.get(arrival.study_uid), batch)
        batch.write(connection)

    def _add(self, arrival: Arrival, study: Row | None, batch: Batch) -> None:
        identity = arrival.identity
        patient = self._patients.get(identity)
        if study is not None and study.identity != identity:
            patient = None  # filed by a decision, or without an issuer: it tells nothing about the study's patient
        elif patient is None:
            patient = self._patients[identity] = Row(self._ids.next(), _absent(arrival, Level.PATIENT))
            batch.add_patient(patient, identity, arrival)
        elif patient.missing:
            batch.fill(Level.PATIENT, patient, arrival)
        if study is None:
            assert patient is not None
            study = Row(self._ids.next(), _absent(arrival, Level.STUDY), identity, arrival.site, patient.pk)
            self._studies[arrival.study_uid] = study
            batch.add_study(study, arrival)
        elif study.missing:
            batch.fill(Level.STUDY, study, arrival)
        key = (study.pk, arrival.series_uid)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Row(self._ids.next(), _absent(arrival, Level.SERIES))
            batch.add_series(series, study, arrival)
        elif series.missing:
            batch.fill(Level.SERIES, series, arrival, study)
        batch.add_instance(series, study, arrival)


_ALL = {level: frozenset(columns) for level, columns in COLUMNS.items()}


def _absent(arrival: Arrival, level: Level) -> frozenset[str]:
    return _ALL[level].difference(arrival.values)


def _missing(level: Level, values: Sequence[object]) -> frozenset[str]:
    return frozenset(column for column, value in zip(COLUMNS[level], values, strict=True) if value is None)
