"""Durable jobs: work that survives a crash and goes on at the step it had reached; schedules; progress.

Stages see this room, never DBOS.
"""

from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.jobs.jobs import Jobs
from trustplane.kernel.jobs.registry import job
from trustplane.kernel.jobs.status import JobStatus, Progress, Schedule, State

__all__ = ["JobContext", "JobStatus", "Jobs", "Progress", "Schedule", "State", "job"]
