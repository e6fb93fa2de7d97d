"""Threat models that projects keep."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "threat_models",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("author_id", sa.String(length=36), nullable=False),
        sa.Column("created", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_threat_models_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threat_models")),
        sa.UniqueConstraint("project_id", "name", "number", name=op.f("uq_threat_models_project_id_name_number")),
    )
    with op.batch_alter_table("threat_models", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_threat_models_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_threat_models_project_id"), ["project_id"], unique=False)
