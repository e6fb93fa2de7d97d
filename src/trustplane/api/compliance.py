"""Controls, their findings, and reports."""

from collections import Counter
from typing import Any, Literal

from fastapi import APIRouter, status
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Paged, listed, moment, names_of, page_of
from trustplane.api.release import finding_facts
from trustplane.compliance.lineage import lineage
from trustplane.compliance.service import create_report, evaluate_controls, mapped_clauses, open_report
from trustplane.compliance.tables import Report
from trustplane.kernel.controls.registry import registered
from trustplane.kernel.controls.tables import FindingRow
from trustplane.kernel.identity.scopes import project_target

router = APIRouter(prefix=PREFIX, tags=["compliance"], responses=PROBLEMS)
_TYPES = {"json": "application/json", "html": "text/html; charset=utf-8"}


@router.get("/controls")
def controls(_door: Asked) -> dict[str, Any]:
    """Every registered control, with the clauses that it answers to: rules of the plane, which everybody may know who is held to them."""
    clauses = mapped_clauses()
    return listed(
        {
            "id": c.id,
            "title": c.title,
            "question": c.question,
            "stage": c.stage,
            "subject": c.subject_kind,
            "severity": str(c.severity),
            "gate": c.gate,
            "max_age_days": None if c.max_age is None else c.max_age.days,
            "remedy": c.remedy,
            "clauses": clauses.get(c.id, {}),
        }
        for c in registered()
    )


@router.post("/projects/{project}/evaluations", status_code=status.HTTP_201_CREATED)
def evaluate(project: str, door: Asked) -> dict[str, Any]:
    """Evaluate every control on every subject of a project, and keep the findings."""
    evaluation = evaluate_controls(door.plane, door.actor, project)
    with door.plane.database.read() as session:
        rows = session.scalars(
            select(FindingRow).where(FindingRow.evaluation_id == evaluation).order_by(FindingRow.control)
        ).all()
        return {
            "id": evaluation,
            "evaluation_id": evaluation,
            "counts": dict(Counter(r.status for r in rows)),
            "findings": [finding_facts(r) for r in rows],
        }


@router.get("/projects/{project}/lineage")
def project_lineage(project: str, door: Asked) -> dict[str, Any]:
    """What was made of what, as OpenLineage run events, the oldest first."""
    with door.plane.database.read() as session:
        return listed(lineage(door.plane, session, door.project(session, project)))


@router.get("/projects/{project}/findings")
def findings(project: str, door: Asked) -> dict[str, Any]:
    """The newest finding of each control on each subject."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        door.may("control.read", project_target(row))
        newest: dict[tuple[str, str], FindingRow] = {}
        for finding in session.scalars(
            select(FindingRow).where(FindingRow.project_id == row.id).order_by(FindingRow.id)
        ):
            newest[finding.control, finding.subject_id] = finding
        return listed(finding_facts(newest[key]) for key in sorted(newest))


@router.get("/projects/{project}/reports")
def reports(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The reports of a project."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        door.may("report.read", project_target(row))
        names = names_of(session)
        rows = session.scalars(select(Report).where(Report.project_id == row.id))
        return page_of(rows, page, lambda r: r.id, lambda r: _report(r, names))


@router.post("/projects/{project}/reports", status_code=status.HTTP_201_CREATED)
def post_report(project: str, door: Asked) -> dict[str, Any]:
    """Evaluate the controls and make a report whose every verdict carries its receipts."""
    made = door.once(None, lambda key: create_report(door.plane, door.actor, project, key))
    with door.plane.database.read() as session:
        return _report(session.get_one(Report, made), names_of(session))


@router.get("/projects/{project}/reports/{report}", response_class=StreamingResponse)
def report(project: str, report: str, door: Asked, format: Literal["json", "html"] = "json") -> StreamingResponse:  # noqa: A002 - the parameter's public name
    """A report as a file. The opening is recorded."""
    chunks = open_report(door.plane, door.actor, project, report, format)
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}
    return StreamingResponse(chunks, media_type=_TYPES[format], headers=headers)


def _report(row: Report, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "evaluation": row.evaluation_id,
        "author": names.get(row.author_id, row.author_id),
        "counts": row.counts,
        "created": moment(row.created),
    }
