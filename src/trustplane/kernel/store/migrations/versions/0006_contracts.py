"""Data contracts, and the quarantine of versions that break them."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_contracts",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by", sa.String(length=36), nullable=False),
        sa.Column("written_at", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_contracts_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_dataset_contracts")),
    )
    op.create_table(
        "quarantine",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("entered", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(length=36), nullable=True),
        sa.Column("released_at", trustplane.kernel.store.base.Instant(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_versions.id"], name=op.f("fk_quarantine_version_id_dataset_versions")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_quarantine")),
    )
