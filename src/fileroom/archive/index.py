"""The index: rows for patients, studies, series and instances, written in batches inside one transaction.

Reads what it needs, decides, writes; whoever commits the transaction owns the promise. Two processes may write at
once: on SQLite the write lock is held from the start, on PostgreSQL a lost race shows as IntegrityError and the caller
runs the batch again after `forget`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.arrival import Arrival, Outcome, Verdict
from fileroom.database import Ids
from fileroom.dicom.attributes import Level, Matching, at_level
from fileroom.dicom.names import fold_name

T = TypeVar("T")

_KEPT_MAX = 20_000  # rows remembered between batches, a level
_CHUNK = 500  # keys in one IN list


def value_columns(level: Level) -> tuple[str, ...]:
    """The columns of a level that are copied from the object, in table order."""
    keys = ("study_uid", "series_uid", "sop_uid", "sop_class_uid")
    return tuple(a.column for a in at_level(level) if a.scanned and a.column not in keys)


_COLUMNS = {level: value_columns(level) for level in Level}
_NAMES = {level: tuple(a.column for a in at_level(level) if a.matching is Matching.NAME) for level in Level}
_TABLES = {Level.PATIENT: schema.patient, Level.STUDY: schema.study, Level.SERIES: schema.series}

_INSTANCES = sa.select(
    schema.instance.c.sop_uid, schema.instance.c.digest, sa.literal("", sa.Text).label("kind")
).where(schema.instance.c.sop_uid.in_(sa.bindparam("uids", expanding=True)))
_HELD = sa.select(schema.held.c.sop_uid, schema.held.c.digest, schema.held.c.kind).where(
    schema.held.c.sop_uid.in_(sa.bindparam("uids", expanding=True))
)
_KNOWN = sa.union_all(_INSTANCES, _HELD)
_PATIENTS = sa.select(schema.patient).where(schema.patient.c.identity.in_(sa.bindparam("keys", expanding=True)))
_STUDIES = (
    sa.select(schema.study, schema.patient.c.identity)
    .join(schema.patient, schema.patient.c.id == schema.study.c.patient_pk)
    .where(schema.study.c.study_uid.in_(sa.bindparam("keys", expanding=True)))
)
_SERIES = sa.select(schema.series).where(
    schema.series.c.study_pk.in_(sa.bindparam("studies", expanding=True)),
    schema.series.c.series_uid.in_(sa.bindparam("keys", expanding=True)),
)
_HIDDEN = sa.select(schema.hidden_study.c.study_uid).where(
    schema.hidden_study.c.study_uid.in_(sa.bindparam("keys", expanding=True))
)
_GROW_STUDY = (
    sa.update(schema.study)
    .where(schema.study.c.id == sa.bindparam("key"))
    .values(
        series_count=schema.study.c.series_count + sa.bindparam("more_series"),
        instance_count=schema.study.c.instance_count + sa.bindparam("more"),
        size_bytes=schema.study.c.size_bytes + sa.bindparam("more_bytes"),
        revision=schema.study.c.revision + 1,
        updated_ms=sa.bindparam("now"),
    )
)
_GROW_SERIES = (
    sa.update(schema.series)
    .where(schema.series.c.id == sa.bindparam("key"))
    .values(
        instance_count=schema.series.c.instance_count + sa.bindparam("more"),
        revision=schema.series.c.revision + 1,
        updated_ms=sa.bindparam("now"),
    )
)
_GROW_PATIENT = (
    sa.update(schema.patient)
    .where(schema.patient.c.id == sa.bindparam("key"))
    .values(study_count=schema.patient.c.study_count + sa.bindparam("more"))
)
_MODALITIES = (
    sa.select(schema.series.c.study_pk, schema.series.c.modality)
    .where(schema.series.c.study_pk.in_(sa.bindparam("studies", expanding=True)), schema.series.c.modality.is_not(None))
    .distinct()
)
_SET_MODALITIES = (
    sa.update(schema.study)
    .where(schema.study.c.id == sa.bindparam("key"))
    .values(modalities=sa.bindparam("modalities_text"))
)


@dataclass(slots=True)
class _Row:
    """What is remembered of a patient, study or series row."""

    pk: int
    missing: frozenset[str]  # value columns that are NULL and may be filled by a later object
    identity: str = ""
    site: str = ""
    patient_pk: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds under some SOP Instance UIDs."""

    digests: dict[str, str]  # SOP Instance UID to dataset digest
    held: dict[tuple[str, str], str]  # (SOP Instance UID, digest) to the kind of hold


class Index:
    """Writes arrivals to the index. One thread at a time; remembers rows between batches to save look-ups."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._patients: dict[str, _Row] = {}
        self._studies: dict[str, _Row] = {}
        self._series: dict[tuple[int, str], _Row] = {}

    def forget(self) -> None:
        """Drop what is remembered: after a rollback, or when others may have removed rows."""
        for kept in (self._patients, self._studies, self._series):
            kept.clear()

    def known(self, connection: sa.Connection, sop_uids: Iterable[str]) -> Known:
        """What is here already under these SOP Instance UIDs."""
        known = Known({}, {})
        for chunk in _chunks(list(sop_uids)):
            for uid, digest, kind in connection.execute(_KNOWN, {"uids": chunk}):
                if kind:
                    known.held[uid, digest] = kind
                else:
                    known.digests[uid] = digest
        return known

    def record(self, connection: sa.Connection, arrivals: Sequence[Arrival], *, checked: bool = False) -> list[Verdict]:
        """Write the arrivals, in order, and say what became of each.

        `checked`: the caller knows that no SOP Instance UID among them is in the index unless marked a conflict.
        Raises IntegrityError when another process was faster; nothing is then kept once the caller rolls back.
        """
        if not arrivals:
            return []
        known = {} if checked else self.known(connection, {a.sop_uid for a in arrivals}).digests
        self._load(connection, arrivals)
        batch = _Batch(int(time.time() * 1000))
        verdicts = [self._place(connection, arrival, known, batch) for arrival in arrivals]
        self._write(connection, batch)
        return verdicts

    def _load(self, connection: sa.Connection, arrivals: Sequence[Arrival]) -> None:
        """Remember every row the batch will ask for."""
        self._trim()
        study_uids = {a.study_uid for a in arrivals if a.study_uid not in self._studies}
        for chunk in _chunks(list(study_uids)):
            for row in connection.execute(_STUDIES, {"keys": chunk}).mappings():
                self._studies[row["study_uid"]] = _Row(
                    row["id"], _missing(row, Level.STUDY), row["identity"], row["site"], row["patient_pk"]
                )
        identities = {a.identity for a in arrivals} - self._patients.keys()
        for chunk in _chunks(list(identities)):
            for row in connection.execute(_PATIENTS, {"keys": chunk}).mappings():
                self._patients[row["identity"]] = _Row(row["id"], _missing(row, Level.PATIENT))
        wanted = set()
        for a in arrivals:
            study = self._studies.get(a.study_uid)
            if study is not None and (study.pk, a.series_uid) not in self._series:
                wanted.add((study.pk, a.series_uid))
        for pairs in _chunks(list(wanted)):
            found = connection.execute(
                _SERIES, {"studies": list({s for s, _ in pairs}), "keys": list({u for _, u in pairs})}
            )
            for row in found.mappings():
                self._series[row["study_pk"], row["series_uid"]] = _Row(row["id"], _missing(row, Level.SERIES))

    def _trim(self) -> None:
        for kept in (self._patients, self._studies, self._series):
            if len(kept) > _KEPT_MAX:
                kept.clear()

    def _place(self, connection: sa.Connection, arrival: Arrival, known: dict[str, str], batch: _Batch) -> Verdict:
        digest = known.get(arrival.sop_uid)
        if digest == arrival.digest:
            return Verdict(Outcome.DUPLICATE)
        if digest is not None or arrival.conflict:
            self._hold(connection, arrival, "conflict", batch)
            return Verdict(Outcome.CONFLICT, "another object with this SOP Instance UID is here")
        study = self._studies.get(arrival.study_uid)
        if study is not None and study.site != arrival.site:
            self._hold(connection, arrival, "site", batch)
            return Verdict(Outcome.HELD, "its study belongs to another site")
        if study is not None and study.identity != arrival.identity:
            self._hold(connection, arrival, "patient", batch)
            return Verdict(Outcome.HELD, "its study belongs to another patient")
        known[arrival.sop_uid] = arrival.digest
        self._add(arrival, study, batch)
        return Verdict(Outcome.STORED)

    def _hold(self, connection: sa.Connection, arrival: Arrival, kind: str, batch: _Batch) -> None:
        """Keep a record of an object for a person to decide about, once however often it is sent."""
        key = (arrival.sop_uid, arrival.digest)
        if key not in batch.held and key not in self.known(connection, [arrival.sop_uid]).held:
            batch.held[key] = _held_row(arrival, kind)

    def _add(self, arrival: Arrival, study: _Row | None, batch: _Batch) -> None:
        identity = arrival.identity
        patient = self._patients.get(identity)
        if patient is None:
            patient = self._patients[identity] = _Row(self._ids.next(), _absent(arrival, Level.PATIENT))
            batch.patients.append({"id": patient.pk, "identity": identity} | _values(arrival, Level.PATIENT))
        elif patient.missing:
            batch.fill(Level.PATIENT, patient, arrival)
        if study is None:
            study = _Row(self._ids.next(), _absent(arrival, Level.STUDY), identity, arrival.site, patient.pk)
            self._studies[arrival.study_uid] = study
            batch.add_study(study, arrival)
        elif study.missing:
            batch.fill(Level.STUDY, study, arrival)
        key = (study.pk, arrival.series_uid)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Row(self._ids.next(), _absent(arrival, Level.SERIES))
            batch.add_series(series, study, arrival)
        elif series.missing:
            batch.fill(Level.SERIES, series, arrival)
        batch.add_instance(series, study, arrival)

    def _write(self, connection: sa.Connection, batch: _Batch) -> None:
        if batch.studies:
            hidden = {
                uid
                for chunk in _chunks([row["study_uid"] for row in batch.studies])
                for (uid,) in connection.execute(_HIDDEN, {"keys": chunk})
            }
            for row in batch.studies:
                row["hidden"] = row["study_uid"] in hidden
        for table, rows in (
            (schema.patient, batch.patients),
            (schema.study, batch.studies),
            (schema.series, batch.series),
            (schema.instance, batch.instances),
            (schema.held, list(batch.held.values())),
        ):
            if rows:
                connection.execute(sa.insert(table), rows)
        batch.grow(connection)


class _Batch:
    """Rows to insert and counts to raise, gathered before anything is written."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.patients: list[dict[str, object]] = []
        self.studies: list[dict[str, object]] = []
        self.series: list[dict[str, object]] = []
        self.instances: list[dict[str, object]] = []
        self.held: dict[tuple[str, str], dict[str, object]] = {}
        self._new_studies: dict[int, dict[str, object]] = {}
        self._fills: list[tuple[Level, int, dict[str, str]]] = []
        self._study_series: Counter[int] = Counter()
        self._study_instances: Counter[int] = Counter()
        self._study_bytes: Counter[int] = Counter()
        self._series_instances: Counter[int] = Counter()
        self._patient_studies: Counter[int] = Counter()

    def add_study(self, study: _Row, arrival: Arrival) -> None:
        self.studies.append(
            {
                "id": study.pk,
                "patient_pk": study.patient_pk,
                "study_uid": arrival.study_uid,
                "arrived_ms": arrival.arrived_ms,
                "updated_ms": self.now_ms,
                **_values(arrival, Level.STUDY),
            }
        )
        self._patient_studies[study.patient_pk] += 1

    def add_series(self, series: _Row, study: _Row, arrival: Arrival) -> None:
        self.series.append(
            {
                "id": series.pk,
                "study_pk": study.pk,
                "series_uid": arrival.series_uid,
                "updated_ms": self.now_ms,
                **_values(arrival, Level.SERIES),
            }
        )
        self._study_series[study.pk] += 1

    def add_instance(self, series: _Row, study: _Row, arrival: Arrival) -> None:
        self.instances.append(
            {
                "id": arrival.sequence,
                "series_pk": series.pk,
                "sop_uid": arrival.sop_uid,
                "sop_class_uid": arrival.sop_class_uid,
                "transfer_syntax": arrival.transfer_syntax,
                "digest": arrival.digest,
                "pack_id": arrival.pack_id,
                "offset": arrival.offset,
                "prefix_bytes": arrival.prefix_bytes,
                "size_bytes": arrival.size_bytes,
                "image": arrival.image,
                "source": arrival.source,
                "arrived_ms": arrival.arrived_ms,
                **_values(arrival, Level.IMAGE),
            }
        )
        self._study_instances[study.pk] += 1
        self._study_bytes[study.pk] += arrival.size_bytes
        self._series_instances[series.pk] += 1

    def fill(self, level: Level, row: _Row, arrival: Arrival) -> None:
        """Fill columns of a remembered row that were empty until now; what is there stays."""
        new = {c: arrival.values[c] for c in row.missing if c in arrival.values}
        if new:
            row.missing -= new.keys()
            self._fills.append((level, row.pk, new))

    def grow(self, connection: sa.Connection) -> None:
        """Raise the counts of the rows the new ones belong to."""
        now = self.now_ms
        if self._patient_studies:
            grown = sorted(self._patient_studies.items())
            connection.execute(_GROW_PATIENT, [{"key": key, "more": more} for key, more in grown])
        if self._study_instances:
            connection.execute(
                _GROW_STUDY,
                [
                    {
                        "key": key,
                        "more": more,
                        "more_series": self._study_series[key],
                        "more_bytes": self._study_bytes[key],
                        "now": now,
                    }
                    for key, more in sorted(self._study_instances.items())
                ],
            )
            grown = sorted(self._series_instances.items())
            connection.execute(_GROW_SERIES, [{"key": key, "more": more, "now": now} for key, more in grown])
        if self._study_series:
            self._set_modalities(connection)
        for level, key, new in self._fills:
            self._fill_row(connection, level, key, new)

    def _set_modalities(self, connection: sa.Connection) -> None:
        """After the study rows were updated, and so locked: no other writer's series can be missed."""
        found: dict[int, set[str]] = {key: set() for key in self._study_series}
        for chunk in _chunks(list(found)):
            for key, modality in connection.execute(_MODALITIES, {"studies": chunk}):
                found[key].add(modality)
        connection.execute(
            _SET_MODALITIES,
            [{"key": key, "modalities_text": "\\".join(sorted(names))} for key, names in sorted(found.items())],
        )

    @staticmethod
    def _fill_row(connection: sa.Connection, level: Level, key: int, new: dict[str, str]) -> None:
        table = _TABLES[level]
        changes = {column: sa.func.coalesce(table.c[column], value) for column, value in _with_folds(level, new)}
        connection.execute(sa.update(table).where(table.c.id == key).values(changes))


def _values(arrival: Arrival, level: Level) -> dict[str, object]:
    """A level's value columns for an insert, with folded names and the site."""
    values = arrival.values
    row: dict[str, object] = {column: values.get(column) for column in _COLUMNS[level]}
    for column in _NAMES[level]:
        name = values.get(column)
        row[f"{column}_fold"] = None if name is None else fold_name(name)
    row["site"] = arrival.site
    return row


def _with_folds(level: Level, new: dict[str, str]) -> Iterable[tuple[str, str]]:
    for column, value in new.items():
        yield column, value
        if column in _NAMES[level]:
            yield f"{column}_fold", fold_name(value)


def _absent(arrival: Arrival, level: Level) -> frozenset[str]:
    return frozenset(column for column in _COLUMNS[level] if column not in arrival.values)


def _missing(row: sa.RowMapping, level: Level) -> frozenset[str]:
    return frozenset(column for column in _COLUMNS[level] if row[column] is None)


def _held_row(arrival: Arrival, kind: str) -> dict[str, object]:
    names = ("site", "sop_uid", "series_uid", "study_uid", "sop_class_uid", "transfer_syntax", "digest", "pack_id")
    more = ("offset", "prefix_bytes", "size_bytes", "source", "arrived_ms")
    return {"id": arrival.sequence, "kind": kind} | {name: getattr(arrival, name) for name in (*names, *more)}


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    for at in range(0, len(items), _CHUNK):
        yield items[at : at + _CHUNK]
