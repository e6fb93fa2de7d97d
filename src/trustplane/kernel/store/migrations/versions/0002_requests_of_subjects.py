"""Requests of data subjects."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subject_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("law", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.Column("due", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.Column("delayed", sa.String(length=100), nullable=False),
        sa.Column("verified", sa.String(length=200), nullable=False),
        sa.Column("ground", sa.String(length=100), nullable=False),
        sa.Column("answer", sa.String(length=2000), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("erased", sa.JSON(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("opened_by", sa.String(length=36), nullable=False),
        sa.Column("closed_at", trustplane.kernel.store.base.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_subject_requests_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject_requests")),
    )
    with op.batch_alter_table("subject_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subject_requests_project_id"), ["project_id"], unique=False)
