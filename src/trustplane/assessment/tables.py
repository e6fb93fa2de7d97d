"""Rows of the assessment stage."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
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


class AssessmentEvidence(Governed, Base):
    """Rows that a check of an assessment left as evidence, sealed under the assessment's key. ``name`` is ``CHECK.NAME``."""

    __tablename__ = "assessment_evidence"
    __table_args__ = (UniqueConstraint("assessment_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    assessment_id: Mapped[str] = mapped_column(ForeignKey("assessments.id"))
    project_id: Mapped[str] = mapped_column(String(36), index=True)
    name: Mapped[str] = mapped_column(String(140))
    rows: Mapped[int]
    blob: Mapped[str] = mapped_column(String(71))  # the encrypted table
    sha256: Mapped[str] = mapped_column(String(71))  # of the Parquet file itself
    size: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]
