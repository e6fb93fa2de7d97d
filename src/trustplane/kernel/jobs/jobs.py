"""The room's door: submit, watch, cancel and schedule jobs."""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Engine

from trustplane.kernel.jobs import registry
from trustplane.kernel.jobs.database import open_engine, place, reaching
from trustplane.kernel.jobs.executor import Executor
from trustplane.kernel.jobs.reading import job_status, request_of, schedule_of
from trustplane.kernel.jobs.status import JobStatus, Progress, Schedule
from trustplane.kernel.jobs.stored import Json
from trustplane.kernel.store.engine import retire
from trustplane.values.clock import Clock, parse_rfc3339, rfc3339
from trustplane.values.errors import BadInput, Conflict, NotFound, Unavailable, nearest
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowSchedule, WorkflowStatus

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9:+._-]{0,199}\Z")
_LOOK = 0.05
"""Seconds between two looks at a job that is waited for."""


@dataclass(frozen=True, slots=True)
class _Opened:
    engine: Engine
    client: "DBOSClient"
    executor: Executor


class Jobs:
    """The durable jobs of one workspace.

    Every process may submit and watch. One executes: the first that called :meth:`launch`, and after it, however it
    ended, one of those that have called it since. Until somebody launches, submitted jobs stay queued. Nothing is
    opened, and DBOS is not imported, before the first call.

    ``context`` is what jobs find as ``ctx.plane``. ``clock`` says which schedules :meth:`run_due` starts; DBOS itself
    fires by the machine's clock.
    With SQLite the jobs are kept in ``folder/jobs.sqlite``, with PostgreSQL in ``schema`` of the same database.
    """

    def __init__(
        self, database_url: str, folder: Path, context: object, clock: Clock, *, schema: str = "dbos", workers: int = 4
    ) -> None:
        self._place = place(database_url, folder, schema)
        self._context = context
        self._clock = clock
        self._workers = workers
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    def __repr__(self) -> str:
        return f"Jobs({self._place.shown!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def executing(self) -> bool:
        """Whether this process executes the jobs now."""
        return self._opened is not None and self._opened.executor.executing

    def launch(self) -> None:
        """Execute jobs in this process, at once if no other does, else as soon as the other ends.

        Jobs that a killed process left go on at their step. Raises :class:`Conflict` when this process executes
        another workspace.
        """
        self._open().executor.start()

    def close(self, grace: float = 10.0) -> None:
        """Stop executing, release the lease and close the database. Harmless when nothing is open.

        Running jobs get ``grace`` seconds to end their step, and go on in the next executor.
        """
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.executor.stop(grace)
            opened.client.destroy()
            retire(opened.engine)

    def submit(self, name: str, arguments: Mapping[str, Any] | None = None, job_id: str | None = None) -> str:
        """Ask for the job ``name`` and return its id. The same ``job_id`` again is the same job, and starts nothing."""
        request = {"job": name, "arguments": registry.checked(name, arguments or {})}
        chosen = new_id() if job_id is None else _checked_id(job_id)
        with self._asking() as client:
            _enqueue(client, chosen, None, request)
            if job_id is not None and request_of(_row(client, chosen)) != request:
                raise Conflict("TP-JOB-007", f"the job id {chosen!r} belongs to another job")
        return chosen

    def status(self, job_id: str) -> JobStatus:
        """The job as it stands."""
        with self._asking() as client:
            return job_status(_row(client, job_id))

    def arguments(self, job_id: str) -> Mapping[str, Json]:
        """What the job was asked for with."""
        with self._asking() as client:
            arguments = request_of(_row(client, job_id)).get("arguments")
        return arguments if isinstance(arguments, Mapping) else {}

    def wait(self, job_id: str, timeout: float | None = None) -> JobStatus:
        """Wait until the job has ended, for ``timeout`` seconds at most, and return how it stands.

        A failed job does not raise here: ``wait(...).returned()`` gives the result or raises the job's error.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (status := self.status(job_id)).state.final:
            if deadline is not None and time.monotonic() >= deadline:
                raise Unavailable(
                    "TP-JOB-008", f"job {job_id} did not end within {timeout:g} seconds", why=f"it is {status.state}"
                )
            time.sleep(_LOOK)
        return status

    def follow(self, job_id: str) -> Iterator[Progress]:
        """The progress of the job from its beginning, until it ends."""
        from dbos import error

        from trustplane.kernel.jobs.backend import POLL, STREAM

        try:
            with self._asking() as client:
                for told in client.read_stream(job_id, STREAM, polling_interval_sec=POLL):
                    yield Progress(told["done"], told["total"], told["message"])
        except error.DBOSNonExistentWorkflowError:
            raise _no_job(job_id) from None

    def cancel(self, job_id: str) -> JobStatus:
        """Take a queued job back, or end a running one at its next step or progress; one that has ended stays so."""
        with self._asking() as client:
            if not job_status(_row(client, job_id)).state.final:
                client.cancel_workflow(job_id)
            return job_status(_row(client, job_id))

    def schedule(self, name: str, cron: str, job: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Start ``job`` at each moment of ``cron`` until :meth:`unschedule` (UTC; five fields, or six).

        The schedule outlives the process. A schedule of this name is replaced; the same one again changes nothing.
        """
        from trustplane.kernel.jobs.backend import QUEUE, WORKFLOW
        from trustplane.kernel.jobs.cron import checked_cron

        check_name("schedule", name)
        wanted = {"job": job, "arguments": registry.checked(job, arguments or {})}
        with self._asking() as client:
            before = client.get_schedule(name)
            if before is not None and (before["schedule"], _definition(before)) == (checked_cron(cron), wanted):
                return
            client.apply_schedules(
                [
                    {
                        "schedule_name": name,
                        "workflow_name": WORKFLOW,
                        "schedule": checked_cron(cron),
                        "context": {**wanted, "schedule": name, "since": rfc3339(self._clock.now())},
                        "queue_name": QUEUE,
                    }
                ]
            )

    def unschedule(self, name: str) -> None:
        """Remove the schedule; jobs that it started go on."""
        with self._asking() as client:
            self._scheduled(client, name)
            client.delete_schedule(name)

    def schedules(self) -> tuple[Schedule, ...]:
        """Every schedule, by name."""
        from trustplane.kernel.jobs.cron import following

        now = self._clock.now()
        with self._asking() as client:
            return tuple(schedule_of(row, following(row["schedule"], now)) for row in _schedule_rows(client))

    def trigger(self, name: str) -> str:
        """Start the job of the schedule now and return the job's id."""
        job_id = new_id()
        with self._asking() as client:
            _enqueue(client, job_id, self._clock.now(), self._scheduled(client, name)["context"])
        return job_id

    def run_due(self) -> tuple[str, ...]:
        """Start what fell due while nothing executed: the latest moment of each schedule, however many were missed.

        Returns the ids of the jobs of these moments. One that was started before, by DBOS or by this, starts no
        second time.
        """
        from trustplane.kernel.jobs.cron import latest

        now = self._clock.now()
        started: list[str] = []
        with self._asking() as client:
            for row in _schedule_rows(client):
                due = latest(row["schedule"], now)
                if due > parse_rfc3339(row["context"]["since"]):
                    started.append(_moment_id(row["schedule_name"], due))
                    _enqueue(client, started[-1], due, row["context"])
        return tuple(started)

    def list(self, limit: int = 50) -> tuple[JobStatus, ...]:
        """The ``limit`` newest jobs, the newest first."""
        from trustplane.kernel.jobs.backend import WORKFLOW

        with self._asking() as client:
            newest = [job_status(row) for row in client.list_workflows(name=WORKFLOW, limit=limit, sort_desc=True)]
        # DBOS tells SQLite's time to the second only; the ids that we make are in order within it
        return tuple(sorted(newest, key=lambda status: (status.created, status.id), reverse=True))

    def _scheduled(self, client: "DBOSClient", name: str) -> "WorkflowSchedule":
        known = {row["schedule_name"]: row for row in _schedule_rows(client)}
        if name not in known:
            raise NotFound("TP-JOB-004", f"there is no schedule {name[:80]!r}", why=nearest(name, known))
        return known[name]

    @contextmanager
    def _asking(self) -> Iterator["DBOSClient"]:
        client = self._open().client
        with reaching(self._place):
            yield client

    def _open(self) -> _Opened:
        with self._lock:
            if self._opened is None:
                from trustplane.kernel.jobs import backend

                with reaching(self._place):
                    engine = open_engine(self._place)
                    backend.migrate(self._place)
                client = backend.client(self._place, engine)
                self._opened = _Opened(engine, client, Executor(self._place, engine, self._context, self._workers))
            return self._opened


def _checked_id(job_id: str) -> str:
    if not _ID.match(job_id):
        raise BadInput(
            "TP-JOB-002",
            "the job id is not usable",
            why="it is 1 to 200 of A-Z, a-z, 0-9 and : + . _ - and starts with a letter or digit",
        )
    return job_id


def _enqueue(client: "DBOSClient", job_id: str, due: datetime | None, request: Mapping[str, Json]) -> None:
    from trustplane.kernel.jobs.backend import QUEUE, VERSION, WORKFLOW

    # not DBOS's own trigger and backfill, which refuse until an executor has launched once
    client.enqueue(
        {"workflow_name": WORKFLOW, "queue_name": QUEUE, "workflow_id": job_id, "app_version": VERSION},
        rfc3339(due) if due else None,
        request,
    )


def _moment_id(schedule: str, due: datetime) -> str:
    """The id that DBOS gives to the job of this moment, so that it and :meth:`Jobs.run_due` start it once."""
    return f"sched-{schedule}-{due.isoformat()}"


def _row(client: "DBOSClient", job_id: str) -> "WorkflowStatus":
    from trustplane.kernel.jobs.backend import WORKFLOW

    rows = client.list_workflows(workflow_ids=[job_id], name=WORKFLOW)
    if not rows:
        raise _no_job(job_id)
    return rows[0]


def _schedule_rows(client: "DBOSClient") -> "list[WorkflowSchedule]":
    from trustplane.kernel.jobs.backend import WORKFLOW

    return sorted(client.list_schedules(workflow_name=WORKFLOW), key=lambda row: row["schedule_name"])


def _definition(row: "WorkflowSchedule") -> dict[str, Json]:
    return {key: row["context"][key] for key in ("job", "arguments")}


def _no_job(job_id: str) -> NotFound:
    return NotFound("TP-JOB-004", f"there is no job with the id {job_id[:200]!r}")
