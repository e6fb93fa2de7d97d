"""Privacy budgets, and what they were spent on."""

import sqlalchemy as sa
from alembic import op

import trustplane.kernel.store.base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "privacy_budgets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=100), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=500), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_privacy_budgets_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_budgets")),
        sa.UniqueConstraint("dataset_id", "purpose", name=op.f("uq_privacy_budgets_dataset_id_purpose")),
    )
    op.create_table(
        "privacy_releases",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("budget_id", sa.String(length=36), nullable=False),
        sa.Column("view_id", sa.String(length=36), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("column", sa.String(length=500), nullable=False),
        sa.Column("epsilon", sa.BigInteger(), nullable=False),
        sa.Column("question", sa.String(length=71), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=False),
        sa.Column("at", trustplane.kernel.store.base.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["privacy_budgets.id"], name=op.f("fk_privacy_releases_budget_id_privacy_budgets")
        ),
        sa.ForeignKeyConstraint(["view_id"], ["views.id"], name=op.f("fk_privacy_releases_view_id_views")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_releases")),
    )
    op.create_index(op.f("ix_privacy_releases_budget_id"), "privacy_releases", ["budget_id"])
