"""Taking a run back: it is on record who asked, its script is ended, and the run has failed."""

from typing import TYPE_CHECKING

from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.jobs.cancelling import cancel_job
from trustplane.kernel.jobs.status import JobStatus, State
from trustplane.training.runs import CANCELLED, fail_run, find_run

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def cancel_run(plane: "Plane", actor: "Actor", project: str, run_id: str) -> JobStatus:
    """Cancel a run. One that waits is settled at once; of one that runs, whoever executes it ends the script within a second and settles it.

    A run that has ended stays as it is.
    """
    with plane.database.read() as session:
        row = find_run(session, find_project(session, project).id, run_id)
    before = plane.jobs.status(row.job_id).state
    status = cancel_job(plane, actor, row.job_id)
    if before is State.QUEUED and status.state is State.CANCELLED:
        fail_run(plane, run_id, CANCELLED)
    return status
