"""Rows of the release stage: models, their versions, approvals and waivers."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class Model(Governed, Base):
    """A model by name; what is released are its versions."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime]


class ModelVersion(Governed, Base):
    """One version of a model: an artifact of a run, admitted in a safe format, with a signed manifest.

    ``signature`` is a DSSE envelope over an in-toto Statement about the artifact. ``interface`` says what the model takes and gives:
    ``{inputs, outputs, features: [{name, minimum, maximum, ...}]}``.
    """

    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("model_id", "number"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"))
    project_id: Mapped[str] = mapped_column(String(36), index=True)
    number: Mapped[int]
    author_id: Mapped[str] = mapped_column(String(36))
    run_id: Mapped[str] = mapped_column(String(36), index=True)
    format: Mapped[str] = mapped_column(String(16))
    blob: Mapped[str] = mapped_column(String(71))  # the encrypted artifact
    sha256: Mapped[str] = mapped_column(String(71))  # of the artifact itself
    size: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str] = mapped_column(String(36))
    holdout_blob: Mapped[str | None] = mapped_column(String(71))
    interface: Mapped[dict[str, Any]]
    signature: Mapped[dict[str, Any]]  # empty until it is signed
    status: Mapped[str] = mapped_column(String(16))  # candidate, approved, rejected
    created: Mapped[datetime]


class Approval(Governed, Base):
    """What a reviewer decided about a model version, and why."""

    __tablename__ = "approvals"
    __table_args__ = (UniqueConstraint("model_version_id", "reviewer_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    model_version_id: Mapped[str] = mapped_column(ForeignKey("model_versions.id"))
    reviewer_id: Mapped[str] = mapped_column(String(36))
    decision: Mapped[str] = mapped_column(String(16))  # approved, rejected
    reason: Mapped[str] = mapped_column(String(2000))
    created: Mapped[datetime]


class Waiver(Governed, Base):
    """Leave for a model version to pass the gate although a control does not, until a date."""

    __tablename__ = "waivers"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    model_version_id: Mapped[str] = mapped_column(ForeignKey("model_versions.id"))
    control: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(2000))
    requester_id: Mapped[str] = mapped_column(String(36))
    granted_by: Mapped[str | None] = mapped_column(String(36))
    expires: Mapped[datetime]
    created: Mapped[datetime]


class ArtifactScan(Governed, Base):
    """What the scan of an output of a run found. ``report`` is ``{objections, globals, loads_code}``."""

    __tablename__ = "artifact_scans"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(36), index=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    artifact: Mapped[str] = mapped_column(String(1000))  # the output's path
    sha256: Mapped[str] = mapped_column(String(71), index=True)  # of the artifact itself
    size: Mapped[int] = mapped_column(BigInteger)
    format: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str] = mapped_column(String(16))  # passed, refused, not-checked
    report: Mapped[dict[str, Any]]
    actor_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]
