"""Jobs outlive the process that runs them."""

import subprocess
import sys

import pytest

from trustplane.kernel.jobs import State

PATIENCE = 60.0
pytestmark = pytest.mark.slow


def test_a_job_killed_in_its_third_step_resumes_there(workspace, wait_until) -> None:
    first = workspace.process()
    assert first.tells() == "executing"
    jobs = workspace.jobs()
    job_id = jobs.submit("sample.five-steps", {"folder": str(workspace.folder), "hold_at": 3})
    wait_until(lambda: workspace.traces("step-3"), "the third step runs")
    first.kill()
    assert jobs.status(job_id).state is State.RUNNING
    workspace.go()
    second = workspace.process()
    assert jobs.wait(job_id, PATIENCE).returned() == [first.pid, first.pid, second.pid, second.pid, second.pid]
    assert [workspace.traces(f"step-{n}") for n in (1, 2)] == [[first.pid], [first.pid]], "done steps do not run again"
    assert workspace.traces("step-3") == [first.pid, second.pid], "the step that was cut off runs again"
    assert [workspace.traces(f"step-{n}") for n in (4, 5)] == [[second.pid], [second.pid]]


def test_a_second_process_only_enqueues_and_takes_over_when_the_first_is_killed(workspace) -> None:
    first = workspace.process()
    assert first.tells() == "executing"
    second = workspace.process()
    assert second.tells() == "waiting"
    third = workspace.launched()
    assert not third.executing
    assert third.wait(third.submit("sample.where"), PATIENCE).returned()["pid"] == first.pid
    third.close()
    first.kill()
    assert second.tells() == "executing"
    watcher = workspace.jobs()
    assert watcher.wait(watcher.submit("sample.where"), PATIENCE).returned()["pid"] == second.pid


def test_the_lease_is_free_after_a_clean_end(workspace, wait_until) -> None:
    first = workspace.process()
    assert first.tells() == "executing"
    jobs = workspace.launched()
    first.popen.communicate(timeout=PATIENCE)
    assert first.popen.returncode == 0
    wait_until(lambda: jobs.executing, "the waiting process executes")


def test_closing_leaves_a_long_step_and_the_next_executor_runs_it_again(workspace, wait_until) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.long-step", {"folder": str(workspace.folder)})
    wait_until(lambda: workspace.traces("count"), "the step runs")
    jobs.close()
    watcher = workspace.jobs()
    assert watcher.status(job_id).state is State.RUNNING
    workspace.go()
    after = workspace.launched()
    assert after.wait(job_id, PATIENCE).returned() == "counted"
    assert len(workspace.traces("before")) == 1
    assert len(workspace.traces("count")) == 2


def test_a_step_that_outlasts_the_grace_keeps_the_lease_until_it_ends(workspace, wait_until) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.five-steps", {"folder": str(workspace.folder), "hold_at": 2})
    wait_until(lambda: workspace.traces("step-2"), "the second step runs")
    jobs.close(grace=0.0)
    other = workspace.process()
    assert other.tells() == "waiting"
    workspace.go()
    assert other.tells() == "executing"
    assert len(jobs.wait(job_id, PATIENCE).returned()) == 5
    assert len(workspace.traces("step-1")) == 1


def test_a_job_whose_steps_have_changed_says_so(workspace, worker, monkeypatch, wait_until) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.changing", {"folder": str(workspace.folder)})
    wait_until(lambda: workspace.traces("changing"), "the first step ran")
    wait_until(lambda: next(jobs.follow(job_id), None), "the step is recorded")
    jobs.close()
    monkeypatch.setattr(worker, "STEPS", ["another"])
    status = workspace.launched().wait(job_id, PATIENCE)
    assert status.state is State.FAILED
    assert status.error
    assert status.error["code"] == "TP-JOB-006"
    assert "'another'" in status.error["why"]


def test_the_room_is_imported_without_dbos() -> None:
    code = "import sys, trustplane.kernel.jobs; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
