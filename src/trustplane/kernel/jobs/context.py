"""What a running job is given."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from trustplane.kernel.jobs.status import State
from trustplane.kernel.jobs.stored import Json, plain, unexpected
from trustplane.values.errors import TrustplaneError

PROGRESS_INTERVAL = 0.1
"""Seconds between two records of progress within a step: each is a durable write."""


class Interrupted(BaseException):
    """The executor is closing: the job stops here, and goes on after its last whole step in the next executor.

    Not an ``Exception``, so that no ``except Exception`` of a job holds it up and nothing records it as a failure.
    """


class Durable(Protocol):
    """What records steps and progress."""

    def run(self, name: str, function: Callable[[], Json]) -> Json:
        """Run ``function`` and record its result, or give back the result that was recorded before."""
        ...

    def emit(self, value: Json) -> None:
        """Append to the progress of the job."""
        ...


class JobContext:
    """The job's id, the plane that runs it, and its durable steps. One thread of the job uses it at a time."""

    def __init__(
        self, job_id: str, plane: Any, due: datetime | None, durable: Durable, leaving: Callable[[], bool]
    ) -> None:
        self.job_id = job_id
        self.plane = plane
        """What was given to :class:`~trustplane.kernel.jobs.jobs.Jobs` for this: steps open operations with it."""
        self.due = due
        """The moment for which a schedule started the job, or None."""
        self._durable = durable
        self._leaving = leaving
        self._in_step = False
        self._told = 0.0

    def step(self, name: str, function: Callable[..., Json], *args: Any) -> Json:
        """Run ``function(*args)`` as the durable step ``name`` and return its result as JSON.

        Once recorded it never runs again, also when it raised. A step within a step is a part of the outer one.
        """
        if self._in_step:
            return function(*args)
        self._leave_if_asked()
        return self._durable.run(name, partial(self._attempt, name, function, args))

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Tell how far the job is.

        Within a step calls may be many, so some are not recorded; the last (``done == total``) always is.
        """
        self._leave_if_asked()
        if self._in_step and done != total:
            now = time.monotonic()
            if now - self._told < PROGRESS_INTERVAL:
                return
            self._told = now
        self._durable.emit({"done": done, "total": total, "message": message})

    def require_wanted(self) -> None:
        """Raise, within a long step, if the job was cancelled meanwhile; the step leaves no record then."""
        if self.plane.jobs.status(self.job_id).state is State.CANCELLED:
            from trustplane.kernel.jobs.backend import taken_back

            raise taken_back(self.job_id)

    def _attempt(self, name: str, function: Callable[..., Json], args: tuple[Any, ...]) -> Json:
        self._in_step = True
        try:
            return plain(function(*args), f"the result of step {name}")
        except TrustplaneError:
            raise
        except Exception as error:  # noqa: BLE001 - a job's edge: only coded errors may be recorded
            raise unexpected(error) from None
        finally:
            self._in_step = False

    def _leave_if_asked(self) -> None:
        if self._leaving():
            raise Interrupted
