"""A run outlives the process that executes it: after ``kill -9`` it ends well, and nothing half-written is ever seen."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.tree import DecisionTreeClassifier

from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.evidence import events_about
from trustplane.release.conversion import Wanted, start_conversion
from trustplane.training.runs import resume_runs
from trustplane.training.tables import Run
from trustplane.values.errors import NotFound

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("worker.py")
SCRIPT = """
import os, subprocess, sys, time
import pyarrow.parquet as pq

rows = pq.read_table(os.environ["TRUSTPLANE_INPUT"] + "/people.parquet").num_rows
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.environ["TRUSTPLANE_OUTPUT"]])
with open("model", "w") as file:
    file.write("half of ")
    file.flush()
    open("begun", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.02)
    file.write(f"a model of {rows} rows")
child.kill()
"""
WHOLE = b"half of a model of 40 rows"


@pytest.fixture
def worker(workspace):
    """Start a process that executes the runs of the workspace."""
    started = []

    def start(moment=""):
        command = [sys.executable, "-W", "error", str(WORKER), str(workspace.folder), workspace.database_url, moment]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(plane):
    """Where a run is executed."""
    return lambda run_id: plane.workspace.folder / "scratch" / run_id


def alive(folder: Path) -> list[str]:
    """The command lines of the processes that name the folder."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            line = (path / "cmdline").read_bytes() if path.name.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.fsencode(folder) in line:
            found.append(line.decode())
    return found


def kept(plane, run_id):
    with plane.database.read() as session:
        return session.get_one(Run, run_id)


def count(plane, run_id, action):
    with plane.database.read() as session:
        return len(events_about(session, f"Run::{run_id}", action))


def openings(plane):
    return sum(event.leaf.action == "view.open" for event in plane.ledger.feed())


def test_a_run_killed_in_the_middle_of_training_runs_again_and_ends_well(
    plane, view, queue, folder, worker, wait_for, begin, output
) -> None:
    run_id, _ = queue(SCRIPT, views=(view,))
    process = worker()
    wait_for(lambda: (folder(run_id) / "output" / "begun").exists())
    assert len(alive(folder(run_id))) >= 2, "the script and its child"
    process.kill()
    process.wait()

    wait_for(lambda: alive(folder(run_id)) == [])
    row = kept(plane, run_id)
    assert (row.state, row.outputs, row.log_blob) == ("queued", {}, None)
    for path in ("model", "log"):
        with pytest.raises(NotFound):
            output(row, path)

    stale = folder(run_id) / "output" / "stale"
    stale.touch()
    plane.jobs.launch()
    wait_for(lambda: not stale.exists() and (folder(run_id) / "output" / "begun").exists())
    (folder(run_id) / "output" / "go").touch()
    row = begin(run_id)
    assert (row.state, sorted(row.outputs)) == ("done", ["begun", "go", "model"])
    assert output(row, "model") == WHOLE
    assert not folder(run_id).exists()
    assert alive(folder(run_id)) == []
    assert count(plane, run_id, "run.start") == 1
    assert count(plane, run_id, "job.finish") == 1
    assert openings(plane) == 2, "each time that rows were released is on record"
    verify(plane).require_sound()


def test_a_run_killed_while_its_outputs_are_kept_shows_none_of_them_and_does_not_run_twice(
    plane, view, queue, folder, worker, begin, output
) -> None:
    script = "import time\nopen('a', 'w').write(str(time.time_ns()))\nopen('b', 'w').write('b')"
    run_id, _ = queue(script, views=(view,))
    assert worker("sealing").wait() < 0
    row = kept(plane, run_id)
    assert (row.state, row.outputs) == ("queued", {})
    assert not (folder(run_id) / "input").exists(), "the rows were removed when the script had ended"
    first = (folder(run_id) / "output" / "a").read_bytes()

    row = begin(run_id)
    assert (row.state, sorted(row.outputs)) == ("done", ["a", "b"])
    assert output(row, "a") == first
    assert not folder(run_id).exists()
    assert openings(plane) == 1


def test_a_run_killed_when_its_end_was_on_record_ends_once(plane, view, queue, folder, worker, begin, output) -> None:
    run_id, _ = queue("open('a', 'w').write('a')", views=(view,))
    assert worker("kept").wait() < 0
    before = kept(plane, run_id)
    assert (before.state, list(before.outputs)) == ("done", ["a"])

    after = begin(run_id)
    assert plane.jobs.status(run_id).returned() == {"run": run_id, "state": "done", "outputs": 1}
    assert (after.outputs, after.finished, after.log_blob) == (before.outputs, before.finished, before.log_blob)
    assert output(after, "a") == b"a"
    assert not folder(run_id).exists()
    assert count(plane, run_id, "job.finish") == 1
    assert resume_runs(plane) == 0


def test_a_conversion_killed_in_the_middle_begins_again_and_ends_well(
    plane, cast, monkeypatch, folder, worker, wait_for, begin, output
) -> None:
    model = pickle.dumps(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    with monkeypatch.context() as held:
        held.setattr(plane, "start_job", lambda name, job_id, arguments: plane.jobs.submit(name, arguments, job_id))
        run_id = start_conversion(plane, cast["scientist"], "credit", Wanted("tree.pkl", data=model, to="skops"))
    process = worker()
    wait_for(lambda: alive(folder(run_id)) != [])
    process.kill()
    process.wait()
    wait_for(lambda: alive(folder(run_id)) == [])
    assert (kept(plane, run_id).state, kept(plane, run_id).outputs) == ("queued", {})

    row = begin(run_id)
    assert (row.state, {"model.skops", "conversion.json"} <= set(row.outputs)) == ("done", True)
    assert output(row, "model.skops")[:2] == b"PK"
    assert not folder(run_id).exists()
    assert count(plane, run_id, "run.start") == 1
    verify(plane).require_sound()
