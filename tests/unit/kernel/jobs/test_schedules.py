"""Jobs that start by the calendar."""

from datetime import UTC, datetime

import pytest

from trustplane.kernel.jobs import State
from trustplane.kernel.jobs.jobs import _moment_id
from trustplane.values.clock import FixedClock
from trustplane.values.errors import BadInput, NotFound

PATIENCE = 60.0
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_schedule_fires_by_itself(workspace, wait_until) -> None:
    jobs = workspace.launched()
    jobs.schedule("every-second", "* * * * * *", "sample.where")
    wait_until(lambda: jobs.list(), "it has fired")
    fired = jobs.wait(jobs.list()[0].id, PATIENCE)
    jobs.unschedule("every-second")
    assert (fired.name, fired.schedule, fired.state) == ("sample.where", "every-second", State.SUCCEEDED)
    due = datetime.fromisoformat(fired.returned()["due"])
    assert (due.microsecond, due.tzinfo) == (0, UTC)
    assert fired.id == _moment_id("every-second", due), "which is how run_due knows that it was started"


def test_schedules_outlive_the_process_and_are_told(workspace) -> None:
    clock = FixedClock(START)
    with workspace.jobs(clock) as jobs:
        jobs.schedule("nightly", "0 2 * * *", "sample.progress", {"steps": 3})
    (found,) = workspace.jobs(clock).schedules()
    assert (found.name, found.cron, found.job, found.arguments) == (
        "nightly",
        "0 2 * * *",
        "sample.progress",
        {"steps": 3},
    )
    assert (found.since, found.next) == (START, datetime(2026, 3, 2, 2, 0, tzinfo=UTC))


def test_the_same_schedule_again_changes_nothing_and_another_replaces_it(workspace) -> None:
    clock = FixedClock(START)
    jobs = workspace.jobs(clock)
    jobs.schedule("nightly", "0 2 * * *", "sample.progress", {"steps": 3})
    clock.advance(days=1)
    jobs.schedule("nightly", "0 2 * * *", "sample.progress", {"steps": 3})
    assert [schedule.since for schedule in jobs.schedules()] == [START]
    jobs.schedule("nightly", "0 3 * * *", "sample.progress", {"steps": 3})
    (replaced,) = jobs.schedules()
    assert (replaced.cron, replaced.since) == ("0 3 * * *", clock.now())


def test_what_was_missed_is_started_once_however_often_it_was_missed(workspace) -> None:
    clock = FixedClock(START)
    jobs = workspace.launched(clock)
    jobs.schedule("nightly", "0 2 * * *", "sample.where")
    assert jobs.run_due() == (), "nothing fell due since it was made"
    clock.advance(days=10)
    (job_id,) = jobs.run_due()
    assert jobs.wait(job_id, PATIENCE).returned()["due"] == "2026-03-11 02:00:00+00:00", "the latest moment alone"
    assert jobs.run_due() == (job_id,)
    assert [status.id for status in jobs.list()] == [job_id], "and no second time"


def test_a_moment_that_is_now_is_due(workspace) -> None:
    clock = FixedClock(START)
    jobs = workspace.jobs(clock)
    jobs.schedule("hourly", "0 * * * *", "sample.where")
    clock.advance(hours=1)
    assert len(jobs.run_due()) == 1
    clock.advance(minutes=59, seconds=59)
    jobs.run_due()
    assert len(jobs.list()) == 1
    clock.advance(seconds=1)
    jobs.run_due()
    assert len(jobs.list()) == 2


def test_a_schedule_is_triggered_by_hand(workspace) -> None:
    jobs = workspace.launched()
    jobs.schedule("yearly", "0 0 1 1 *", "sample.progress", {"steps": 2})
    status = jobs.wait(jobs.trigger("yearly"), PATIENCE)
    assert (status.returned(), status.schedule) == (2, "yearly")


def test_what_is_unscheduled_is_gone(workspace) -> None:
    jobs = workspace.jobs()
    jobs.schedule("nightly", "0 2 * * *", "sample.where")
    jobs.unschedule("nightly")
    assert jobs.schedules() == ()
    for ask in (jobs.unschedule, jobs.trigger):
        with pytest.raises(NotFound, match="TP-JOB-004"):
            ask("nightly")


def test_the_nearest_schedule_is_suggested(workspace) -> None:
    jobs = workspace.jobs()
    jobs.schedule("nightly", "0 2 * * *", "sample.where")
    with pytest.raises(NotFound, match="did you mean 'nightly'"):
        jobs.trigger("nigthly")


@pytest.mark.parametrize(
    ("name", "cron", "job", "arguments", "code"),
    [
        ("nightly", "at two", "sample.where", {}, "TP-JOB-010"),
        ("nightly", "61 * * * *", "sample.where", {}, "TP-JOB-010"),
        ("nightly", "", "sample.where", {}, "TP-JOB-010"),
        ("nightly", "0 2 * * *", "sample.nowhere", {}, "TP-JOB-001"),
        ("nightly", "0 2 * * *", "sample.where", {"x": 1}, "TP-JOB-002"),
        ("Night ly", "0 2 * * *", "sample.where", {}, "TP-VALUE-001"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_before_it_is_stored(
    workspace, name: str, cron: str, job: str, arguments: dict[str, object], code: str
) -> None:
    jobs = workspace.jobs()
    with pytest.raises((BadInput, NotFound)) as raised:
        jobs.schedule(name, cron, job, arguments)
    assert raised.value.code == code
    assert jobs.schedules() == ()
