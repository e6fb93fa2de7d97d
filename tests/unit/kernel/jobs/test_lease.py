"""One process at a time has the right to execute."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from trustplane.kernel.jobs.database import place
from trustplane.kernel.jobs.lease import AdvisoryLease, FileLease, Lease

HOLDER = """
import sys
from pathlib import Path
from trustplane.kernel.jobs.database import place
lease = place(sys.argv[1], Path(sys.argv[2]), sys.argv[3]).lease()
print(lease.acquire(), flush=True)
sys.stdin.read()
"""


def lease_of(workspace) -> Lease:
    return place(workspace.url, workspace.folder, workspace.schema).lease()


def holder(workspace, code: str = HOLDER) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, workspace.url, str(workspace.folder), workspace.schema]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_another_process_has_it_until_it_is_killed(workspace, wait_until) -> None:
    lease = lease_of(workspace)
    with holder(workspace) as other:
        assert other.stdout.readline() == "True\n"
        assert not lease.acquire()
        assert not lease.held()
        other.send_signal(signal.SIGKILL)
        other.wait()
        wait_until(lease.acquire, "the lease is free")
    assert lease.held()
    lease.release()


def test_it_can_be_given_back_and_taken_again(workspace) -> None:
    lease = lease_of(workspace)
    lease.release()
    for _ in range(2):
        assert lease.acquire()
        assert lease.held()
        lease.release()
        assert not lease.held()


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(tmp_path: Path, wait_until) -> None:
    code = """
import os, sys, time
from pathlib import Path
from trustplane.kernel.jobs.lease import FileLease
lease = FileLease(Path(sys.argv[1]))
assert lease.acquire()
child = os.fork()
if child == 0:
    time.sleep(600)
print(child, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        try:
            lease = FileLease(tmp_path / "lock")
            assert not lease.acquire()
            parent.kill()
            parent.wait()
            os.kill(child, 0)
            wait_until(lease.acquire, "the lease is free")
            lease.release()
        finally:
            os.kill(child, signal.SIGKILL)


END_HOLDER = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND pid <> pg_backend_pid()
AND ((classid::bigint << 32) | objid::bigint) = :key
"""


@pytest.mark.parametrize("workspace", ["postgresql"], indirect=True)
def test_a_session_that_the_server_ended_has_lost_the_lease(workspace) -> None:
    lease = lease_of(workspace)
    assert lease.acquire()
    engine = create_engine(workspace.url)
    with engine.begin() as connection:
        assert len(connection.execute(text(END_HOLDER), {"key": lease._key}).all()) == 1
    engine.dispose()
    assert not lease.held()
    assert lease.acquire()
    lease.release()


@pytest.mark.parametrize("workspace", ["postgresql"], indirect=True)
def test_an_executor_that_lost_the_lease_leaves_and_comes_back(workspace, wait_until) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.long-step", {"folder": str(workspace.folder)})
    wait_until(lambda: workspace.traces("count"), "the step runs")
    thief = lease_of(workspace)
    engine = create_engine(workspace.url)

    def stolen() -> bool:
        with engine.begin() as connection:
            connection.execute(text(END_HOLDER), {"key": thief._key})
        return thief.acquire()

    wait_until(stolen, "another session has the lease")
    engine.dispose()
    wait_until(lambda: not jobs.executing, "it leaves")
    thief.release()
    wait_until(lambda: jobs.executing, "it executes again")
    workspace.go()
    assert jobs.wait(job_id, 60.0).returned() == "counted"
    assert len(workspace.traces("before")) == 1


@pytest.mark.parametrize("workspace", ["postgresql"], indirect=True)
def test_schemas_of_one_database_have_a_lease_each(workspace) -> None:
    first, second = (
        AdvisoryLease(make_url(workspace.url), schema) for schema in (workspace.schema, workspace.schema + "_b")
    )
    assert first.acquire()
    assert second.acquire()
    first.release()
    second.release()
