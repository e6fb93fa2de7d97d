"""A view of a few people, and scripts that go the whole way: asked for, executed in the real sandbox, kept."""

import json
import textwrap
import time
from datetime import timedelta

import pytest

from trustplane.data.ingestion import DatasetSpec, ingest
from trustplane.data.views import ViewSpec, create_view
from trustplane.training.runs import RunSpec, open_output, start_run
from trustplane.training.sandboxes.contract import MIB, Limits
from trustplane.training.tables import Run
from trustplane.values.clock import FixedClock

PATIENCE = 120
PURPOSE = "dpv:CustomerSolvencyMonitoring"
ROWS = 40


@pytest.fixture
def clients(plane, cast):
    """A dataset of 40 people."""
    lines = (f"C{n:05d},person{n}@mail.example,{18 + n},{n * 7}.5\n" for n in range(ROWS))
    said = DatasetSpec("clients", "csv", (PURPOSE,), "eu-gdpr:A6-1-b", 3650, source="the tests")
    content = ("customer_id,email,age,amount\n" + "".join(lines)).encode()
    return ingest(plane, cast["data-steward"], "credit", said, [content])


@pytest.fixture
def view(plane, cast, clients):
    """The name of a view of the people, with a pseudonym for who they are."""
    columns = ("customer_id", "email", "age", "amount")
    spec = ViewSpec("people", "clients", columns, PURPOSE, timedelta(days=30), pseudonyms=("customer_id",))
    create_view(plane, cast["data-steward"], "credit", spec)
    return "people"


@pytest.fixture
def start(plane, cast):
    """Ask for a run of a script; its id."""

    def ask(script, who="scientist", files=None, limits=None, **said):
        files = {"train.py": textwrap.dedent(script).encode()} | (files or {})
        small = {"memory_bytes": 512 * MIB, "wall_seconds": 60, "output_bytes": 16 * MIB} | (limits or {})
        return start_run(plane, cast[who], "credit", RunSpec("train.py", files, limits=Limits(**small), **said))

    return ask


@pytest.fixture
def ended(plane):
    """Wait for the end of a run, and give it as it is kept."""

    def wait(run_id):
        plane.jobs.wait(run_id, PATIENCE).returned()
        with plane.database.read() as session:
            return session.get_one(Run, run_id)

    return wait


@pytest.fixture
def run(start, ended):
    """Run a script to its end."""
    return lambda script, **said: ended(start(script, **said))


@pytest.fixture
def output(plane, cast):
    """The bytes of an output of a run."""
    return lambda row, path: b"".join(open_output(plane, cast["scientist"], "credit", row.id, path))


@pytest.fixture
def said(output):
    """What a run printed to its standard output and its standard error."""

    def read(row):
        log = json.loads(output(row, "log"))
        return log["stdout"], log["stderr"]

    return read


@pytest.fixture
def queue_as(plane, monkeypatch):
    """Ask for a run in somebody's name that nobody executes yet; its id, and what is kept of it so far."""

    def ask(actor, script, **said):
        with monkeypatch.context() as held:
            held.setattr(plane, "start_job", lambda name, job_id, arguments: plane.jobs.submit(name, arguments, job_id))
            run_id = start_run(plane, actor, "credit", RunSpec("train.py", {"train.py": script.encode()}, **said))
        with plane.database.read() as session:
            return run_id, session.get_one(Run, run_id)

    return ask


@pytest.fixture
def queue(cast, queue_as):
    """The same, in the scientist's name."""
    return lambda script, **said: queue_as(cast["scientist"], script, **said)


@pytest.fixture
def begin(plane, settled):
    """Execute what was asked for, and give the run as it is kept."""

    def launch(run_id):
        plane.jobs.launch()
        plane.jobs.wait(run_id, PATIENCE)
        return settled(run_id)

    return launch


@pytest.fixture
def wait_for():
    """Wait until something holds; nothing is judged by how long that takes."""

    def wait(condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail("waited in vain")
            time.sleep(0.02)

    return wait


@pytest.fixture
def settled(plane, wait_for):
    """Wait until a run is no longer queued, and give it."""

    def wait(run_id):
        def kept():
            with plane.database.read() as session:
                return session.get_one(Run, run_id)

        wait_for(lambda: kept().state != "queued")
        return kept()

    return wait


@pytest.fixture
def later(plane, monkeypatch):
    """Let time pass on the plane's clock."""

    def skip(**span):
        moment = plane.clock.now() + timedelta(**span)
        monkeypatch.setattr(plane, "clock", FixedClock(moment))

    return skip
