"""Rows of the ledger: events with their payloads, and every checkpoint ever signed."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.store.base import Base


class LedgerEvent(Base):
    """One event. ``leaf`` is what the tree holds; ``payload`` and ``salt`` open its commitment until they are erased.

    ``position`` is the index in the tree: on SQLite given when the event is written, for there is one writer; on PostgreSQL given by the
    sequencer. The columns that repeat the leaf are there to be searched, and ``ledger verify`` compares them with it.
    """

    __tablename__ = "ledger_events"
    __table_args__ = (Index("ix_ledger_events_resource", "resource"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    resource: Mapped[str] = mapped_column(String(200))
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)


class LedgerCheckpoint(Base):
    """A signed tree head. Rows are never changed: consistency is checked against every one of them."""

    __tablename__ = "ledger_checkpoints"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime]
