"""Rows of the assessment stage."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class Assessment(Governed, Base):
    """One assessment of a run's model on the run's hold-out set. A model version that came from the run stands on it.

    ``results`` maps each check's name to its verdict, figures and intervals.
    """

    __tablename__ = "assessments"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(36), index=True)
    run_id: Mapped[str] = mapped_column(String(36), index=True)
    model_version_id: Mapped[str] = mapped_column(String(36), index=True)
    author_id: Mapped[str] = mapped_column(String(36))
    job_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))  # queued, done, failed
    model_digest: Mapped[str] = mapped_column(String(71))
    holdout_digest: Mapped[str] = mapped_column(String(71))
    seed: Mapped[int]
    suite: Mapped[dict[str, Any]]
    results: Mapped[dict[str, Any]]
    ended: Mapped[str] = mapped_column(String(2000))
    created: Mapped[datetime]
    finished: Mapped[datetime | None]
