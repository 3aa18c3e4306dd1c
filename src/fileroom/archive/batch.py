"""One batch of index changes: rows to insert and counts to raise, gathered in memory, written in few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.arrival import Arrival, HeldKey
from fileroom.database import Change, Lookup
from fileroom.dicom.attributes import Level, Matching, at_level
from fileroom.dicom.names import fold_name

V = TypeVar("V", str, str | None)


def value_columns(level: Level) -> tuple[str, ...]:
    """The columns of a level that are copied from the object, in table order."""
    keys = ("study_uid", "series_uid", "sop_uid", "sop_class_uid")
    return tuple(a.column for a in at_level(level) if a.scanned and a.column not in keys)


COLUMNS = {level: value_columns(level) for level in Level}
_NAMES = {level: tuple(a.column for a in at_level(level) if a.matching is Matching.NAME) for level in Level}

_INSERTS = tuple(
    Change(sa.insert(table)) for table in (schema.patient, schema.study, schema.series, schema.instance, schema.held)
)
_PLACE = ("pack_id", "offset", "prefix_bytes", "size_bytes")
_REPAIR = Change(
    sa.update(schema.instance)
    .where(  # a decision may have put another object there since it was looked at
        schema.instance.c.sop_uid == sa.bindparam("uid"),
        schema.instance.c.digest == sa.bindparam("sha"),
        schema.instance.c.transfer_syntax == sa.bindparam("syntax"),
    )
    .values({name: sa.bindparam(name) for name in _PLACE})
)
_HIDDEN = Lookup(
    sa.select(schema.hidden_study.c.study_uid).where(
        schema.hidden_study.c.study_uid.in_(sa.bindparam("keys", expanding=True))
    )
)
_GROW_STUDY = Change(
    sa.update(schema.study)
    .where(schema.study.c.id == sa.bindparam("key"))
    .values(
        series_count=schema.study.c.series_count + sa.bindparam("more_series"),
        instance_count=schema.study.c.instance_count + sa.bindparam("more"),
        size_bytes=schema.study.c.size_bytes + sa.bindparam("more_bytes"),
        revision=schema.study.c.revision + sa.literal_column("1"),
        updated_ms=sa.bindparam("now"),
    )
)
_GROW_SERIES = Change(
    sa.update(schema.series)
    .where(schema.series.c.id == sa.bindparam("key"))
    .values(
        instance_count=schema.series.c.instance_count + sa.bindparam("more"),
        revision=schema.series.c.revision + sa.literal_column("1"),
        updated_ms=sa.bindparam("now"),
    )
)
_GROW_PATIENT = Change(
    sa.update(schema.patient)
    .where(schema.patient.c.id == sa.bindparam("key"))
    .values(study_count=schema.patient.c.study_count + sa.bindparam("more"))
)
_MODALITIES = Lookup(
    sa.select(schema.series.c.study_pk, schema.series.c.modality)
    .where(
        schema.series.c.study_pk.in_(sa.bindparam("keys", expanding=True)),
        schema.series.c.modality.is_not(None),
    )
    .distinct()
)
_SET_MODALITIES = Change(
    sa.update(schema.study)
    .where(schema.study.c.id == sa.bindparam("key"))
    .values(modalities=sa.bindparam("modalities_text"))
)
_TABLES = {Level.PATIENT: schema.patient, Level.STUDY: schema.study, Level.SERIES: schema.series}


@dataclass(slots=True)
class Row:
    """What is remembered of a patient, study or series row."""

    pk: int
    missing: frozenset[str]  # value columns that are NULL and may be filled by a later object
    identity: str = ""
    site: str = ""
    patient_pk: int = 0


class Batch:
    """Rows to insert and counts to raise. A new row carries its counts; only rows that were there are updated."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._patients: dict[int, dict[str, object]] = {}
        self._studies: dict[int, dict[str, object]] = {}
        self._series: dict[int, dict[str, object]] = {}
        self._instances: list[dict[str, object]] = []
        self.held: dict[HeldKey, dict[str, object]] = {}
        self._fills: list[tuple[Level, int, dict[str, str]]] = []
        self._repairs: list[dict[str, object]] = []
        self._patient_studies: Counter[int] = Counter()
        self._study_series: Counter[int] = Counter()
        self._study_instances: Counter[int] = Counter()
        self._study_bytes: Counter[int] = Counter()
        self._series_instances: Counter[int] = Counter()
        self._modalities: dict[int, set[str]] = {}  # of new studies
        self._regrouped: set[int] = set()  # studies in which a series got its modality

    def add_patient(self, patient: Row, identity: str, arrival: Arrival) -> None:
        row = _values(arrival, Level.PATIENT)
        row["id"], row["identity"] = patient.pk, identity
        self._patients[patient.pk] = row

    def add_study(self, study: Row, arrival: Arrival) -> None:
        row = _values(arrival, Level.STUDY)
        row["id"], row["patient_pk"], row["study_uid"] = study.pk, study.patient_pk, arrival.study_uid
        row["arrived_ms"], row["updated_ms"], row["revision"] = arrival.arrived_ms, self.now_ms, 1
        self._studies[study.pk] = row
        self._modalities[study.pk] = set()
        self._patient_studies[study.patient_pk] += 1

    def add_series(self, series: Row, study: Row, arrival: Arrival) -> None:
        row = _values(arrival, Level.SERIES)
        row["id"], row["study_pk"], row["series_uid"] = series.pk, study.pk, arrival.series_uid
        row["site"] = study.site  # that of the object may be another, when a person filed it there
        row["updated_ms"], row["revision"] = self.now_ms, 1
        self._series[series.pk] = row
        self._study_series[study.pk] += 1
        modality = arrival.values.get("modality")
        if modality is not None and study.pk in self._modalities:
            self._modalities[study.pk].add(modality)

    def add_instance(self, series: Row, study: Row, arrival: Arrival) -> None:
        row = _values(arrival, Level.IMAGE)
        row["id"] = arrival.sequence
        row["series_pk"] = series.pk
        for name in _COPIED:
            row[name] = getattr(arrival, name)
        self._instances.append(row)
        self._study_instances[study.pk] += 1
        self._study_bytes[study.pk] += arrival.size_bytes
        self._series_instances[series.pk] += 1

    def hold(self, arrival: Arrival, kind: str) -> None:
        """Keep a record of an object for a person to decide about."""
        row: dict[str, object] = {name: getattr(arrival, name) for name in _HELD}
        row["id"], row["kind"], row["verdict"] = arrival.sequence, kind, None
        self.held[arrival.held_key] = row

    def repair(self, arrival: Arrival) -> None:
        """The index is to use this copy: the one it knows can no longer be read."""
        found = {"uid": arrival.sop_uid, "sha": arrival.digest, "syntax": arrival.transfer_syntax}
        self._repairs.append(found | {name: getattr(arrival, name) for name in _PLACE})

    def fill(self, level: Level, row: Row, arrival: Arrival, study: Row | None = None) -> None:
        """Fill columns of a row that were empty until now; what is there stays. `study`: of a series' row."""
        new = {c: arrival.values[c] for c in row.missing if c in arrival.values}
        if not new:
            return
        row.missing -= new.keys()
        if study is not None and "modality" in new:
            self._regrouped.add(study.pk)
            self._modalities.get(study.pk, set()).add(new["modality"])
        fresh = (self._patients, self._studies, self._series)[level].get(row.pk)
        if fresh is not None:
            fresh.update(with_folds(level, new))
        else:
            self._fills.append((level, row.pk, new))

    def write(self, connection: sa.Connection) -> None:
        """Insert and update. Raises IntegrityError when another process was faster."""
        self._complete_new_rows(connection)
        new = (self._patients, self._studies, self._series)
        for insert, rows in zip(
            _INSERTS, (*(list(kind.values()) for kind in new), self._instances, list(self.held.values())), strict=True
        ):
            insert.run(connection, rows)
        self._grow(connection)
        for level, key, values in self._fills:
            _fill_row(connection, level, key, values)
        _REPAIR.run(connection, self._repairs)
        self._set_modalities(connection)

    def _complete_new_rows(self, connection: sa.Connection) -> None:
        """Give new rows their counts, new studies their modalities and whether they are hidden."""
        for pk, row in self._patients.items():
            row["study_count"] = self._patient_studies.pop(pk, 0)
        for pk, row in self._series.items():
            row["instance_count"] = self._series_instances.pop(pk, 0)
        if not self._studies:
            return
        uids = [row["study_uid"] for row in self._studies.values()]
        hidden = {uid for (uid,) in _HIDDEN.rows(connection, uids)}
        for pk, row in self._studies.items():
            row["hidden"] = row["study_uid"] in hidden
            row["modalities"] = "\\".join(sorted(self._modalities[pk]))
            row["series_count"] = self._study_series.pop(pk, 0)
            row["instance_count"] = self._study_instances.pop(pk, 0)
            row["size_bytes"] = self._study_bytes.pop(pk, 0)

    def _grow(self, connection: sa.Connection) -> None:
        """Raise the counts of the rows that were there, in the order of their keys so that writers cannot deadlock."""
        now = self.now_ms
        _GROW_PATIENT.run(connection, [{"key": k, "more": more} for k, more in sorted(self._patient_studies.items())])
        studies = [
            {
                "key": key,
                "more": more,
                "more_series": self._study_series[key],
                "more_bytes": self._study_bytes[key],
                "now": now,
            }
            for key, more in sorted(self._study_instances.items())
        ]
        _GROW_STUDY.run(connection, studies)
        series = [{"key": key, "more": more, "now": now} for key, more in sorted(self._series_instances.items())]
        _GROW_SERIES.run(connection, series)

    def _set_modalities(self, connection: sa.Connection) -> None:
        """Of studies that were there. Their rows were updated, and so locked: no other writer's series is missed."""
        changed = self._regrouped - self._studies.keys() | {key for key, more in self._study_series.items() if more}
        found: dict[int, set[str]] = {key: set() for key in changed}
        for key, modality in _MODALITIES.rows(connection, list(found)):
            found[key].add(modality)
        rows = [{"key": key, "modalities_text": "\\".join(sorted(names))} for key, names in sorted(found.items())]
        _SET_MODALITIES.run(connection, rows)


_COPIED = (
    "sop_uid",
    "sop_class_uid",
    "transfer_syntax",
    "digest",
    "pack_id",
    "offset",
    "prefix_bytes",
    "size_bytes",
    "image",
    "source",
    "arrived_ms",
)
_HELD = ("site", "series_uid", "study_uid", *(name for name in _COPIED if name != "image"))


def _fill_row(connection: sa.Connection, level: Level, key: int, new: dict[str, str]) -> None:
    table = _TABLES[level]
    changes = {column: sa.func.coalesce(table.c[column], value) for column, value in with_folds(level, new)}
    connection.execute(sa.update(table).where(table.c.id == key).values(changes))


def _values(arrival: Arrival, level: Level) -> dict[str, object]:
    """A level's value columns for an insert, with folded names and the site."""
    values = arrival.values
    row: dict[str, object] = {column: values.get(column) for column in COLUMNS[level]}
    for column in _NAMES[level]:
        name = values.get(column)
        row[f"{column}_fold"] = None if name is None else fold_name(name)
    row["site"] = arrival.site
    return row


def with_folds(level: Level, new: Mapping[str, V]) -> Iterable[tuple[str, V | str]]:
    """Values of a level's columns, each person name followed by its folded twin."""
    for column, value in new.items():
        yield column, value
        if column in _NAMES[level]:
            yield f"{column}_fold", value if value is None else fold_name(value)
