"""Jobs: what long work does, and stopping it."""

from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Door, listed, moment
from trustplane.kernel.jobs.cancelling import cancel_job, owner_of
from trustplane.kernel.jobs.status import JobStatus
from trustplane.kernel.policy.requests import account
from trustplane.kernel.target import PLANE, Target

router = APIRouter(prefix=PREFIX, tags=["jobs"], responses=PROBLEMS)


def _target(door: Door, job: str) -> Target:
    return Target("Job", job, attributes={"owner": account(owner_of(door.plane, job))})


@router.get("/jobs")
def jobs(door: Asked, limit: int = Query(default=50, ge=1, le=500)) -> dict[str, Any]:
    """The newest jobs that the actor may see."""
    found = door.plane.jobs.list(limit)
    return listed(_job(j) for j in found if door.visible("job.read", _target(door, j.id)))


@router.get("/jobs/{job}")
def job(job: str, door: Asked) -> dict[str, Any]:
    """A job as it stands."""
    status = door.plane.jobs.status(job)
    door.may("job.read", _target(door, job))
    return _job(status)


@router.get("/jobs/{job}/progress", response_class=StreamingResponse)
def progress(job: str, door: Asked) -> StreamingResponse:
    """The progress of a job from its beginning until it ends, a JSON object a line."""
    door.plane.jobs.status(job)
    door.may("job.read", _target(door, job))

    def lines() -> Iterator[bytes]:
        for told in door.plane.jobs.follow(job):
            yield msgspec.json.encode({"done": told.done, "total": told.total, "message": told.message}) + b"\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.post("/jobs/{job}/cancel")
def cancel(job: str, door: Asked) -> dict[str, Any]:
    """Take a job back, or end it at its next step."""
    return _job(cancel_job(door.plane, door.actor, job))


@router.get("/schedules")
def schedules(door: Asked) -> dict[str, Any]:
    """What starts by the calendar."""
    door.may("plane.read", PLANE)
    return listed(
        {"name": s.name, "cron": s.cron, "job": s.job, "since": moment(s.since), "next": moment(s.next)}
        for s in door.plane.jobs.schedules()
    )


def _job(status: JobStatus) -> dict[str, Any]:
    return {
        "id": status.id,
        "name": status.name,
        "state": str(status.state),
        "created": moment(status.created),
        "updated": moment(status.updated),
        "result": status.result,
        "error": status.error,
        "schedule": status.schedule,
    }
