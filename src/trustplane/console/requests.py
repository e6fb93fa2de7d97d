"""The pages of requests and retention."""

from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from trustplane.console.finding import find, names_of
from trustplane.console.rendering import page
from trustplane.console.session import Looking
from trustplane.data.catalog import dataset_target
from trustplane.data.storage import has_keys
from trustplane.data.subjects.erased import erased_by
from trustplane.data.subjects.outcomes import reached_by
from trustplane.data.subjects.requests import CLOSED, requests_of
from trustplane.data.tables import Dataset, DatasetVersion, SubjectRequest
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project

router = APIRouter(prefix="/console", include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/projects/{project}/requests")
def requests(project: str, viewer: Looking) -> Response:
    """The requests of data subjects in a project, those that are due first at the head."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("request.read", project_target(row))
        return page(
            viewer,
            "requests.html",
            project=row,
            requests=requests_of(session, row.id),
            closed=CLOSED,
            now=viewer.plane.clock.now(),
            soon=viewer.plane.clock.now() + timedelta(days=7),
        )


@router.get("/requests/{request}")
def request(request: str, viewer: Looking) -> Response:
    """One request: its clock, what was erased, and what that reached. What the person is called is not shown."""
    with viewer.plane.database.read() as session:
        row = find(session, SubjectRequest, request)
        scope = session.get_one(Project, row.project_id)
        viewer.may("request.read", project_target(scope))
        return page(
            viewer,
            "request.html",
            project=scope,
            asked=row,
            erased=erased_by(session, row),
            reached=reached_by(session, row) if row.erased else [],
            closed=CLOSED,
            names=names_of(session),
            now=viewer.plane.clock.now(),
        )


@router.get("/projects/{project}/retention")
def retention(project: str, viewer: Looking) -> Response:
    """Until when each version of a project is kept."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("control.read", project_target(row))
        datasets = session.scalars(select(Dataset).where(Dataset.project_id == row.id).order_by(Dataset.name)).all()
        kept = [
            (
                d,
                v,
                None if d.retention_days is None else v.created + timedelta(days=d.retention_days),
                has_keys(session, v),
            )
            for d in datasets
            if viewer.sees("dataset.read", dataset_target(session, d))
            for v in session.scalars(
                select(DatasetVersion).where(DatasetVersion.dataset_id == d.id).order_by(DatasetVersion.number)
            )
        ]
        return page(viewer, "retention.html", project=row, kept=kept, now=viewer.plane.clock.now())
