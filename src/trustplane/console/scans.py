"""The page of scans."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from trustplane.console.finding import find, names_of
from trustplane.console.rendering import page
from trustplane.console.session import Looking
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project
from trustplane.release.scanning.service import scans_of
from trustplane.training.runs import run_target
from trustplane.training.tables import Run

router = APIRouter(prefix="/console", include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/projects/{project}/scans")
def scans(project: str, viewer: Looking) -> Response:
    """The scans of a project's artifacts, the newest first, with what spoke against each."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("project.read", project_target(row))
        found = [
            s for s in scans_of(session, row.id) if viewer.sees("run.read", run_target(session.get_one(Run, s.run_id)))
        ]
        return page(viewer, "scans.html", project=row, scans=found, names=names_of(session))
