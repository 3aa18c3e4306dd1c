"""The statements that write the index, each with the order of the values in its rows."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.database import Change, Lookup
from fileroom.dicom.attributes import Level, Matching, at_level

_OWN_KEYS = ("study_uid", "series_uid", "sop_uid", "sop_class_uid")
_FOLD = "_fold"

# The columns of a level that are copied from the object, in table order
COLUMNS = {
    level: tuple(a.column for a in at_level(level) if a.scanned and a.column not in _OWN_KEYS) for level in Level
}
NAMES = {level: frozenset(a.column for a in at_level(level) if a.matching is Matching.NAME) for level in Level}


def _with_folds(level: Level) -> Iterator[str]:
    for column in COLUMNS[level]:
        yield column
        if column in NAMES[level]:
            yield column + _FOLD


COPIED = {level: tuple(_with_folds(level)) for level in Level}  # the same, each name's folded form behind it
SOURCES = {level: tuple(column.removesuffix(_FOLD) for column in columns) for level, columns in COPIED.items()}
FOLDED = {level: tuple(n for n, c in enumerate(columns) if c.endswith(_FOLD)) for level, columns in COPIED.items()}
_KEYS = 4  # what stands in a patient's, study's or series' row before the copied values
PLACES = {level: {column: _KEYS + n for n, column in enumerate(columns)} for level, columns in COPIED.items()}
STUDY_COUNT = 3  # its place in a patient's row
STUDY_UID = 3  # its place in a study's row

INSERT_PATIENT = Change(sa.insert(schema.patient), ("id", "site", "identity", "study_count", *COPIED[Level.PATIENT]))
INSERT_STUDY = Change(
    sa.insert(schema.study).values(
        {column.name: sa.bindparam(column.name) for column in schema.study.c}
        | {"hidden": sa.exists().where(schema.hidden_study.c.study_uid == sa.bindparam("hidden_uid"))}
    ),
    (
        *("id", "patient_pk", "site", "study_uid", *COPIED[Level.STUDY]),
        *("modalities", "series_count", "instance_count", "size_bytes", "hidden_uid"),
        *("revision", "arrived_ms", "updated_ms"),
    ),
)
INSERT_SERIES = Change(
    sa.insert(schema.series),
    ("id", "study_pk", "site", "series_uid", *COPIED[Level.SERIES], "instance_count", "revision", "updated_ms"),
)
_OBJECT = ("transfer_syntax", "digest", "pack_id", "offset", "prefix_bytes", "size_bytes")
INSERT_INSTANCE = Change(
    sa.insert(schema.instance),
    (
        *("id", "series_pk", "site", "sop_uid", "sop_class_uid", *COPIED[Level.IMAGE]),
        *(*_OBJECT, "image", "source", "arrived_ms"),
    ),
)
INSERT_HELD = Change(
    sa.insert(schema.held),
    (
        "id",
        "site",
        "kind",
        "verdict",
        "sop_uid",
        "series_uid",
        "study_uid",
        "sop_class_uid",
        *_OBJECT,
        "source",
        "arrived_ms",
    ),
)
_PLACE = ("pack_id", "offset", "prefix_bytes", "size_bytes")
REPAIR = Change(
    sa.update(schema.instance)
    .where(  # a decision may have put another object there since it was looked at
        schema.instance.c.sop_uid == sa.bindparam("uid"),
        schema.instance.c.digest == sa.bindparam("sha"),
        schema.instance.c.transfer_syntax == sa.bindparam("syntax"),
    )
    .values({name: sa.bindparam(name) for name in _PLACE}),
    (*_PLACE, "uid", "sha", "syntax"),
)
GROW_STUDY = Change(
    sa.update(schema.study)
    .where(schema.study.c.id == sa.bindparam("key"))
    .values(
        series_count=schema.study.c.series_count + sa.bindparam("more_series"),
        instance_count=schema.study.c.instance_count + sa.bindparam("more"),
        size_bytes=schema.study.c.size_bytes + sa.bindparam("more_bytes"),
        revision=schema.study.c.revision + sa.literal_column("1"),
        updated_ms=sa.bindparam("now"),
    ),
    ("more_series", "more", "more_bytes", "now", "key"),
)
GROW_SERIES = Change(
    sa.update(schema.series)
    .where(schema.series.c.id == sa.bindparam("key"))
    .values(
        instance_count=schema.series.c.instance_count + sa.bindparam("more"),
        revision=schema.series.c.revision + sa.literal_column("1"),
        updated_ms=sa.bindparam("now"),
    ),
    ("more", "now", "key"),
)
GROW_PATIENT = Change(
    sa.update(schema.patient)
    .where(schema.patient.c.id == sa.bindparam("key"))
    .values(study_count=schema.patient.c.study_count + sa.bindparam("more")),
    ("more", "key"),
)
MODALITIES = Lookup(
    sa.select(schema.series.c.study_pk, schema.series.c.modality)
    .where(
        schema.series.c.study_pk.in_(sa.bindparam("keys", expanding=True)),
        schema.series.c.modality.is_not(None),
    )
    .distinct()
)
SET_MODALITIES = Change(
    sa.update(schema.study)
    .where(schema.study.c.id == sa.bindparam("key"))
    .values(modalities=sa.bindparam("modalities_text")),
    ("modalities_text", "key"),
)
