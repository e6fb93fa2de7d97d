"""Rows of controls: each evaluation leaves its findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.store.base import Base, Governed


class FindingRow(Governed, Base):
    """One control's verdict on one subject, from one evaluation."""

    __tablename__ = "findings"
    __table_args__ = (Index("ix_findings_subject", "subject_kind", "subject_id", "control"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    evaluation_id: Mapped[str] = mapped_column(String(36), index=True)
    project_id: Mapped[str] = mapped_column(String(36), index=True)
    control: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    subject_label: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(2000))
    remedy: Mapped[str] = mapped_column(String(2000))
    figures: Mapped[dict[str, Any]]
    evidence: Mapped[list[str]]
    evaluated: Mapped[datetime]
