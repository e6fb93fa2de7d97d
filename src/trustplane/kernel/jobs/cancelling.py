"""Cancelling a job through the door, and who a job belongs to."""

from typing import TYPE_CHECKING

from trustplane.kernel.identity.tables import Principal
from trustplane.kernel.jobs.status import JobStatus
from trustplane.kernel.policy.requests import account
from trustplane.kernel.target import Target

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def owner_of(plane: "Plane", job_id: str) -> str:
    """The account that a job belongs to: that of the principal in whose name it goes on, as its arguments say; else the plane's."""
    actor = plane.jobs.arguments(job_id).get("actor")
    if not isinstance(actor, str):
        return "plane"
    with plane.database.read() as session:
        row = session.get(Principal, actor)
        return actor if row is None else row.owner_id or row.id


def cancel_job(plane: "Plane", actor: "Actor", job_id: str) -> JobStatus:
    """Cancel a job; that it was asked for is recorded before it is done, since the jobs' database is not the ledger's."""
    target = Target("Job", job_id, attributes={"owner": account(owner_of(plane, job_id))})
    with plane.operation(actor, "job.cancel", target) as op:
        before = plane.jobs.status(job_id)
        op.session.flush()
        op.record(job=before.name, state=str(before.state))
    return plane.jobs.cancel(job_id)
