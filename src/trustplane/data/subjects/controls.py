"""The controls on retention and on requests: is nothing kept too long, is every request answered in time, has every model an outcome?"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.storage import has_keys
from trustplane.data.subjects.outcomes import undecided
from trustplane.data.subjects.requests import CLOSED
from trustplane.data.tables import Dataset, DatasetVersion, SubjectRequest
from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger.evidence import events_about
from trustplane.values.clock import parse_rfc3339, rfc3339
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, NotApplicable, Passed, Verdict

SOON = timedelta(days=7)


def datasets(session: Session, scope: Scope) -> Sequence[Subject]:
    """The datasets of a project."""
    rows = session.scalars(select(Dataset).where(Dataset.project_id == scope.project_id).order_by(Dataset.name))
    return [Subject("dataset", row.id, row.name) for row in rows]


def requests(session: Session, scope: Scope) -> Sequence[Subject]:
    """The project whose requests are judged together: findings name no request of a person."""
    row = session.get(Project, scope.project_id)
    return [] if row is None else [Subject("project", row.id, row.name)]


def collect_retention(session: Session, subject: Subject) -> Evidence | None:
    """Until when each version that can still be read may be kept."""
    row = session.get(Dataset, subject.id)
    if row is None:
        return None
    versions = session.scalars(select(DatasetVersion).where(DatasetVersion.dataset_id == row.id)).all()
    days = row.retention_days
    ends = [] if days is None else [v.created + timedelta(days=days) for v in versions if has_keys(session, v)]
    facts = {"days": days, "held": row.held, "ends": sorted(rfc3339(e) for e in ends)}
    name = f"Dataset::{row.id}"
    return Evidence(
        facts, (*events_about(session, name, "dataset.erase")[-1:], *events_about(session, name, "dataset.ingest")[-1:])
    )


def judge_retention(evidence: Evidence) -> Verdict:
    """No version that can be read is past the retention of its dataset, unless a legal hold keeps it."""
    facts, now = evidence.facts, evidence.now
    if facts["days"] is None:
        return Failed(
            "no retention is declared", "declare it with the next 'trustplane dataset ingest --retention DAYS'"
        )
    late = sum(1 for end in facts["ends"] if now is not None and parse_rfc3339(end) <= now)
    figures = {"versions": float(len(facts["ends"])), "late": float(late)}
    if late and facts["held"]:
        return Passed(f"{late} versions past {facts['days']} days are kept by a legal hold", figures)
    if late:
        return Failed(
            f"{late} versions are kept beyond {facts['days']} days", "run 'trustplane retention run'", figures
        )
    return Passed(f"nothing is kept beyond {facts['days']} days", figures)


def collect_requests(session: Session, subject: Subject) -> Evidence | None:
    """When the open requests are due, and how many were answered late."""
    rows = session.scalars(select(SubjectRequest).where(SubjectRequest.project_id == subject.id)).all()
    facts = {
        "open": sorted(rfc3339(r.due) for r in rows if r.state not in CLOSED),
        "closed": sum(1 for r in rows if r.state in CLOSED),
        "closed_late": sum(1 for r in rows if r.closed_at is not None and r.closed_at > r.due),
    }
    return Evidence(facts, _events(session, subject, "request.update"))


def _events(session: Session, subject: Subject, action: str) -> tuple[str, ...]:
    """The newest events of a project with this action; that it was made, where there are none."""
    name = f"Project::{subject.id}"
    return events_about(session, name, action)[-20:] or events_about(session, name, "project.create")


def judge_requests(evidence: Evidence) -> Verdict:
    """No open request is past its time (GDPR art. 12(3))."""
    facts, now = evidence.facts, evidence.now
    if not facts["open"] and not facts["closed"]:
        return NotApplicable("nobody has asked for anything yet")
    due = [parse_rfc3339(d) for d in facts["open"]]
    late = sum(1 for d in due if now is not None and d <= now)
    soon = sum(1 for d in due if now is not None and now < d <= now + SOON)
    figures: dict[str, float] = {
        "open": len(due),
        "late": late,
        "due_within_a_week": soon,
        "closed_late": facts["closed_late"],
    }
    if late:
        return Failed(f"{late} requests are overdue", "answer them, or say why not: 'trustplane request list'", figures)
    said = f"{len(due)} requests are open and none is overdue; {facts['closed']} are closed"
    return Passed(said + (f", {facts['closed_late']} of them late" if facts["closed_late"] else ""), figures)


def collect_outcomes(session: Session, subject: Subject) -> Evidence | None:
    """How many things that rows of erased people went into have no outcome, and whose date has passed."""
    rows = session.scalars(select(SubjectRequest).where(SubjectRequest.project_id == subject.id)).all()
    erased = [r for r in rows if r.erased]
    decided: list[Any] = [said for r in erased for said in r.outcomes.values()]
    facts = {
        "erased": len(erased),
        "undecided": sum(len(undecided(session, r)) for r in erased),
        "decided": len(decided),
        "dates": sorted(said["until"] for said in decided if said["until"] is not None),
    }
    return Evidence(
        facts, tuple(said["event"] for said in decided)[-20:] or _events(session, subject, "request.update")
    )


def judge_outcomes(evidence: Evidence) -> Verdict:
    """Every model and run that rows of an erased person went into has an outcome, and none is past its date."""
    facts, now = evidence.facts, evidence.now
    if not facts["erased"]:
        return NotApplicable("nobody was erased yet")
    late = sum(1 for d in facts["dates"] if now is not None and parse_rfc3339(d) <= now)
    figures = {"undecided": float(facts["undecided"]), "decided": float(facts["decided"]), "late": float(late)}
    if facts["undecided"]:
        said = f"{facts['undecided']} models or runs that erased people went into have no outcome"
        return Failed(said, "record one for each with 'trustplane request outcome'", figures)
    if late:
        return Failed(
            f"{late} outcomes are past their date", "do what was promised, and record the new outcome", figures
        )
    return Passed(f"all {facts['decided']} models and runs that erased people went into have an outcome", figures)


CONTROLS = (
    Control(
        "TP-DAT-04",
        "Nothing is kept too long",
        "Is every version destroyed once its dataset's retention is over?",
        "data",
        "dataset",
        Severity.HIGH,
        datasets,
        collect_retention,
        judge_retention,
        "run 'trustplane retention run'",
    ),
    Control(
        "TP-DAT-05",
        "Requests are answered in time",
        "Is every request of a data subject answered or refused within its time?",
        "data",
        "project",
        Severity.CRITICAL,
        requests,
        collect_requests,
        judge_requests,
        "answer the requests that 'trustplane request list' shows",
    ),
    Control(
        "TP-DAT-06",
        "Erasure reaches models",
        "Is it decided what becomes of every model that rows of an erased person went into?",
        "data",
        "project",
        Severity.HIGH,
        requests,
        collect_outcomes,
        judge_outcomes,
        "record the outcomes with 'trustplane request outcome'",
    ),
)
