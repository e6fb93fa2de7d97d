"""The one module that knows DBOS: how it is silenced, launched, stopped and asked.

DBOS is one instance per process with one registry of functions. Everything here runs as one registered workflow, which
looks up the job by name, so that jobs may be registered at any time and survive any number of launches.
"""

import logging
from collections.abc import Callable
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, Serializer, error
from dbos._serialization import DBOSDefaultSerializer  # to refuse what it would unpickle
from sqlalchemy import Engine

from trustplane.kernel.jobs import stored
from trustplane.kernel.jobs.database import Place
from trustplane.kernel.jobs.stored import Json
from trustplane.values.errors import Refused

APPLICATION = "trustplane"
EXECUTOR = "trustplane"  # one per workspace: who executes next takes up what the one before left
VERSION = "1"  # fixed: DBOS would leave the jobs of another version alone for ever
WORKFLOW = "trustplane.job"
QUEUE = "jobs"
STREAM = "progress"
ATTEMPTS = 100
"""How often a job is taken up before it is given up: a job that kills its process must not do so for ever."""
POLL = 0.1
"""Seconds between two looks at the queue."""

Ousted = (error.DBOSWorkflowCancelledError, error.DBOSWorkflowConflictIDError)
"""What a step or progress raises when the job is no longer this process's: cancelled, or taken over by another executor.

No ``Exception``: who catches it to clean up raises it again.
"""


def taken_back(job_id: str) -> BaseException:
    """What a long step raises once it sees that its job was cancelled; the step leaves no record then."""
    return error.DBOSWorkflowCancelledError(f"job {job_id} was cancelled")


Perform = Callable[[str, str | None, Json], Json]

_performing: list[Perform] = []


class _JsonSerializer(Serializer):
    def serialize(self, data: Any) -> str:
        return stored.encode(data)

    def deserialize(self, serialized_data: str) -> Any:
        return stored.decode(serialized_data)

    def name(self) -> str:
        return "trustplane_json"


def _refuse(_serialized: str) -> Any:
    raise ValueError("the jobs database holds a pickle, and pickles are not read")


def _settle() -> None:
    """Close what DBOS leaves open: its logger prints arguments and tracebacks, and it unpickles a row that asks for it.

    Each row names its own serializer, so giving DBOS ours would not keep whoever can write the database from
    running code.
    """
    chatter = logging.getLogger("dbos")
    chatter.addHandler(logging.NullHandler())  # DBOS adds its console handler only where there is none
    chatter.propagate = False
    chatter.setLevel(logging.CRITICAL)
    DBOSDefaultSerializer.deserialize = _refuse  # type: ignore[method-assign, assignment]


_settle()


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=ATTEMPTS)
def _entry(due: str | None, request: Json) -> Json:
    job_id = DBOS.workflow_id
    assert job_id is not None
    return _performing[0](job_id, due, request)


class DurableWorkflow:
    """Steps and progress of the workflow that this thread runs."""

    def run(self, name: str, function: Callable[[], Json]) -> Json:
        try:
            return DBOS.run_step({"name": name}, function)
        except error.DBOSUnexpectedStepError:
            raise _changed(name) from None

    def emit(self, value: Json) -> None:
        try:
            DBOS.write_stream(STREAM, value)
        except error.DBOSUnexpectedStepError:
            raise _changed("progress") from None


def migrate(where: Place) -> None:
    """Create the tables of DBOS, or bring them to its version."""
    DBOS.migrate(where.url.render_as_string(hide_password=False), schema=where.schema)


def client(where: Place, engine: Engine) -> DBOSClient:
    """The room's own view of the database: it enqueues, watches and cancels, and executes nothing."""
    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=where.schema,
        serializer=_JsonSerializer(),
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,
    )


def launch(where: Place, engine: Engine, workers: int, perform: Perform) -> None:
    """Execute the jobs of ``where`` in this process, ``workers`` at a time, beginning with those that were cut off."""
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": engine,
        "dbos_system_schema": where.schema,
        "application_version": VERSION,
        "executor_id": EXECUTOR,
        "serializer": _JsonSerializer(),
        "log_level": "CRITICAL",
        "notification_listener_polling_interval_sec": POLL,  # it sleeps this long, and so does a clean stop
        "scheduler_polling_interval_sec": 1.0,
    }
    _performing[:] = [perform]
    client(where, engine).register_queue(QUEUE, worker_concurrency=workers, polling_interval_sec=POLL)
    DBOS(config=config)
    try:
        DBOS.launch()
    except BaseException:
        shutdown()
        raise


def shutdown() -> None:
    """Stop executing. The registry stays, for the next launch."""
    DBOS.destroy()


def _changed(step: str) -> Refused:
    return Refused(
        "TP-JOB-006",
        "the job cannot go on from where it was",
        why=f"at {step!r} it no longer takes the steps that it took before",
    )
