"""Rows of the monitoring stage."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class DriftReport(Governed, Base):
    """What one comparison of served inputs with the training reference found. ``features`` maps each feature to its figures."""

    __tablename__ = "drift_reports"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(36), index=True)
    deployment_id: Mapped[str] = mapped_column(String(36), index=True)
    model_version_id: Mapped[str] = mapped_column(String(36))
    job_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))  # queued, done, failed
    reference_digest: Mapped[str] = mapped_column(String(71))
    reference_rows: Mapped[int]
    served_rows: Mapped[int]
    features: Mapped[dict[str, Any]]
    verdict: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(2000))
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    created: Mapped[datetime]
