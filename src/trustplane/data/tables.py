"""Rows of the data stage: datasets, their versions, and views."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class Dataset(Governed, Base):
    """A dataset: what it is for, on what legal basis, for how long, and who answers for it."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(String(2000))
    owner_id: Mapped[str] = mapped_column(String(36))
    source: Mapped[str] = mapped_column(String(2000))
    purposes: Mapped[list[str]]
    lawful_basis: Mapped[str] = mapped_column(String(100))
    retention_days: Mapped[int | None]
    held: Mapped[bool]
    created: Mapped[datetime]


class DatasetVersion(Governed, Base):
    """One version of a dataset: an encrypted Parquet object, with a key per sensitivity class from which those of columns are derived."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(71))
    size: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[dict[str, Any]]
    classes: Mapped[dict[str, Any]]
    proposals: Mapped[dict[str, Any]]
    statistics: Mapped[dict[str, Any]]
    keys: Mapped[dict[str, Any]]
    confirmed_by: Mapped[str | None] = mapped_column(String(36))
    confirmed_at: Mapped[datetime | None]
    created: Mapped[datetime]


class View(Governed, Base):
    """The only way to rows: some columns of one version, filtered, pseudonymised, for one purpose, until a date."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"))
    name: Mapped[str] = mapped_column(String(64))
    columns: Mapped[list[str]]
    row_filter: Mapped[str] = mapped_column(String(2000))
    pseudonyms: Mapped[list[str]]
    pseudonym_key: Mapped[str | None] = mapped_column(String(36))
    purpose: Mapped[str] = mapped_column(String(100))
    expires: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]


class ViewLimits(Governed, Base):
    """What a view withholds although it is open; see :mod:`trustplane.data.view_limits`."""

    __tablename__ = "view_limits"

    view_id: Mapped[str] = mapped_column(ForeignKey("views.id"), primary_key=True)
    masks: Mapped[dict[str, Any]]
    unmasked: Mapped[list[str]]
    groups: Mapped[int]
    sample: Mapped[int | None] = mapped_column(BigInteger)


class ViewRequest(Governed, Base):
    """That somebody asks for a view, and what was decided."""

    __tablename__ = "view_requests"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    spec: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(String(2000))
    asked_by: Mapped[str] = mapped_column(String(36))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))  # waiting, granted, refused
    decided_by: Mapped[str | None] = mapped_column(String(36))
    decided_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(String(2000))
    view_id: Mapped[str | None] = mapped_column(String(36))


class SubjectRequest(Governed, Base):
    """What a person asks of those who hold their data, and what became of it.

    ``sealed`` holds what the person is called, under the request's own key, which is destroyed when the request is closed. ``found`` maps
    datasets to ``{versions: {id: rows}}``; ``erased`` maps datasets to ``{event, versions, replaced}``; ``outcomes`` maps model versions to
    what was decided about them.
    """

    __tablename__ = "subject_requests"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    law: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))  # received, verified, working, answered, refused
    key_id: Mapped[str] = mapped_column(String(36))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    received: Mapped[datetime]
    due: Mapped[datetime]
    delayed: Mapped[str] = mapped_column(String(100))  # the ground for more time; empty without one
    verified: Mapped[str] = mapped_column(String(200))  # how the person was identified
    ground: Mapped[str] = mapped_column(String(100))  # of a refusal
    answer: Mapped[str] = mapped_column(String(2000))
    found: Mapped[dict[str, Any]]
    erased: Mapped[dict[str, Any]]
    outcomes: Mapped[dict[str, Any]]
    job_id: Mapped[str] = mapped_column(String(36))
    opened_by: Mapped[str] = mapped_column(String(36))
    closed_at: Mapped[datetime | None]


class Datasheet(Governed, Base):
    """What people say of a dataset that nothing can measure: how it was collected, what it is good for, what it is not."""

    __tablename__ = "datasheets"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    parts: Mapped[dict[str, Any]]
    written_by: Mapped[str] = mapped_column(String(36))
    written_at: Mapped[datetime]


class DatasetContract(Governed, Base):
    """What every version of a dataset must keep to, as people wrote it."""

    __tablename__ = "dataset_contracts"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    written_by: Mapped[str] = mapped_column(String(36))
    written_at: Mapped[datetime]


class Quarantine(Governed, Base):
    """A version that broke its contract: kept and not used, until somebody lets it out. ``report`` names rules and rows, no value."""

    __tablename__ = "quarantine"

    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"), primary_key=True)
    report: Mapped[dict[str, Any]]
    entered: Mapped[datetime]
    released_by: Mapped[str | None] = mapped_column(String(36))
    released_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(2000))


class VersionLook(Governed, Base):
    """What a look for poisoning found in a version, and what a data steward said of it. ``report`` names columns and rows, no value."""

    __tablename__ = "version_looks"

    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"), primary_key=True)
    report: Mapped[dict[str, Any]]
    settled_by: Mapped[str | None] = mapped_column(String(36))
    settled_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(2000))


class PrivacyBudget(Governed, Base):
    """How much may be told of a dataset for a purpose, in millionths of epsilon, and how much was.

    The noise hides one row or, where ``unit`` is a column, at most ``rows`` rows of whoever it names.
    """

    __tablename__ = "privacy_budgets"
    __table_args__ = (UniqueConstraint("dataset_id", "purpose"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    purpose: Mapped[str] = mapped_column(String(100))
    total: Mapped[int] = mapped_column(BigInteger)
    spent: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(String(500))
    rows: Mapped[int]


class PrivacyRelease(Governed, Base):
    """A statistic that was told, with its noise, and what it cost."""

    __tablename__ = "privacy_releases"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    budget_id: Mapped[str] = mapped_column(ForeignKey("privacy_budgets.id"), index=True)
    view_id: Mapped[str] = mapped_column(ForeignKey("views.id"))
    version_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(16))
    column: Mapped[str] = mapped_column(String(500))
    epsilon: Mapped[int] = mapped_column(BigInteger)
    question: Mapped[str] = mapped_column(String(71))
    answer: Mapped[dict[str, Any]]
    actor_id: Mapped[str] = mapped_column(String(36))
    at: Mapped[datetime]
