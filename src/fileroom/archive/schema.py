"""The archive's tables. The index (patient, study, series, instance, pack, study_word) is a shadow that `rebuild-index`
remakes from the packs; `archive`, `peer`, `held`, `held_decision`, `hidden_study` and `removed_pack` are records: truth
that a rebuild never touches.

Columns that hold DICOM values are named in `fileroom.dicom.attributes`. Times are milliseconds since 1970 UTC.
A site stands on every row. Absent values are NULL.
"""

from __future__ import annotations

import sqlalchemy as sa

from fileroom.database import METADATA
from fileroom.dicom.attributes import Level, Matching, at_level

# Text is compared by code point on both databases, so that ranges and prefixes mean the same and can use an index
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# A 63-bit row key. Called INTEGER on SQLite, where that makes it the row's own address: one index less a table
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# In an order that drops children first
SHADOWS = ("study_word", "study_word_state", "instance", "series", "study", "patient", "pack")


def _value_columns(level: Level) -> list[sa.Column[object]]:
    """A text column for every scanned attribute of this level, and a folded twin for each person name."""
    columns: list[sa.Column[object]] = []
    for attribute in at_level(level):
        if not attribute.scanned or attribute.column in ("study_uid", "series_uid", "sop_uid", "sop_class_uid"):
            continue
        columns.append(sa.Column(attribute.column, TEXT))
        if attribute.matching is Matching.NAME:
            columns.append(sa.Column(f"{attribute.column}_fold", TEXT, index=True))
    return columns


archive = sa.Table(
    "archive",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),  # also in the packs' folder: see archive.binding
)

patient = sa.Table(
    "patient",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("site", TEXT, nullable=False),
    # who this is: see Arrival.identity; a blank patient ID identifies nobody
    sa.Column("identity", TEXT, nullable=False, unique=True),
    sa.Column("study_count", sa.Integer, nullable=False, server_default="0"),
    *_value_columns(Level.PATIENT),
    sa.Index("ix_patient_patient_id", "patient_id"),
)

study = sa.Table(
    "study",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("patient_pk", sa.ForeignKey("patient.id"), nullable=False, index=True),
    sa.Column("site", TEXT, nullable=False),
    sa.Column("study_uid", TEXT, nullable=False, unique=True),
    *_value_columns(Level.STUDY),
    sa.Column("modalities", TEXT, nullable=False, server_default=""),  # sorted, joined by backslash
    sa.Column("series_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("instance_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("hidden", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # rises with every change to the study
    sa.Column("arrived_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_study_study_date", "study_date", "id"),
    sa.Index("ix_study_accession", "accession"),
)

series = sa.Table(
    "series",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("study_pk", sa.ForeignKey("study.id"), nullable=False),
    sa.Column("site", TEXT, nullable=False),
    sa.Column("series_uid", TEXT, nullable=False, index=True),
    *_value_columns(Level.SERIES),
    sa.Column("instance_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # rises with every instance
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("study_pk", "series_uid"),
)

instance = sa.Table(
    "instance",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),  # rises with arrival: the PAX sequence
    sa.Column("series_pk", sa.ForeignKey("series.id"), nullable=False, index=True),
    sa.Column("site", TEXT, nullable=False),
    sa.Column("sop_uid", TEXT, nullable=False, unique=True),
    sa.Column("sop_class_uid", TEXT, nullable=False),
    *_value_columns(Level.IMAGE),
    sa.Column("transfer_syntax", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),  # SHA-256 of the dataset bytes as they arrived, hex
    sa.Column("pack_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("offset", sa.BigInteger, nullable=False),  # of the Part 10 file's first byte in the pack
    sa.Column("prefix_bytes", sa.Integer, nullable=False),  # preamble, DICM and group 2, before the dataset
    sa.Column("size_bytes", sa.BigInteger, nullable=False),  # the whole Part 10 file
    sa.Column("image", sa.LargeBinary),  # pixel description and frame table (archive.image), NULL without pixels
    sa.Column("source", TEXT, nullable=False),  # door and peer it came through
    sa.Column("arrived_ms", sa.BigInteger, nullable=False),
)

pack = sa.Table(
    "pack",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),  # also its file name, in hex
    sa.Column("size_bytes", sa.BigInteger, nullable=False),  # acknowledged: every byte before this is promised
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

# What people look for studies by: see archive.words. Made a moment after a study arrived
study_word = sa.Table(
    "study_word",
    METADATA,
    sa.Column("study_pk", KEY, sa.ForeignKey("study.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("word", TEXT, primary_key=True),
    sa.Index("ix_study_word_word", "word", "study_pk"),
)

study_word_state = sa.Table(  # one row at most
    "study_word_state",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),
    sa.Column("last_key", sa.BigInteger, nullable=False),  # the newest instance whose study has its words
)

peer = sa.Table(
    "peer",
    METADATA,
    sa.Column("ae_title", TEXT, primary_key=True),
    sa.Column("host", TEXT, nullable=False),  # the address it calls from and is called at
    sa.Column("port", sa.Integer, nullable=False),
    sa.Column("site", TEXT, nullable=False),
    sa.Column("may", TEXT, nullable=False),  # words of store, find, get, move, joined by a space
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

held = sa.Table(
    "held",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),  # the PAX sequence
    sa.Column("site", TEXT, nullable=False),
    sa.Column(
        "kind", TEXT, nullable=False
    ),  # conflict | patient | site; former: another was decided to be used instead
    sa.Column("verdict", TEXT),  # of the decision that stands (see archive.conflicts); NULL: waits for a person
    sa.Column("sop_uid", TEXT, nullable=False),
    sa.Column("series_uid", TEXT, nullable=False),
    sa.Column("study_uid", TEXT, nullable=False),
    sa.Column("sop_class_uid", TEXT, nullable=False),
    sa.Column("transfer_syntax", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
    sa.Column("pack_id", sa.BigInteger, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("prefix_bytes", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("source", TEXT, nullable=False),
    sa.Column("arrived_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("sop_uid", "digest", "transfer_syntax"),
    sa.Index("ix_held_study_uid", "study_uid"),
)

held_decision = sa.Table(  # what people decided about held objects, one row an act, never changed
    "held_decision",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),  # rises with time
    sa.Column("held_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("verdict", TEXT, nullable=False),  # keep | replace | accept | keep-out | undo: of the act before it
    sa.Column("sop_uid", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),  # of the object that was held
    sa.Column("transfer_syntax", TEXT, nullable=False),
    sa.Column("former_digest", TEXT),  # of the object it was decided to be used instead of; NULL for other verdicts
    sa.Column("former_syntax", TEXT),
    sa.Column("decided_by", TEXT, nullable=False),
    sa.Column("why", TEXT, nullable=False),
    sa.Column("decided_ms", sa.BigInteger, nullable=False),
)

IN_STUDIES = instance.join(series, series.c.id == instance.c.series_pk).join(study, study.c.id == series.c.study_pk)
"""Every object beside its series and study."""

hidden_study = sa.Table(
    "hidden_study",
    METADATA,
    sa.Column("study_uid", TEXT, primary_key=True),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("hidden_by", TEXT, nullable=False),
    sa.Column("hidden_ms", sa.BigInteger, nullable=False),
)

removed_pack = sa.Table(
    "removed_pack",
    METADATA,
    sa.Column("id", KEY, primary_key=True, autoincrement=False),  # of a pack that was taken out, see archive.removal
    sa.Column("door", TEXT, nullable=False),  # through which all its objects had come
    sa.Column("removed_ms", sa.BigInteger, nullable=False),
)
