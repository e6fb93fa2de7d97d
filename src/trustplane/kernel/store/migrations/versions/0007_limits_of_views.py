"""What a view withholds although it is open."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "view_limits",
        sa.Column("view_id", sa.String(length=36), nullable=False),
        sa.Column("masks", sa.JSON(), nullable=False),
        sa.Column("unmasked", sa.JSON(), nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column("sample", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["view_id"], ["views.id"], name=op.f("fk_view_limits_view_id_views")),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_view_limits")),
    )
