"""What is told about jobs and schedules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trustplane.kernel.jobs.stored import Json
from trustplane.values.errors import TrustplaneError, Unavailable


class State(StrEnum):
    """Where a job is. A job whose process was killed stays ``running`` until the next executor takes it up."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as it stands. ``error`` is the RFC 9457 problem of a failed job; ``failure`` the same as an exception."""

    id: str
    name: str
    state: State
    created: datetime
    updated: datetime
    result: Json = None
    error: Mapping[str, Json] | None = None
    schedule: str | None = None
    failure: TrustplaneError | None = field(default=None, repr=False, compare=False)

    def returned(self) -> Json:
        """The result of a job that succeeded; raises the error of a failed one, and ``TP-JOB-008`` without either."""
        if self.failure is not None:
            raise self.failure
        if self.state is not State.SUCCEEDED:
            raise Unavailable("TP-JOB-008", f"job {self.id} has no result", why=f"it is {self.state}")
        return self.result


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` units (None: unknown), and what is being done. After a crash the count may step back."""

    done: int
    total: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that starts by the calendar: five cron fields, or six with seconds first, in UTC."""

    name: str
    cron: str
    job: str
    arguments: Mapping[str, Json]
    since: datetime
    next: datetime
