"""Rows of policy: the texts that a workspace adds to the built-in policies."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.store.base import Base, Governed


class PolicyText(Governed, Base):
    """Policies that somebody proposed. They are in force once somebody else has accepted them, until they are withdrawn."""

    __tablename__ = "policies"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)
    proposer_id: Mapped[str] = mapped_column(String(36))
    accepted_by: Mapped[str | None] = mapped_column(String(36))
    accepted_at: Mapped[datetime | None]
    created: Mapped[datetime]
