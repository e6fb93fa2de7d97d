"""Rows of identity: the scopes (project, environment), principals, bindings, tokens, and the log-in throttle."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.store.base import Base, Governed


class Project(Governed, Base):
    """A project: the scope in which data, models and roles live."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    description: Mapped[str] = mapped_column(String(2000), default="")
    key_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]


class Environment(Governed, Base):
    """Where models are deployed within a project. ``production`` decides which rules hold."""

    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(64))
    production: Mapped[bool]
    created: Mapped[datetime]


class Principal(Governed, Base):
    """A user or a service. ``name`` is a handle; what else is known of a person stays out of the plane.

    ``owner_id`` is the user who answers for a service; it issues the service's tokens and counts as the service where duties are separated.
    """

    __tablename__ = "principals"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64), unique=True)
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("principals.id"))
    password: Mapped[str | None] = mapped_column(String(256))
    disabled_at: Mapped[datetime | None]
    created: Mapped[datetime]


class Binding(Governed, Base):
    """A role that a principal has at the plane, a project or an environment."""

    __tablename__ = "bindings"
    __table_args__ = (UniqueConstraint("principal_id", "role", "scope_kind", "scope_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    principal_id: Mapped[str] = mapped_column(ForeignKey("principals.id"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    scope_kind: Mapped[str] = mapped_column(String(16))
    scope_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]


class Token(Governed, Base):
    """A bearer token or a console session. Only a keyed hash of the secret is kept."""

    __tablename__ = "tokens"
    __volatile__: ClassVar[frozenset[str]] = frozenset({"last_used"})

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    principal_id: Mapped[str] = mapped_column(ForeignKey("principals.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(200), default="")
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scopes: Mapped[list[str]]
    created: Mapped[datetime]
    expires: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used: Mapped[datetime | None]


class LoginThrottle(Base):
    """Failures of late for one pseudonym of a name or an address; a counter, not a record."""

    __tablename__ = "login_throttle"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class Replay(Base):
    """What an idempotency key already made, so that a repeated request finds it instead of making it again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created", "created"),)

    principal_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request: Mapped[str] = mapped_column(String(71))
    made: Mapped[str] = mapped_column(String(200))
    created: Mapped[datetime]
