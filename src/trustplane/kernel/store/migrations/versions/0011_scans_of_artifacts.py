"""Scans of artifacts."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artifact_scans",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("artifact", sa.String(length=1000), nullable=False),
        sa.Column("sha256", sa.String(length=71), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=False),
        sa.Column("created", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_artifact_scans_run_id_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact_scans")),
    )
    with op.batch_alter_table("artifact_scans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_artifact_scans_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_artifact_scans_sha256"), ["sha256"], unique=False)
