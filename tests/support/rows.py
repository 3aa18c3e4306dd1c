"""Index rows written straight into the tables, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.database import Database
from fileroom.dicom.attributes import Level, Matching, at_level
from fileroom.dicom.names import fold_name


@dataclass
class Rows:
    """Gathers patients, studies, series and instances; `write` inserts them all."""

    patients: list[dict[str, object]] = field(default_factory=list)
    studies: list[dict[str, object]] = field(default_factory=list)
    series: list[dict[str, object]] = field(default_factory=list)
    instances: list[dict[str, object]] = field(default_factory=list)
    _key: int = 0

    def study(self, uid: str, *, hidden: bool = False, patient: int | None = None, **values: str) -> int:
        """A study, with a patient of its own unless given; values by column. Returns its key."""
        if patient is None:
            patient = self.patient(**{k: v for k, v in values.items() if k in schema.patient.c})
        own = {k: v for k, v in values.items() if k in schema.study.c}
        row = {"study_uid": uid, "patient_pk": patient, "hidden": hidden, "modalities": ""}
        return self._add(self.studies, Level.STUDY, row | {"arrived_ms": 1, "updated_ms": 1} | own)

    def patient(self, **values: str) -> int:
        """A patient. Returns its key."""
        return self._add(self.patients, Level.PATIENT, {"identity": f"main\x1f{self._key}"} | values)

    def one_series(self, study: int, uid: str, **values: str) -> int:
        """A series. Returns its key."""
        return self._add(self.series, Level.SERIES, {"study_pk": study, "series_uid": uid, "updated_ms": 1} | values)

    def instance(self, series: int, uid: str, **values: object) -> int:
        """An instance. Returns its key."""
        row: dict[str, object] = {
            "series_pk": series,
            "sop_uid": uid,
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
            "transfer_syntax": "1.2.840.10008.1.2.1",
            "digest": "00",
            "pack_id": 1,
            "offset": 0,
            "prefix_bytes": 0,
            "size_bytes": 0,
            "source": "test:",
            "arrived_ms": 1,
        }
        return self._add(self.instances, Level.IMAGE, row | values)

    def _add(self, rows: list[dict[str, object]], level: Level, values: Mapping[str, object]) -> int:
        self._key += 1
        row: dict[str, object] = {"id": self._key, "site": "main"}
        for attribute in at_level(level):
            if attribute.scanned and attribute.column not in ("study_uid", "series_uid", "sop_uid", "sop_class_uid"):
                row[attribute.column] = None
            if attribute.matching is Matching.NAME:
                name = values.get(attribute.column)
                row[f"{attribute.column}_fold"] = None if name is None else fold_name(str(name))
        rows.append(row | dict(values))
        return self._key

    def write(self, database: Database) -> None:
        """Insert everything and set the counts of studies and series."""
        tables = (
            (schema.patient, self.patients),
            (schema.study, self.studies),
            (schema.series, self.series),
            (schema.instance, self.instances),
        )
        with database.write() as connection:
            for table, rows in tables:
                if rows:
                    connection.execute(sa.insert(table), rows)
            _count(connection)


def _count(connection: sa.Connection) -> None:
    study, series, instance = schema.study, schema.series, schema.instance
    of_series = sa.select(sa.func.count()).where(instance.c.series_pk == series.c.id).scalar_subquery()
    connection.execute(sa.update(series).values(instance_count=of_series))
    mine = series.c.study_pk == study.c.id
    of_study = sa.select(sa.func.coalesce(sa.func.sum(series.c.instance_count), 0)).where(mine).scalar_subquery()
    many = sa.select(sa.func.count()).where(mine).scalar_subquery()
    connection.execute(sa.update(study).values(instance_count=of_study, series_count=many))
