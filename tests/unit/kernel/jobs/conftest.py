"""A workspace on each kind of database, and processes that execute its jobs."""

import importlib.util
import os
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from trustplane.kernel.jobs import Jobs
from trustplane.values.clock import Clock, SystemClock

POSTGRES = os.environ.get("TRUSTPLANE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 60.0
"""Seconds until a test gives up; nothing is judged by it."""


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("jobs_worker", WORKER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_worker = _load()


@pytest.fixture(scope="session")
def worker() -> ModuleType:
    """The module of the sample jobs, which are registered by loading it."""
    return _worker


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.02)


@dataclass
class Process:
    """A process that executes, or waits to."""

    popen: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.popen.pid

    def tells(self) -> str:
        """The next thing it tells: ``executing`` or ``waiting``."""
        assert self.popen.stdout
        if not select.select([self.popen.stdout], [], [], PATIENCE)[0]:
            pytest.fail("the process told nothing")
        return self.popen.stdout.readline().strip()

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.popen.kill()
        self.popen.wait()


@dataclass
class Workspace:
    """A folder, a database and a schema that nobody else uses."""

    url: str
    folder: Path
    schema: str
    opened: list[Jobs] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)

    def jobs(self, clock: Clock | None = None, plane: object = "the plane") -> Jobs:
        jobs = Jobs(self.url, self.folder, plane, clock or SystemClock(), schema=self.schema)
        self.opened.append(jobs)
        return jobs

    def launched(self, clock: Clock | None = None) -> Jobs:
        jobs = self.jobs(clock)
        jobs.launch()
        return jobs

    def process(self) -> Process:
        command = [sys.executable, "-W", "error", str(WORKER), self.url, str(self.folder), self.schema]
        process = Process(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        self.processes.append(process)
        return process

    def traces(self, name: str) -> list[int]:
        """The processes that ran the step that marks ``name``, in order."""
        file = self.folder / name
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def go(self) -> None:
        """Let the steps that hold go on."""
        (self.folder / "go").touch()

    def close(self) -> None:
        self.go()
        for jobs in self.opened:
            jobs.close()
        for process in self.processes:
            process.popen.kill()
            process.popen.communicate()


def postgres_answers() -> bool:
    engine = create_engine(POSTGRES, connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    schema = f"jobs_{uuid.uuid4().hex[:16]}"
    if request.param == "sqlite":
        made = Workspace(f"sqlite:///{tmp_path / 'plane.sqlite'}", tmp_path, schema)
        yield made
        made.close()
        return
    if not postgres_answers():
        pytest.skip(f"no PostgreSQL answers at {POSTGRES} (set TRUSTPLANE_TEST_POSTGRES)")
    made = Workspace(POSTGRES, tmp_path, schema)
    yield made
    made.close()
    engine = create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
    engine.dispose()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object], str], None]:
    return until
