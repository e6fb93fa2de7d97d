"""Scans of what runs left."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import BaseModel, Field

from trustplane.api.access import PREFIX, PROBLEMS, Asked, listed, moment, names_of
from trustplane.release.scanning.service import scan_output, scans_of
from trustplane.release.tables import ArtifactScan
from trustplane.training.runs import run_target
from trustplane.training.tables import Run

router = APIRouter(prefix=PREFIX, tags=["release"], responses=PROBLEMS)


class NewScan(BaseModel):
    """An output of a run that is to be scanned."""

    artifact: str = Field(max_length=1000)


@router.get("/projects/{project}/scans")
def scans(project: str, door: Asked) -> dict[str, Any]:
    """The scans of a project's artifacts, the newest first."""
    with door.plane.database.read() as session:
        found = scans_of(session, door.project(session, project).id)
        runs = {scan.run_id: session.get_one(Run, scan.run_id) for scan in found}
        names = names_of(session)
        return listed(_scan(s, names) for s in found if door.visible("run.read", run_target(runs[s.run_id])))


@router.post("/projects/{project}/runs/{run}/scans", status_code=status.HTTP_201_CREATED)
def post_scan(project: str, run: str, body: NewScan, door: Asked) -> dict[str, Any]:
    """Judge an output of a run by its content. That it is refused is the answer, and no error."""
    made = door.once(
        body.model_dump() | {"run": run},
        lambda key: scan_output(door.plane, door.actor, project, run, body.artifact, key),
    )
    with door.plane.database.read() as session:
        return _scan(session.get_one(ArtifactScan, made), names_of(session))


def _scan(row: ArtifactScan, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "run": row.run_id,
        "artifact": row.artifact,
        "sha256": row.sha256,
        "size": row.size,
        "format": row.format,
        "verdict": row.verdict,
        **row.report,
        "by": names.get(row.actor_id, row.actor_id),
        "created": moment(row.created),
    }
