"""Looks at versions for signs of poisoning."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "version_looks",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("settled_by", sa.String(length=36), nullable=True),
        sa.Column("settled_at", trustplane.kernel.store.base.Instant(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_versions.id"], name=op.f("fk_version_looks_version_id_dataset_versions")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_version_looks")),
    )
