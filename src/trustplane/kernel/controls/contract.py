"""What a control is.

Fetching and judging are apart: ``collect`` reads the evidence from the database, ``judge`` is a pure function of it, so that an auditor can
judge the same evidence again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found about one subject. ``events`` are the ids of the ledger events that it stands on; ``at`` is when it was made.

    ``now`` is the moment for which it is judged: the evaluation sets it, so that judging stays a function of the evidence alone.
    """

    facts: Mapping[str, Any]
    events: tuple[str, ...] = ()
    at: datetime | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where controls are evaluated: a project, or one subject of it. ``now`` is the moment of the evaluation."""

    project_id: str
    now: datetime
    subject: Subject | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """One control. ``gate`` says that a model does not move while it fails. Evidence older than ``max_age`` is no evidence."""

    id: str
    title: str
    question: str
    stage: str
    subject_kind: str
    severity: Severity
    subjects: Callable[[Session, Scope], Sequence[Subject]] = field(repr=False)
    collect: Callable[[Session, Subject], Evidence | None] = field(repr=False)
    judge: Callable[[Evidence], Verdict] = field(repr=False)
    remedy: str = ""
    max_age: timedelta | None = None
    gate: bool = False
