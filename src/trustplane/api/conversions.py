"""Conversions of pickles, each of them a run."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import BaseModel, Field

from trustplane.api.access import PREFIX, PROBLEMS, Asked, names_of
from trustplane.api.training import decoded, run_summary
from trustplane.release.conversion import Wanted, start_conversion
from trustplane.training.profiles import USUAL
from trustplane.training.tables import Run

router = APIRouter(prefix=PREFIX, tags=["release"], responses=PROBLEMS)


class NewConversion(BaseModel):
    """A pickle that is to be converted: an output of a run, or a file that is sent along in base64 under a name."""

    artifact: str = Field(max_length=200)
    run: str = ""
    data: str = ""
    to: str = "auto"
    tolerance: float = 1e-5
    views: list[str] = Field(default=[], max_length=50)
    seed: int = 0
    profile: str = USUAL


@router.post("/projects/{project}/conversions", status_code=status.HTTP_201_CREATED)
def post_conversion(project: str, body: NewConversion, door: Asked) -> dict[str, Any]:
    """Convert a pickle into a format that holds no code, by a run in the sandbox. Its source is scanned first."""
    wanted = Wanted(
        artifact=body.artifact,
        run=body.run,
        data=decoded(body.data),
        to=body.to,
        tolerance=body.tolerance,
        views=tuple(dict.fromkeys(body.views)),
        seed=body.seed,
        profile=body.profile,
    )
    made = door.once(body.model_dump(), lambda key: start_conversion(door.plane, door.actor, project, wanted, key))
    with door.plane.database.read() as session:
        row = session.get_one(Run, made)
        return {**run_summary(row, names_of(session)), "job": row.job_id}
