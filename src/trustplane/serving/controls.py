"""The control that reads deployments: is what is served approved, and every answer on record?"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.identity.tables import Environment
from trustplane.kernel.ledger.evidence import events_about
from trustplane.release.tables import ModelVersion
from trustplane.serving.tables import Decision, Deployment
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Passed, Verdict

SUBJECT_KIND = "deployment"


def deployments(session: Session, scope: Scope, *, production: bool = False) -> Sequence[Subject]:
    """The active deployments of a project, or those in production alone."""
    query = (
        select(Deployment)
        .join(Environment, Environment.id == Deployment.environment_id)
        .where(Deployment.project_id == scope.project_id, Deployment.status == "active")
        .order_by(Deployment.id)
    )
    if production:
        query = query.where(Environment.production.is_(True))
    return [Subject(SUBJECT_KIND, row.id, row.name) for row in session.scalars(query)]


def collect_serving(session: Session, subject: Subject) -> Evidence | None:
    """What is served, and how many answers and events of answers there are."""
    row = session.get(Deployment, subject.id)
    if row is None:
        return None
    version = session.get_one(ModelVersion, row.model_version_id)
    name = f"Deployment::{row.id}"
    answered = events_about(session, name, "deployment.infer")
    facts = {
        "production": session.get_one(Environment, row.environment_id).production,
        "approved": version.status == "approved",
        "signed": bool(version.signature),
        "decisions": session.scalar(select(func.count()).where(Decision.deployment_id == row.id)) or 0,
        "events": len(answered),
    }
    events = (*events_about(session, name, "deployment.create"), *answered[-2:])
    return Evidence(facts, events, row.created)


def judge_serving(evidence: Evidence) -> Verdict:
    """What is served is signed, in production approved, and each answer has its record."""
    facts = evidence.facts
    figures = {"decisions": float(facts["decisions"]), "events": float(facts["events"])}
    if not facts["signed"] or (facts["production"] and not facts["approved"]):
        return Failed("what is served is not signed and approved", "retire it, and deploy an approved version", figures)
    if facts["decisions"] != facts["events"]:
        why = f"there are {facts['events']:,} answers in the log and {facts['decisions']:,} on record"
        return Failed(why, "run 'trustplane ledger verify'", figures)
    where = "approved and signed" if facts["production"] else "signed"
    return Passed(f"what is served is {where}, and all {facts['decisions']:,} answers are on record", figures)


CONTROLS = (
    Control(
        "TP-SRV-01",
        "Every answer is on record",
        "Is what is served signed and approved, and does every answer have its record?",
        "serving",
        SUBJECT_KIND,
        Severity.CRITICAL,
        deployments,
        collect_serving,
        judge_serving,
        "run 'trustplane ledger verify'",
    ),
)
