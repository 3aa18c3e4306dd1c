"""The first tables: the index (patient, study, series, instance, pack) and the records (peer, held, hidden_study)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "held",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sop_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("sop_class_uid", sa.Text(), nullable=False),
        sa.Column("transfer_syntax", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("prefix_bytes", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held")),
        sa.UniqueConstraint("sop_uid", "digest", name=op.f("uq_held_sop_uid_digest")),
    )
    op.create_index("ix_held_study_uid", "held", ["study_uid"], unique=False)
    op.create_table(
        "hidden_study",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hidden_by", sa.Text(), nullable=False),
        sa.Column("hidden_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("study_uid", name=op.f("pk_hidden_study")),
    )
    op.create_table(
        "pack",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack")),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("study_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("patient_name", sa.Text(), nullable=True),
        sa.Column("patient_name_fold", sa.Text(), nullable=True),
        sa.Column("patient_id", sa.Text(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("identity", name=op.f("uq_patient_identity")),
    )
    op.create_index("ix_patient_patient_id", "patient", ["patient_id"], unique=False)
    op.create_index(op.f("ix_patient_patient_name_fold"), "patient", ["patient_name_fold"], unique=False)
    op.create_table(
        "peer",
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("may", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", name=op.f("pk_peer")),
    )
    op.create_table(
        "study",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient_pk", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("study_date", sa.Text(), nullable=True),
        sa.Column("study_time", sa.Text(), nullable=True),
        sa.Column("accession", sa.Text(), nullable=True),
        sa.Column("study_id", sa.Text(), nullable=True),
        sa.Column("study_description", sa.Text(), nullable=True),
        sa.Column("referring_name", sa.Text(), nullable=True),
        sa.Column("referring_name_fold", sa.Text(), nullable=True),
        sa.Column("reading_name", sa.Text(), nullable=True),
        sa.Column("reading_name_fold", sa.Text(), nullable=True),
        sa.Column("patient_age", sa.Text(), nullable=True),
        sa.Column("timezone_offset", sa.Text(), nullable=True),
        sa.Column("modalities", sa.Text(), server_default="", nullable=False),
        sa.Column("series_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("instance_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("0"), nullable=False),
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
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("study_pk", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("series_number", sa.Text(), nullable=True),
        sa.Column("series_description", sa.Text(), nullable=True),
        sa.Column("series_date", sa.Text(), nullable=True),
        sa.Column("series_time", sa.Text(), nullable=True),
        sa.Column("body_part", sa.Text(), nullable=True),
        sa.Column("laterality", sa.Text(), nullable=True),
        sa.Column("protocol_name", sa.Text(), nullable=True),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("station_name", sa.Text(), nullable=True),
        sa.Column("institution_name", sa.Text(), nullable=True),
        sa.Column("step_start_date", sa.Text(), nullable=True),
        sa.Column("step_start_time", sa.Text(), nullable=True),
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
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("series_pk", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("sop_uid", sa.Text(), nullable=False),
        sa.Column("sop_class_uid", sa.Text(), nullable=False),
        sa.Column("instance_number", sa.Text(), nullable=True),
        sa.Column("image_type", sa.Text(), nullable=True),
        sa.Column("content_date", sa.Text(), nullable=True),
        sa.Column("content_time", sa.Text(), nullable=True),
        sa.Column("view_position", sa.Text(), nullable=True),
        sa.Column("image_laterality", sa.Text(), nullable=True),
        sa.Column("rows", sa.Text(), nullable=True),
        sa.Column("columns", sa.Text(), nullable=True),
        sa.Column("bits_allocated", sa.Text(), nullable=True),
        sa.Column("frame_count", sa.Text(), nullable=True),
        sa.Column("transfer_syntax", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("prefix_bytes", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["series_pk"], ["series.id"], name=op.f("fk_instance_series_pk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
        sa.UniqueConstraint("sop_uid", name=op.f("uq_instance_sop_uid")),
    )
    op.create_index(op.f("ix_instance_pack_id"), "instance", ["pack_id"], unique=False)
    op.create_index(op.f("ix_instance_series_pk"), "instance", ["series_pk"], unique=False)
