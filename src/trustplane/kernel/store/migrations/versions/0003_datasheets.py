"""Datasheets."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "datasheets",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("written_by", sa.String(length=36), nullable=False),
        sa.Column("written_at", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_datasheets_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_datasheets")),
    )
