"""Evaluating the controls of a project, and reports of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.compliance.mappings import clauses_by_control, frameworks
from trustplane.compliance.report import document, encode, render
from trustplane.compliance.tables import Report
from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.controls.evaluation import evaluate, keep
from trustplane.kernel.controls.registry import registered
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.vault.artifacts import seal, unseal
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.release.gate import waived_controls, with_waivers
from trustplane.release.tables import ModelVersion
from trustplane.training.tables import Run
from trustplane.values.clock import rfc3339
from trustplane.values.errors import NotFound
from trustplane.values.findings import Finding
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane


def mapped_clauses() -> dict[str, dict[str, list[str]]]:
    """The clauses of each control, by framework."""
    return clauses_by_control()


def evaluate_controls(plane: "Plane", actor: "Actor", project: str) -> str:
    """Evaluate every control on every subject of a project, and keep the findings; return the evaluation's id."""
    with plane.database.read() as session:
        row = find_project(session, project)
        target, project_id = project_target(row), row.id
    with plane.operation(actor, "control.evaluate", target) as op:
        now = plane.clock.now()
        findings = look(op.session, project_id, now)
        evaluation = keep(op.session, findings, project_id, now)
        op.record(evaluation=evaluation, counts=dict(Counter(str(f.status) for f in findings)))
        op.made(evaluation)
        return evaluation


def look(session: Session, project_id: str, now: "datetime") -> tuple[Finding, ...]:
    """What the controls find in a project at this moment; findings that a waiver covers are marked so."""
    findings = evaluate(session, registered(), Scope(project_id, now))
    covered: dict[str, set[str]] = {}
    for version in session.scalars(select(ModelVersion).where(ModelVersion.project_id == project_id)):
        waived = waived_controls(session, version.id, now)
        for subject in (version.id, session.get_one(Run, version.run_id).id):
            covered.setdefault(subject, set()).update(waived)
    return tuple(with_waivers([f], frozenset(covered.get(f.subject.id, ())))[0] for f in findings)


def create_report(plane: "Plane", actor: "Actor", project: str, idempotency: "Idempotency | None" = None) -> str:
    """Evaluate the controls and make a report; return its id. Each event that a finding stands on comes with its receipt."""
    now = plane.clock.now()
    with plane.database.read() as session:
        row = find_project(session, project)
        target, project_id, project_key, name = project_target(row), row.id, row.key_id, row.name
        findings = look(session, project_id, now)
    # Receipts are taken before the unit of work: they may have to wait for the sequencer, which waits for the writer.
    receipts = {event: plane.ledger.receipt(event) for event in _events(findings)}
    with plane.operation(actor, "report.create", target, idempotency=idempotency) as op:
        evaluation = keep(op.session, findings, project_id, now)
        newest = plane.ledger.checkpoint()
        report_id = new_id()
        about = {
            "id": report_id,
            "project": name,
            "created": rfc3339(now),
            "author": actor.name,
            "evaluation": evaluation,
            "origin": plane.workspace.origin,
            "vkey": str(plane.ledger.vkey),
            "size": 0 if newest is None else newest.size,
        }
        body = document(about, registered(), findings, frameworks(), receipts)
        parent = release(op, op.session, plane.keystore, [project_key])[project_key]
        key_row, key = mint(parent, KeySpec("report", f"report:{report_id}", project_id), now)
        forms = {
            "json": seal(plane.blobs, key, [encode(body)], f"report:{report_id}", now),
            "html": seal(plane.blobs, key, [render(body).encode()], f"report:{report_id}", now),
        }
        report = Report(
            id=report_id,
            project_id=project_id,
            evaluation_id=evaluation,
            author_id=actor.answerable,
            counts=body["counts"],
            json_blob=forms["json"].digest,
            html_blob=forms["html"].digest,
            key_id=key_row.id,
            created=now,
        )
        op.session.add_all((key_row, report, *(f.row for f in forms.values())))
        op.record(report=report_id, evaluation=evaluation, counts=body["counts"])
        op.refer(json=forms["json"].sha256, html=forms["html"].sha256)
        op.made(report_id)
        return report_id


def open_report(plane: "Plane", actor: "Actor", project: str, report_id: str, kind: str) -> Iterator[bytes]:
    """The bytes of a report, as ``json`` or ``html``. The opening is on durable record first."""
    with plane.database.read() as session:
        row = find_project(session, project)
        report = session.get(Report, report_id)
        if report is None or report.project_id != row.id:
            raise NotFound("TP-REPORT-001", f"there is no report {report_id[:64]!r} in the project")
        target = project_target(row)
    blob = report.html_blob if kind == "html" else report.json_blob
    with plane.operation(actor, "report.read", target) as op:
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [report.key_id])[report.key_id]
        op.record(report=report.id, form=kind)
        op.refer(report=blob)
    return unseal(plane.blobs, key, blob, f"report:{report.id}")


def _events(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(event for finding in findings for event in finding.evidence))
