"""The first tables: the index (patient, study, series, instance, pack) and the records (peer, held, ...)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fileroom.migrations.append_only import append_only_tables

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("verdict", TEXT, nullable=True),
        sa.Column("sop_uid", TEXT, nullable=False),
        sa.Column("series_uid", TEXT, nullable=False),
        sa.Column("study_uid", TEXT, nullable=False),
        sa.Column("sop_class_uid", TEXT, nullable=False),
        sa.Column("transfer_syntax", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("prefix_bytes", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held")),
        sa.UniqueConstraint(
            "sop_uid", "digest", "transfer_syntax", name=op.f("uq_held_sop_uid_digest_transfer_syntax")
        ),
    )
    op.create_index("ix_held_study_uid", "held", ["study_uid"], unique=False)
    op.create_table(
        "removed_pack",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("door", TEXT, nullable=False),
        sa.Column("removed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_pack")),
    )
    op.create_table(
        "held_decision",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("held_id", sa.BigInteger(), nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("sop_uid", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("transfer_syntax", TEXT, nullable=False),
        sa.Column("former_digest", TEXT, nullable=True),
        sa.Column("former_syntax", TEXT, nullable=True),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_decision")),
    )
    op.create_index(op.f("ix_held_decision_held_id"), "held_decision", ["held_id"], unique=False)
    op.create_table(
        "archive", sa.Column("id", TEXT, nullable=False), sa.PrimaryKeyConstraint("id", name=op.f("pk_archive"))
    )
    op.create_table(
        "hidden_study",
        sa.Column("study_uid", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("hidden_by", TEXT, nullable=False),
        sa.Column("hidden_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name=op.f("pk_hidden_study")),
    )
    op.create_table(
        "pack",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack")),
    )
    op.create_table(
        "patient",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("study_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("patient_name", TEXT, nullable=True),
        sa.Column("patient_name_fold", TEXT, nullable=True),
        sa.Column("patient_id", TEXT, nullable=True),
        sa.Column("issuer", TEXT, nullable=True),
        sa.Column("birth_date", TEXT, nullable=True),
        sa.Column("sex", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("identity", name=op.f("uq_patient_identity")),
    )
    op.create_index("ix_patient_patient_id", "patient", ["patient_id"], unique=False)
    op.create_index(op.f("ix_patient_patient_name_fold"), "patient", ["patient_name_fold"], unique=False)
    op.create_table(
        "peer",
        sa.Column("ae_title", TEXT, nullable=False),
        sa.Column("host", TEXT, nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("may", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", name=op.f("pk_peer")),
    )
    op.create_table(
        "study",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("patient_pk", KEY, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("study_uid", TEXT, nullable=False),
        sa.Column("study_date", TEXT, nullable=True),
        sa.Column("study_time", TEXT, nullable=True),
        sa.Column("accession", TEXT, nullable=True),
        sa.Column("study_id", TEXT, nullable=True),
        sa.Column("study_description", TEXT, nullable=True),
        sa.Column("referring_name", TEXT, nullable=True),
        sa.Column("referring_name_fold", TEXT, nullable=True),
        sa.Column("reading_name", TEXT, nullable=True),
        sa.Column("reading_name_fold", TEXT, nullable=True),
        sa.Column("patient_age", TEXT, nullable=True),
        sa.Column("timezone_offset", TEXT, nullable=True),
        sa.Column("modalities", TEXT, server_default="", nullable=False),
        sa.Column("series_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("instance_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["patient_pk"], ["patient.id"], name=op.f("fk_study_patient_pk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("study_uid", name=op.f("uq_study_study_uid")),
    )
    op.create_index("ix_study_accession", "study", ["accession"], unique=False)
    op.create_index(op.f("ix_study_patient_pk"), "study", ["patient_pk"], unique=False)
    op.create_index(op.f("ix_study_reading_name_fold"), "study", ["reading_name_fold"], unique=False)
    op.create_index(op.f("ix_study_referring_name_fold"), "study", ["referring_name_fold"], unique=False)
    op.create_index("ix_study_study_date", "study", ["study_date", "id"], unique=False)
    op.create_table(
        "series",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("study_pk", KEY, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("series_uid", TEXT, nullable=False),
        sa.Column("modality", TEXT, nullable=True),
        sa.Column("series_number", TEXT, nullable=True),
        sa.Column("series_description", TEXT, nullable=True),
        sa.Column("series_date", TEXT, nullable=True),
        sa.Column("series_time", TEXT, nullable=True),
        sa.Column("body_part", TEXT, nullable=True),
        sa.Column("laterality", TEXT, nullable=True),
        sa.Column("protocol_name", TEXT, nullable=True),
        sa.Column("manufacturer", TEXT, nullable=True),
        sa.Column("station_name", TEXT, nullable=True),
        sa.Column("institution_name", TEXT, nullable=True),
        sa.Column("step_start_date", TEXT, nullable=True),
        sa.Column("step_start_time", TEXT, nullable=True),
        sa.Column("instance_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["study_pk"], ["study.id"], name=op.f("fk_series_study_pk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("study_pk", "series_uid", name=op.f("uq_series_study_pk_series_uid")),
    )
    op.create_index(op.f("ix_series_series_uid"), "series", ["series_uid"], unique=False)
    op.create_table(
        "instance",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("series_pk", KEY, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("sop_uid", TEXT, nullable=False),
        sa.Column("sop_class_uid", TEXT, nullable=False),
        sa.Column("instance_number", TEXT, nullable=True),
        sa.Column("image_type", TEXT, nullable=True),
        sa.Column("content_date", TEXT, nullable=True),
        sa.Column("content_time", TEXT, nullable=True),
        sa.Column("view_position", TEXT, nullable=True),
        sa.Column("image_laterality", TEXT, nullable=True),
        sa.Column("rows", TEXT, nullable=True),
        sa.Column("columns", TEXT, nullable=True),
        sa.Column("bits_allocated", TEXT, nullable=True),
        sa.Column("frame_count", TEXT, nullable=True),
        sa.Column("transfer_syntax", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("prefix_bytes", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["series_pk"], ["series.id"], name=op.f("fk_instance_series_pk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
        sa.UniqueConstraint("sop_uid", name=op.f("uq_instance_sop_uid")),
    )
    op.create_index(op.f("ix_instance_pack_id"), "instance", ["pack_id"], unique=False)
    op.create_index(op.f("ix_instance_series_pk"), "instance", ["series_pk"], unique=False)
    op.create_table(
        "study_word",
        sa.Column("study_pk", KEY, autoincrement=False, nullable=False),
        sa.Column("word", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["study_pk"], ["study.id"], name=op.f("fk_study_word_study_pk"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_pk", "word", name=op.f("pk_study_word")),
    )
    op.create_index("ix_study_word_word", "study_word", ["word", "study_pk"], unique=False)
    op.create_table(
        "study_word_state",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("last_key", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_word_state")),
    )
    _routing()


def _routing() -> None:
    op.create_table(
        "send",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("study_uid", TEXT, nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("requested_by", TEXT, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send")),
    )
    op.create_index(op.f("ix_send_study_uid"), "send", ["study_uid"], unique=False)
    op.create_index("ix_send_state", "send", ["state", "next_ms"], unique=False)
    op.create_table(
        "send_object",
        sa.Column("send_id", KEY, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sop_uid", TEXT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["send_id"], ["send.id"], name=op.f("fk_send_object_send_id")),
        sa.PrimaryKeyConstraint("send_id", "place", name=op.f("pk_send_object")),
    )
    op.create_table(
        "forward_rule",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("destination", TEXT, nullable=False),
        sa.Column("modalities", TEXT, nullable=False),
        sa.Column("sources", TEXT, nullable=False),
        sa.Column("station", TEXT, nullable=False),
        sa.Column("institution", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("sends", sa.BigInteger(), nullable=False),
        sa.Column("last_send_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forward_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_forward_rule_name")),
    )
    op.create_table(
        "forward_progress",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forward_progress")),
    )
    op.create_table(
        "forward_series",
        sa.Column("study_uid", TEXT, nullable=False),
        sa.Column("series_uid", TEXT, nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", "series_uid", name=op.f("pk_forward_series")),
    )
    append_only_tables()
