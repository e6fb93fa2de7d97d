"""A comparison outlives the process that makes it: after ``kill -9`` it goes on, and is on record once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.unit.monitoring.conftest import PATIENCE, people

from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.evidence import events_about
from trustplane.monitoring.service import SCHEDULED, resume_monitors, run_monitor
from trustplane.monitoring.tables import DriftReport

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture
def killed(workspace):
    """Have a process execute the jobs of the workspace until it kills itself at a moment."""

    def run(moment):
        command = [sys.executable, "-W", "error", str(WORKER), str(workspace.folder), workspace.database_url, moment]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            try:
                assert process.wait(PATIENCE) == -signal.SIGKILL
            finally:
                process.kill()

    return run


@pytest.fixture
def only(plane):
    """The one report that there is."""

    def get():
        with plane.database.read() as session:
            (row,) = session.scalars(select(DriftReport)).all()
            return row

    return get


def count(plane, resource, action):
    with plane.database.read() as session:
        return len(events_about(session, resource, action))


@pytest.mark.parametrize(("moment", "state"), [("asked", "queued"), ("compared", "done")])
def test_what_the_calendar_started_goes_on_and_makes_one_report(plane, deployment, ask, killed, only, moment, state):
    ask(people(shift=40))
    job_id = plane.jobs.submit(SCHEDULED, {"deployment": deployment.id})
    killed(moment)
    before = only()
    assert (before.state, before.job_id) == (state, job_id)
    assert resume_monitors(plane) == 0, "its own job goes on"
    plane.jobs.launch()
    said = plane.jobs.wait(job_id, PATIENCE).returned()
    row = only()
    assert said == {"report": row.id, "verdict": "failed"}
    assert (row.id, row.state, row.created) == (before.id, "done", before.created)
    assert count(plane, f"Job::{job_id}", "job.finish") == 1
    verify(plane).require_sound()


def test_what_somebody_asked_for_ends_once(plane, cast, deployment, ask, killed, only, monkeypatch):
    ask(people(shift=40))
    with monkeypatch.context() as crash:
        crash.setattr(plane.jobs, "launch", lambda: None)
        report_id = run_monitor(plane, cast["operator"], deployment.id)
    killed("compared")
    before = only()
    assert (before.id, before.state, before.verdict) == (report_id, "done", "failed")
    plane.jobs.launch()
    assert plane.jobs.wait(report_id, PATIENCE).returned() == {"report": report_id, "verdict": "failed"}
    assert only().features == before.features
    assert count(plane, f"Deployment::{deployment.id}", "monitor.run") == 1
    assert count(plane, f"Job::{report_id}", "job.finish") == 1
    verify(plane).require_sound()
