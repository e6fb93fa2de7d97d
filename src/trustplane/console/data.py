"""The pages of data beyond the dataset itself: review of classes, views, protected tables, privacy budgets."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from trustplane.console.finding import find, names_of
from trustplane.console.rendering import page
from trustplane.console.session import Looking, Viewer, form_of
from trustplane.data.catalog import dataset_target, find_version, view_target
from trustplane.data.classes import SensitivityClass
from trustplane.data.classification import confirm
from trustplane.data.private.budgets import budgets_of, shown
from trustplane.data.private.releases import releases_of
from trustplane.data.reports.protection import ATTACKS, body, document, render
from trustplane.data.tables import Dataset, DatasetVersion, View
from trustplane.data.view_limits import limits_of
from trustplane.data.view_requests import view_requests_of
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger.evidence import events_about

router = APIRouter(prefix="/console", include_in_schema=False, default_response_class=HTMLResponse)

CLASS_FIELD = "class:"
MOST_FIELDS = 10_010
LARGEST_REVIEW = 4 << 20


@router.get("/datasets/{dataset}/classification")
def classification(dataset: str, viewer: Looking) -> Response:
    """The review of the newest version: what is proposed for each column and why, for a data steward to change and confirm."""
    with viewer.plane.database.read() as session:
        row = find(session, Dataset, dataset)
        viewer.may("dataset.read", dataset_target(session, row))
        version = find_version(session, row)
        return page(
            viewer,
            "classification.html",
            dataset=row,
            project=session.get_one(Project, row.project_id),
            version=version,
            counts=Counter(version.classes.values()),
            classes=list(SensitivityClass),
            field=CLASS_FIELD,
            may_confirm=viewer.sees("dataset.classify", dataset_target(session, row)),
            names=names_of(session),
        )


@router.post("/datasets/{dataset}/classification")
async def classify(dataset: str, request: Request, viewer: Looking) -> Response:
    """Confirm the classes of the version that was looked at, as the form says them."""
    said = await form_of(request, longest=LARGEST_REVIEW, fields=MOST_FIELDS)
    await run_in_threadpool(_confirmed, viewer, dataset, said)
    return RedirectResponse(f"/console/datasets/{dataset}/classification", 303)


def _confirmed(viewer: Viewer, dataset: str, said: dict[str, str]) -> None:
    with viewer.plane.database.read() as session:
        row = find(session, Dataset, dataset)
        project, name = session.get_one(Project, row.project_id).name, row.name
        shown = said.get("version", "")
        version = find_version(session, row, int(shown) if shown.isdecimal() and len(shown) < 10 else 0)
    chosen = {key.removeprefix(CLASS_FIELD): value for key, value in said.items() if key.startswith(CLASS_FIELD)}
    changes = {column: klass for column, klass in chosen.items() if version.classes.get(column) != klass}
    confirm(viewer.plane, viewer.actor, project, name, changes, version.number)


@router.get("/projects/{project}/views")
def views(project: str, viewer: Looking) -> Response:
    """The views of a project: who may see what, for which purpose, until when, and how often it was opened."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("project.read", project_target(row))
        mine = session.scalars(select(View).where(View.project_id == row.id).order_by(View.id.desc())).all()
        seen = [v for v in mine if viewer.sees("view.read", view_target(v))]
        return page(
            viewer,
            "views.html",
            project=row,
            views=[
                (v, session.get_one(Dataset, v.dataset_id), session.get_one(DatasetVersion, v.version_id), _openings(session, v), limits_of(session, v))
                for v in seen
            ],
            asked=[(r, session.get_one(Dataset, r.dataset_id)) for r in view_requests_of(session, row.id) if viewer.sees("dataset.read", dataset_target(session, session.get_one(Dataset, r.dataset_id)))],
            names=names_of(session),
            now=viewer.plane.clock.now(),
        )  # fmt: skip


def _openings(session: Session, view: View) -> int:
    return len(events_about(session, f"View::{view.id}", "view.open"))


@router.get("/projects/{project}/protection")
def protection(project: str, viewer: Looking) -> Response:
    """The protected tables of a project, with their risk before and after, as their events say it."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("project.read", project_target(row))
        datasets = _datasets(session, viewer, row)
        events = [(d, e) for d in datasets for e in events_about(session, f"Dataset::{d.id}", "dataset.ingest")]
    made = [(dataset, event, facts) for dataset, event in events if "protected" in (facts := _facts(viewer, event))]
    return page(viewer, "protection.html", project=row, protected=made, measures=MEASURES, attacks=ATTACKS)


@router.get("/datasets/{dataset}/protection")
def protection_report(dataset: str, viewer: Looking, version: int | None = None) -> Response:
    """The report of the protection that made a version, with its plots."""
    row, project, report = _report(viewer, dataset, version)
    return page(viewer, "protection_report.html", dataset=row, project=project, report=report, body=body(report))


@router.get("/datasets/{dataset}/protection/file")
def protection_file(dataset: str, viewer: Looking, version: int | None = None) -> Response:
    """The same as a file that stands alone, with the receipt of its event."""
    row, _, report = _report(viewer, dataset, version)
    named = f"{row.name}-{report['version']}-protection.html"  # a name holds letters, digits, dots and dashes alone
    headers = {"Content-Disposition": f'attachment; filename="{named}"', "Cache-Control": "no-store"}
    return HTMLResponse(render(report, viewer.plane.ledger.receipt(report["event"])), headers=headers)


def _report(viewer: Viewer, dataset: str, number: int | None) -> tuple[Dataset, Project, dict[str, Any]]:
    with viewer.plane.database.read() as session:
        row = find(session, Dataset, dataset)
        viewer.may("dataset.read", dataset_target(session, row))
        report = document(viewer.plane, session, find_version(session, row, number))
        return row, session.get_one(Project, row.project_id), report


MEASURES = {
    "unique": "rows that stand alone",
    "at_risk": "rows at a risk above 20 %",
    "prosecutor_highest": "highest risk (prosecutor)",
    "prosecutor_average": "average risk (prosecutor)",
    "marketer": "share that a marketer finds",
}
"""What of a risk is shown, as a share of 1."""


@router.get("/projects/{project}/budgets")
def budgets(project: str, viewer: Looking) -> Response:
    """The privacy budgets of a project, and what they were spent on."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("project.read", project_target(row))
        found = [
            (d, b, releases_of(session, b.id))
            for d in _datasets(session, viewer, row)
            for b in budgets_of(session, d.id)
        ]
        return page(viewer, "budgets.html", project=row, budgets=found, epsilon=shown, names=names_of(session))


def _datasets(session: Session, viewer: Viewer, project: Project) -> list[Dataset]:
    rows = session.scalars(select(Dataset).where(Dataset.project_id == project.id).order_by(Dataset.name))
    return [d for d in rows if viewer.sees("dataset.read", dataset_target(session, d))]


def _facts(viewer: Viewer, event: str) -> dict[str, Any]:
    payload = viewer.plane.ledger.get(event).payload
    return {} if payload is None else payload.get("facts", {})
