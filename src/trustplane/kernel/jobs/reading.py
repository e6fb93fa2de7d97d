"""Reading DBOS's rows as what this room tells."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trustplane.kernel.jobs.status import JobStatus, Schedule, State
from trustplane.kernel.jobs.stored import Json
from trustplane.values.clock import parse_rfc3339
from trustplane.values.errors import Refused, TrustplaneError

if TYPE_CHECKING:
    from dbos import WorkflowSchedule, WorkflowStatus

_STATES = {
    "ENQUEUED": State.QUEUED,
    "DELAYED": State.QUEUED,
    "PENDING": State.RUNNING,
    "SUCCESS": State.SUCCEEDED,
    "ERROR": State.FAILED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": State.FAILED,
    "CANCELLED": State.CANCELLED,
}


def request_of(row: "WorkflowStatus") -> Mapping[str, Json]:
    """What was asked for; empty when the row cannot be read (DBOS then gives its text)."""
    try:
        request = row.input["args"][1] if row.input else {}
    except (TypeError, KeyError, IndexError):
        return {}
    return request if isinstance(request, Mapping) else {}


def job_status(row: "WorkflowStatus") -> JobStatus:
    """A workflow as a job."""
    failure = _failure(row)
    state = _STATES[row.status]
    request = request_of(row)
    return JobStatus(
        id=row.workflow_id,
        name=request.get("job", "unreadable"),
        state=state,
        created=_moment(row.created_at),
        updated=_moment(row.updated_at),
        result=row.output if state is State.SUCCEEDED else None,
        error=failure.problem() if failure else None,
        schedule=request.get("schedule"),
        failure=failure,
    )


def schedule_of(row: "WorkflowSchedule", following: datetime) -> Schedule:
    """A stored schedule; ``following`` is its next moment."""
    context = row["context"]
    return Schedule(
        row["schedule_name"],
        row["schedule"],
        context["job"],
        context["arguments"],
        since=parse_rfc3339(context["since"]),
        next=following,
    )


def _failure(row: "WorkflowStatus") -> TrustplaneError | None:
    if row.status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
        return Refused(
            "TP-JOB-006", "the job cannot go on", why=f"its process ended {row.recovery_attempts} times while it ran"
        )
    if row.status != "ERROR":
        return None
    if isinstance(row.error, TrustplaneError):
        return row.error
    return TrustplaneError("TP-JOB-005", "the job failed, and its record cannot be read")


def _moment(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
