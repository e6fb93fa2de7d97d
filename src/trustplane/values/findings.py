"""Findings: what an evaluation of a control leaves behind."""

from dataclasses import dataclass, field
from enum import StrEnum

from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict


class Severity(StrEnum):
    """How much a failing control matters; from low to critical."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Status(StrEnum):
    """The status of a finding. Only ``passed`` counts as passed."""

    PASSED = "passed"
    FAILED = "failed"
    NO_EVIDENCE = "no-evidence"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"


def status_of(verdict: Verdict) -> Status:
    """The status that a verdict gives."""
    match verdict:
        case Passed():
            return Status.PASSED
        case Failed():
            return Status.FAILED
        case Inconclusive():
            return Status.NO_EVIDENCE
        case NotApplicable():
            return Status.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: a kind (``dataset``, ``model``, ``deployment``, ``plane``) and an id."""

    kind: str
    id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One control's verdict on one subject, with the ledger events it was computed from."""

    control: str
    subject: Subject
    status: Status
    severity: Severity
    reason: str
    remedy: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
