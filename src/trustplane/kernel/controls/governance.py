"""The kernel's own controls: are duties separated, and does the log keep up?"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.identity.tables import Binding, Environment, Principal, Project
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.ledger.tables import LedgerCheckpoint, LedgerEvent
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Passed, Verdict

APART = (("scientist", "reviewer"), ("scientist", "operator"), ("reviewer", "operator"))
"""Roles that nobody holds together where duties are separated (NIST SP 800-53 AC-5)."""
BEHIND = 1000


def projects(session: Session, scope: Scope) -> Sequence[Subject]:
    """The project itself."""
    row = session.get(Project, scope.project_id)
    return [] if row is None else [Subject("project", row.id, row.name)]


def collect_roles(session: Session, subject: Subject) -> Evidence | None:
    """Which roles each account holds in the project, by all of its principals."""
    here = {subject.id, "plane", *session.scalars(select(Environment.id).where(Environment.project_id == subject.id))}
    held: dict[str, set[str]] = defaultdict(set)
    owning_services = 0
    for role, scope_id, kind, principal, owner in session.execute(
        select(Binding.role, Binding.scope_id, Principal.kind, Principal.id, Principal.owner_id).join(
            Principal, Principal.id == Binding.principal_id
        )
    ):
        if scope_id in here:
            held[owner or principal].add(role)
            owning_services += kind == "service" and role == "owner"
    together = sum(1 for roles in held.values() if any(set(pair) <= roles for pair in APART))
    facts = {"accounts": len(held), "together": together, "owning_services": owning_services}
    events = events_about(session, f"Project::{subject.id}", "binding.grant")
    return Evidence(facts, events[-8:])


def judge_roles(evidence: Evidence) -> Verdict:
    """Nobody holds roles that belong apart, and no service owns."""
    facts = evidence.facts
    figures = {name: float(facts[name]) for name in ("accounts", "together", "owning_services")}
    if facts["together"]:
        why = f"{facts['together']} of {facts['accounts']} accounts hold roles that belong apart"
        return Failed(why, "take one of the roles back with 'trustplane user revoke'", figures)
    if facts["owning_services"]:
        return Failed("a service holds the role owner", "give it a narrower role", figures)
    return Passed(f"none of {facts['accounts']} accounts holds roles that belong apart", figures)


def collect_log(session: Session, subject: Subject) -> Evidence | None:  # noqa: ARG001 - the log is the plane's
    """How far the signed tree is behind the events."""
    total = session.scalar(select(func.count()).select_from(LedgerEvent)) or 0
    signed = session.scalar(select(func.max(LedgerCheckpoint.size))) or 0
    newest = session.scalar(
        select(LedgerEvent.id).where(LedgerEvent.position < signed).order_by(LedgerEvent.position.desc()).limit(1)
    )
    return Evidence({"events": total, "signed": signed}, (newest,)) if newest is not None else None


def judge_log(evidence: Evidence) -> Verdict:
    """The signed tree holds all events but the very last."""
    events, signed = evidence.facts["events"], evidence.facts["signed"]
    figures = {"events": float(events), "signed": float(signed)}
    if events - signed > BEHIND:
        return Failed(f"{events - signed:,} events are not in the signed tree", "see 'trustplane doctor'", figures)
    return Passed(
        f"the signed tree holds {signed:,} of {events:,} events; the rest are taken in within a second", figures
    )


CONTROLS = (
    Control(
        "TP-ACC-01",
        "Duties are separated",
        "Does nobody hold roles together that belong apart?",
        "kernel",
        "project",
        Severity.HIGH,
        projects,
        collect_roles,
        judge_roles,
        "take one of the roles back with 'trustplane user revoke'",
    ),
    Control(
        "TP-GOV-01",
        "Everything is on record",
        "Does the signed log keep up with what happens?",
        "kernel",
        "project",
        Severity.HIGH,
        projects,
        collect_log,
        judge_log,
        "see 'trustplane doctor'",
    ),
)
