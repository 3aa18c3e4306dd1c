"""One batch of index changes: rows to insert and counts to raise, gathered in memory, written in few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa

from fileroom.archive import schema, statements
from fileroom.archive.arrival import Arrival, HeldKey
from fileroom.archive.statements import COLUMNS, FOLDED, NAMES, PLACES, SOURCES, STUDY_COUNT, STUDY_UID
from fileroom.dicom.attributes import Level
from fileroom.dicom.names import fold_name

__all__ = ["COLUMNS", "Batch", "Row", "with_folds"]

V = TypeVar("V", str, str | None)

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
    """Rows to insert and counts to raise. A new row carries its counts; only rows that were there are updated.

    Rows are in the order of `fileroom.archive.statements`; what is only known at the end stands there last.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._patients: dict[int, list[object]] = {}
        self._studies: dict[int, list[object]] = {}
        self._series: dict[int, list[object]] = {}
        self._instances: list[list[object]] = []
        self.held: dict[HeldKey, tuple[object, ...]] = {}
        self._fills: list[tuple[Level, int, dict[str, str]]] = []
        self._repairs: list[tuple[object, ...]] = []
        self._patient_studies: defaultdict[int, int] = defaultdict(int)
        self._study_series: defaultdict[int, int] = defaultdict(int)
        self._study_instances: defaultdict[int, int] = defaultdict(int)
        self._study_bytes: defaultdict[int, int] = defaultdict(int)
        self._series_instances: defaultdict[int, int] = defaultdict(int)
        self._modalities: dict[int, set[str]] = {}  # of new studies
        self._regrouped: set[int] = set()  # studies in which a series got its modality
        self._arrived_ms: dict[int, int] = {}  # of new studies

    def add_patient(self, patient: Row, identity: str, arrival: Arrival) -> None:
        self._patients[patient.pk] = [patient.pk, arrival.site, identity, 0, *_copied(arrival, Level.PATIENT)]

    def add_study(self, study: Row, arrival: Arrival) -> None:
        values = _copied(arrival, Level.STUDY)
        self._studies[study.pk] = [study.pk, study.patient_pk, arrival.site, arrival.study_uid, *values]
        self._arrived_ms[study.pk] = arrival.arrived_ms
        self._modalities[study.pk] = set()
        self._patient_studies[study.patient_pk] += 1

    def add_series(self, series: Row, study: Row, arrival: Arrival) -> None:
        values = _copied(arrival, Level.SERIES)
        # the study's site: that of the object may be another, when a person filed it there
        self._series[series.pk] = [series.pk, study.pk, study.site, arrival.series_uid, *values]
        self._study_series[study.pk] += 1
        modality = arrival.values.get("modality")
        if modality is not None and study.pk in self._modalities:
            self._modalities[study.pk].add(modality)

    def add_instance(self, series: Row, study: Row, arrival: Arrival) -> None:
        self._instances.append(
            [
                arrival.sequence,
                series.pk,
                arrival.site,
                arrival.sop_uid,
                arrival.sop_class_uid,
                *_copied(arrival, Level.IMAGE),
                *_object(arrival),
                arrival.image,
                arrival.source,
                arrival.arrived_ms,
            ]
        )
        self._study_instances[study.pk] += 1
        self._study_bytes[study.pk] += arrival.size_bytes
        self._series_instances[series.pk] += 1

    def hold(self, arrival: Arrival, kind: str) -> None:
        """Keep a record of an object for a person to decide about."""
        self.held[arrival.held_key] = (
            arrival.sequence,
            arrival.site,
            kind,
            None,  # no verdict yet
            arrival.sop_uid,
            arrival.series_uid,
            arrival.study_uid,
            arrival.sop_class_uid,
            *_object(arrival),
            arrival.source,
            arrival.arrived_ms,
        )

    def repair(self, arrival: Arrival) -> None:
        """The index is to use this copy: the one it knows can no longer be read."""
        place = (arrival.pack_id, arrival.offset, arrival.prefix_bytes, arrival.size_bytes)
        self._repairs.append((*place, *arrival.held_key))

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
        if fresh is None:
            self._fills.append((level, row.pk, new))
            return
        for column, value in with_folds(level, new):
            fresh[PLACES[level][column]] = value

    def of_patient(self, pk: int) -> dict[str, object]:
        """What is about to be written of a patient, by column; the database's own values come first."""
        row = self._patients.get(pk)
        if row is not None:
            return {column: row[place] for column, place in PLACES[Level.PATIENT].items()}
        fills = (new for level, key, new in self._fills if level is Level.PATIENT and key == pk)
        return {column: value for new in fills for column, value in with_folds(Level.PATIENT, new)}

    def write(self, connection: sa.Connection) -> None:
        """Insert and update. Raises IntegrityError when another process was faster."""
        self._complete_new_rows()
        statements.INSERT_PATIENT.run(connection, list(self._patients.values()))
        statements.INSERT_STUDY.run(connection, list(self._studies.values()))
        statements.INSERT_SERIES.run(connection, list(self._series.values()))
        statements.INSERT_INSTANCE.run(connection, self._instances)
        statements.INSERT_HELD.run(connection, list(self.held.values()))
        self._grow(connection)
        for level, key, values in self._fills:
            _fill_row(connection, level, key, values)
        statements.REPAIR.run(connection, self._repairs)
        self._set_modalities(connection)

    def _complete_new_rows(self) -> None:
        """Give new rows their counts, new studies their modalities; whether they are hidden the statement looks up."""
        for pk, row in self._patients.items():
            row[STUDY_COUNT] = self._patient_studies.pop(pk, 0)
        for pk, row in self._series.items():
            row += (self._series_instances.pop(pk, 0), 1, self.now_ms)
        for pk, row in self._studies.items():
            row += (
                "\\".join(sorted(self._modalities[pk])),
                self._study_series.pop(pk, 0),
                self._study_instances.pop(pk, 0),
                self._study_bytes.pop(pk, 0),
                row[STUDY_UID],
                1,
                self._arrived_ms[pk],
                self.now_ms,
            )

    def _grow(self, connection: sa.Connection) -> None:
        """Raise the counts of the rows that were there, in the order of their keys so that writers cannot deadlock."""
        now = self.now_ms
        patients = [(more, key) for key, more in sorted(self._patient_studies.items())]
        statements.GROW_PATIENT.run(connection, patients)
        studies = [
            (self._study_series[key], more, self._study_bytes[key], now, key)
            for key, more in sorted(self._study_instances.items())
        ]
        statements.GROW_STUDY.run(connection, studies)
        statements.GROW_SERIES.run(
            connection, [(more, now, key) for key, more in sorted(self._series_instances.items())]
        )

    def _set_modalities(self, connection: sa.Connection) -> None:
        """Of studies that were there. Their rows were updated, and so locked: no other writer's series is missed."""
        changed = self._regrouped - self._studies.keys() | {key for key, more in self._study_series.items() if more}
        found: dict[int, set[str]] = {key: set() for key in changed}
        for key, modality in statements.MODALITIES.rows(connection, list(found)):
            found[key].add(modality)
        rows = [("\\".join(sorted(names)), key) for key, names in sorted(found.items())]
        statements.SET_MODALITIES.run(connection, rows)


def _copied(arrival: Arrival, level: Level) -> list[str | None]:
    """The copied values of a level, names with their folded form, as they stand in a row; None: absent."""
    values: list[str | None] = list(map(arrival.values.get, SOURCES[level]))
    for place in FOLDED[level]:
        if (name := values[place]) is not None:
            values[place] = fold_name(name)
    return values


def _object(arrival: Arrival) -> tuple[object, ...]:
    return (
        arrival.transfer_syntax,
        arrival.digest,
        arrival.pack_id,
        arrival.offset,
        arrival.prefix_bytes,
        arrival.size_bytes,
    )


def _fill_row(connection: sa.Connection, level: Level, key: int, new: dict[str, str]) -> None:
    table = _TABLES[level]
    changes = {column: sa.func.coalesce(table.c[column], value) for column, value in with_folds(level, new)}
    connection.execute(sa.update(table).where(table.c.id == key).values(changes))


def with_folds(level: Level, new: Mapping[str, V]) -> Iterable[tuple[str, V | str]]:
    """Values of a level's columns, each person name followed by its folded twin."""
    for column, value in new.items():
        yield column, value
        if column in NAMES[level]:
            yield f"{column}_fold", value if value is None else fold_name(value)
