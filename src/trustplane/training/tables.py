"""Rows of the training stage: runs, how they are run, what they logged, and the threat models that a project keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from trustplane.kernel.tables import Base, Governed


class Run(Governed, Base):
    """One run of a user's script: what went in, what came out, and everything that made it so.

    ``inputs`` maps each view's name to ``{view, version, digest, rows}``; ``outputs`` each output's path to
    ``{digest, sha256, size}`` of its encrypted blob and of its plaintext; ``environment`` holds the interpreter, the lock's digest and what
    the sandbox let the script read. Every blob of a run is under the one key ``key_id``.
    """

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    author_id: Mapped[str] = mapped_column(String(36))
    actor_id: Mapped[str] = mapped_column(String(36))
    scopes: Mapped[list[str]]  # of the token that started it; the job reaches no further
    job_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))  # queued, done, failed
    script: Mapped[str] = mapped_column(String(200))
    code: Mapped[str] = mapped_column(String(71))  # SHA-256 over the files of the script
    code_blob: Mapped[str] = mapped_column(String(71))
    parameters: Mapped[dict[str, Any]]
    seed: Mapped[int]
    git: Mapped[dict[str, Any]]
    environment: Mapped[dict[str, Any]]
    limits: Mapped[dict[str, Any]]
    sandbox: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(2000))  # why it went without a sandbox; empty where it did not
    inputs: Mapped[dict[str, Any]]
    outputs: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    log_blob: Mapped[str | None] = mapped_column(String(71))
    ended: Mapped[str] = mapped_column(String(2000))  # how it ended, in words; empty while it has not
    key_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]
    finished: Mapped[datetime | None]


class RunDetail(Governed, Base):
    """How a run is run, and what it said of itself; a run from before there was this row is a script under the profile ``strict``.

    ``repeats`` names the run that this one does again, and ``comparison`` what differed: see :mod:`trustplane.training.repetition`.
    ``logged`` is ``{parameters, artifacts, dropped}``: see :mod:`trustplane.training.logged`.
    """

    __tablename__ = "run_details"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    entry: Mapped[str] = mapped_column(String(100))  # the function that is called; empty unless the kind is callable
    profile: Mapped[str] = mapped_column(String(32))
    repeats: Mapped[str] = mapped_column(String(36), index=True)  # empty unless it repeats another
    tolerance: Mapped[float] = mapped_column(Float)  # relative, for metrics of a repetition
    comparison: Mapped[dict[str, Any]]
    logged: Mapped[dict[str, Any]]


class RunSeries(Governed, Base):
    """One metric of a run over its steps: ``points`` is ``{steps, values, times}``, three lists of one length.

    A value is None where the script logged what is no finite number.
    """

    __tablename__ = "run_series"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    points: Mapped[dict[str, Any]]


class KeptThreat(Governed, Base):
    """One version of a threat model, as people wrote it. Rows are added and never changed.

    ``digest`` is the SHA-256 of ``text``, and what an assessment remembers. ``facts`` are its figures: see
    :func:`trustplane.training.threats.telling.summary`.
    """

    __tablename__ = "threat_models"
    __table_args__ = (UniqueConstraint("project_id", "name", "number"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(71), index=True)
    facts: Mapped[dict[str, Any]]
    author_id: Mapped[str] = mapped_column(String(36))
    created: Mapped[datetime]
