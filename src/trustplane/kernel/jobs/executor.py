"""Executing the jobs of one workspace: holding the lease, running the jobs, and leaving without tearing a step."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from trustplane.kernel.jobs import registry
from trustplane.kernel.jobs.context import Interrupted, JobContext
from trustplane.kernel.jobs.database import Place, reaching
from trustplane.kernel.jobs.stored import Json, plain, unexpected
from trustplane.values.clock import parse_rfc3339
from trustplane.values.errors import Conflict, TrustplaneError

logger = logging.getLogger(__name__)

BEAT = 0.5
"""Seconds between two tries for the lease by those who wait for it, and two looks at it by the one who has it."""

_process = threading.RLock()
_seat: list["Executor"] = []
"""The executor of this process: DBOS can be launched once per process, and a record lock opened once."""


class Executor:
    """Executes while it holds the lease; otherwise waits for it."""

    def __init__(self, where: Place, engine: Engine, plane: Any, workers: int) -> None:
        self.where = where
        self._engine = engine
        self._plane = plane
        self._workers = workers
        self._lease = where.lease()
        self._stopping = threading.Event()  # for good
        self._leaving = threading.Event()  # until the lease is ours again
        self._turns = threading.Condition()
        self._running = 0
        self._launched = False
        self._keeper: threading.Thread | None = None

    @property
    def executing(self) -> bool:
        """Whether this process runs the jobs now."""
        return self._launched

    def start(self) -> None:
        """Execute now if nobody does, else as soon as nobody does.

        Raises :class:`Conflict` when this process executes another workspace.
        """
        with _process:
            if _seat and _seat[0].where != self.where:
                raise Conflict(
                    "TP-JOB-003", "this process executes the jobs of another workspace", why=_seat[0].where.shown
                )
            if self._keeper is None:
                with reaching(self.where):
                    self._take()
                keeper = threading.Thread(target=self._keep, name="trustplane-jobs-keeper", daemon=True)
                keeper.start()
                self._keeper = keeper  # only now: whoever stops joins what it finds here

    def stop(self, grace: float) -> None:
        """Let running jobs reach the end of their step, for ``grace`` seconds at most, and leave.

        A step that takes longer keeps the lease until it ends, so that no other process runs it at the same time.
        """
        self._stopping.set()
        self._leaving.set()
        if self._keeper is not None:
            self._keeper.join()
            self._keeper = None
        with self._turns:
            self._turns.wait_for(lambda: self._running == 0, timeout=grace if self._launched else 0)
        with _process:
            self._quit()

    def perform(self, job_id: str, due: str | None, request: Json) -> Json:
        """Run one job to its end; what it raises is always coded."""
        from trustplane.kernel.jobs.backend import DurableWorkflow

        name = request["job"]
        with self._turn():
            try:
                function = registry.find(name)
                arguments = registry.checked(name, request["arguments"])
                moment = parse_rfc3339(due) if due else None
                context = JobContext(job_id, self._plane, moment, DurableWorkflow(), self._leaving.is_set)
                return plain(function(context, **arguments), f"the result of {name}")
            except TrustplaneError as error:
                logger.warning("job %s (%s) failed: %s", name, job_id, error.code)
                raise
            except Exception as error:  # noqa: BLE001 - a job's edge: only coded errors may be recorded
                failure = unexpected(error)
                logger.error("job %s (%s) failed: %s %s", name, job_id, failure.code, failure.facts)
                raise failure from None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._turns:
            if self._leaving.is_set():
                raise Interrupted
            self._running += 1
        try:
            yield
        finally:
            with self._turns:
                self._running -= 1
                self._turns.notify_all()
            if not self._launched:
                with _process:
                    self._leave_seat()

    def _take(self) -> None:
        """Take the lease and launch, if both the seat of this process and the lease are free."""
        from trustplane.kernel.jobs import backend

        with _process:
            if self._stopping.is_set() or _seat or not self._lease.acquire():
                return
            _seat.append(self)
            self._leaving.clear()
            try:
                backend.launch(self.where, self._engine, self._workers, self.perform)
                self._launched = True
            finally:
                if not self._launched:
                    self._leave_seat()

    def _quit(self) -> None:
        from trustplane.kernel.jobs import backend

        if self._launched:
            backend.shutdown()
            self._launched = False
        self._leave_seat()

    def _leave_seat(self) -> None:
        """Give back lease and seat, once nothing of ours runs any more."""
        with self._turns:
            busy = self._running > 0 or self._launched
        if not busy and self in _seat:
            self._lease.release()
            _seat.remove(self)

    def _keep(self) -> None:
        while not self._stopping.wait(BEAT):
            try:
                self._beat()
            except (TrustplaneError, DBAPIError, OSError) as error:
                logger.warning("cannot execute the jobs at %s: %s", self.where.shown, type(error).__name__)

    def _beat(self) -> None:
        if not self._launched:
            self._take()
        elif not self._lease.held() and not self._lease.acquire():
            # Whoever took it over runs our jobs again; DBOS refuses what ours would still record.
            logger.warning("the lease at %s was lost", self.where.shown)
            self._leaving.set()
            with _process:
                self._quit()
