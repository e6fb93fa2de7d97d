"""Rows of the serving stage: deployments, and the decisions that they gave."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class Deployment(Governed, Base):
    """A model version served under a name in an environment."""

    __tablename__ = "deployments"
    __table_args__ = (Index("ix_deployments_name", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environments.id"))
    model_version_id: Mapped[str] = mapped_column(ForeignKey("model_versions.id"))
    name: Mapped[str] = mapped_column(String(128))  # under which it is served
    author_id: Mapped[str] = mapped_column(String(36))  # who deployed it
    key_id: Mapped[str] = mapped_column(String(36))  # encrypts its decisions
    status: Mapped[str] = mapped_column(String(16))  # active, retired
    created: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Decision(Governed, Base):
    """One answered request: what was asked and what was answered, encrypted under the deployment's key, or under that of the person it is
    about. Its id is its event's. ``sealed`` is empty once the person was erased."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_deployment", "deployment_id", "at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    deployment_id: Mapped[str] = mapped_column(String(36))
    model_version_id: Mapped[str] = mapped_column(String(36))
    actor_id: Mapped[str] = mapped_column(String(36))
    rows: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class DecisionSubject(Governed, Base):
    """Whom a decision is about: a keyed hash of what the person is called, and the key under which decisions about the person are sealed."""

    __tablename__ = "decision_subjects"
    __table_args__ = (Index("ix_decision_subjects_tag", "deployment_id", "tag"),)

    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"), primary_key=True)
    deployment_id: Mapped[str] = mapped_column(String(36))
    tag: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(36))
