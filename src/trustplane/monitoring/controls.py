"""The control that reads drift reports."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.monitoring.tables import DriftReport
from trustplane.serving.controls import deployments
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict


def production_deployments(session: Session, scope: Scope) -> Sequence[Subject]:
    """What is served in production."""
    return deployments(session, scope, production=True)


def collect_drift(session: Session, subject: Subject) -> Evidence | None:
    """The newest comparison that came to an end."""
    row = session.scalar(
        select(DriftReport)
        .where(DriftReport.deployment_id == subject.id, DriftReport.state != "queued")
        .order_by(DriftReport.created.desc(), DriftReport.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    facts = {
        "verdict": row.verdict,
        "reason": row.reason,
        "served_rows": row.served_rows,
        "worst": max((f["psi"] for f in row.features.values()), default=0.0),
    }
    return Evidence(facts, events_about(session, f"Job::{row.job_id}", "job.finish")[-1:], row.created)


def judge_drift(evidence: Evidence) -> Verdict:
    """The verdict of the comparison itself."""
    facts = evidence.facts
    figures = {"served_rows": float(facts["served_rows"]), "worst_psi": float(facts["worst"])}
    match facts["verdict"]:
        case "passed":
            return Passed(facts["reason"], figures)
        case "failed":
            return Failed(facts["reason"], "look for a change in the source of the inputs, or retrain", figures)
    return Inconclusive(facts["reason"], "compare again once that has changed")


CONTROLS = (
    Control(
        "TP-MON-01",
        "Drift is watched",
        "Were the served inputs compared with the training data within a week, and has none drifted?",
        "monitoring",
        "deployment",
        Severity.MEDIUM,
        production_deployments,
        collect_drift,
        judge_drift,
        "compare with 'trustplane monitor run', and have it done by the calendar with 'trustplane monitor schedule'",
        timedelta(days=7),
    ),
)
