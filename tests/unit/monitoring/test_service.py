"""Comparing what is served with the hold-out: asked for, by the calendar, after a crash, and when it cannot be done."""

import json
from dataclasses import asdict

import msgspec
import numpy as np
import pytest
from sqlalchemy import select, update
from tests.unit.monitoring.conftest import PATIENCE, ROWS, held_out, parquet, people
from tests.unit.serving.conftest import NAME

from trustplane.kernel.identity import principals
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.jobs.status import State
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied
from trustplane.monitoring import service
from trustplane.monitoring.drift import compare
from trustplane.monitoring.service import JOB, SCHEDULED, resume_monitors, run_monitor, schedule_monitor
from trustplane.monitoring.tables import DriftReport
from trustplane.rollout.deployments import retire
from trustplane.serving.tables import Decision
from trustplane.values.errors import BadInput, Refused

CRON = "0 * * * *"


@pytest.fixture
def compared(plane, cast, report):
    """Compare, and give the report as it ended."""

    def run(deployment):
        report_id = run_monitor(plane, cast["operator"], deployment.id)
        plane.jobs.wait(report_id, PATIENCE).returned()
        return report(report_id)

    return run


@pytest.fixture
def fired(plane):
    """Start a schedule's job now, and give its id once it has ended."""

    def run(name):
        job_id = plane.jobs.trigger(name)
        plane.jobs.wait(job_id, PATIENCE)
        return job_id

    return run


def reports(plane):
    with plane.database.read() as session:
        return list(session.scalars(select(DriftReport).order_by(DriftReport.id)))


def test_inputs_like_the_hold_out_pass_with_their_figures(plane, cast, deployment, ask, compared):
    rows = people(seed=6)
    first = ask(rows[:150])["parameters"]["event"]
    last = ask(rows[150:])["parameters"]["event"]
    row = compared(deployment)
    assert (row.state, row.verdict, row.reason) == ("done", "passed", "no feature of 2 has drifted")
    assert (row.reference_rows, row.served_rows) == (ROWS, len(rows))
    given = rows.astype(np.float32)
    before = dict(zip(("income", "debt"), people().T, strict=True))
    expected = compare(before, {"income": given[:, 0], "debt": given[:, 1]})
    assert row.features == {name: pytest.approx(asdict(figures)) for name, figures in expected.items()}
    with plane.database.read() as session:
        moments = [session.get_one(Decision, event).at for event in (first, last)]
    assert [row.window_start, row.window_end] == moments


def test_inputs_that_have_moved_fail_and_are_named(deployment, ask, compared):
    ask(people(shift=40))
    row = compared(deployment)
    assert (row.state, row.verdict) == ("done", "failed")
    assert row.reason == "1 of 2 features have drifted: income"
    assert row.features["income"]["psi"] > 0.25 > row.features["debt"]["psi"]


def test_a_tiny_window_is_no_evidence_and_says_so(deployment, ask, compared):
    for more, rows in ((0, 0), (3, 3), (196, 199)):
        if more:
            ask(people(more, shift=40))
        row = compared(deployment)
        assert (row.state, row.verdict) == ("done", "no-evidence")
        assert row.reason == f"{rows} served rows are too few to compare"
        assert (row.window_start is None) == (rows == 0)


def test_a_small_hold_out_is_no_evidence(served, ask, compared):
    deployment = served(held_out(199))
    ask(people())
    row = compared(deployment)
    assert (row.verdict, row.reason) == ("no-evidence", "2 of 2 features could not be compared: income, debt")


def test_a_feature_that_the_hold_out_lacks_or_has_no_numbers_of_is_no_evidence(served, ask, compared):
    debt = people()[:, 1]
    for kept in (
        {"debt": debt},
        {"debt": debt, "income": [None] * ROWS},
        {"debt": debt, "income": ["much", "little"] * (ROWS // 2)},
    ):
        deployment = served(parquet(**kept))
        ask(people())
        row = compared(deployment)
        assert (row.state, row.verdict) == ("done", "no-evidence")
        assert row.reason == "1 of 2 features could not be compared: income"


def test_missing_values_of_the_hold_out_are_left_out(served, ask, compared):
    income, debt = people().T
    deployment = served(parquet(income=[None, *income], debt=[*debt, None]))
    ask(people(seed=6))
    row = compared(deployment)
    assert (row.verdict, row.reference_rows) == ("passed", ROWS + 1)


def test_another_deployments_answers_are_not_mixed_in(plane, cast, served, ask, compared):
    first = served()
    ask(people(shift=40))
    second = served()
    ask(people())
    assert compared(first).verdict == "failed"
    assert compared(second).verdict == "passed"


def test_the_asking_and_the_verdict_are_each_on_record(plane, cast, deployment, ask, compared):
    ask(people(shift=40))
    row = compared(deployment)
    with plane.database.read() as session:
        (asked,) = events_about(session, f"Deployment::{deployment.id}", "monitor.run")
        (ended,) = events_about(session, f"Job::{row.id}", "job.finish")
    asked, ended = plane.ledger.get(asked), plane.ledger.get(ended)
    assert (asked.leaf.actor, ended.leaf.actor) == (cast["operator"].id,) * 2
    assert asked.payload["facts"] == {"report": row.id, "deployment": deployment.id}
    assert ended.payload["cause"] == asked.leaf.id
    assert ended.payload["facts"] == {
        "report": row.id, "deployment": deployment.id, "verdict": "failed", "served_rows": ROWS,
    }  # fmt: skip
    assert ended.payload["refers"] == {"reference": row.reference_digest}
    assert len(ended.payload["keys"]) == 2, "the release of the keys of hold-out and decisions is on record"
    verify(plane).require_sound()


def test_no_value_that_was_served_or_held_out_leaves_the_vault(plane, cast, served, ask, compared):
    marked, held = 31.415926, 27.182818
    deployment = served(parquet(income=[held] * ROWS, debt=[1.0] * ROWS))
    ask([[marked, 5.0]] * ROWS)
    row = compared(deployment)
    assert row.verdict == "failed"
    said = json.dumps([[e.payload, msgspec.to_builtins(e.leaf)] for e in plane.ledger.feed(limit=500)], default=str)
    said += json.dumps([row.features, row.reason]) + str(plane.jobs.status(row.id))
    said += json.dumps(plane.jobs.arguments(row.id)) + "".join(p.message for p in plane.jobs.follow(row.id))
    for value in (marked, held, float(np.float32(marked))):
        assert str(value)[:7] not in said


def test_only_operators_compare_and_schedule(plane, cast, deployment):
    for role in ("owner", "data-steward", "scientist", "reviewer", "auditor", "consumer"):
        for ask_for in (run_monitor, lambda *said: schedule_monitor(*said, CRON)):
            with pytest.raises(AccessDenied):
                ask_for(plane, cast[role], deployment.id)
            event = plane.ledger.feed(limit=1)[0].leaf
            assert (event.action, event.outcome, event.actor) == ("monitor.run", "denied", cast[role].id)
    assert reports(plane) == []
    assert plane.jobs.schedules() == ()


def test_a_model_without_a_hold_out_is_refused_before_anything(plane, cast, served):
    deployment = served(b"")
    for ask_for in (run_monitor, lambda *said: schedule_monitor(*said, CRON)):
        with pytest.raises(Refused) as caught:
            ask_for(plane, cast["operator"], deployment.id)
        assert caught.value.code == "TP-MONITOR-001"
    assert reports(plane) == []
    assert plane.jobs.schedules() == ()


# --- by the calendar


def test_what_the_calendar_starts_is_compared_by_the_plane_itself(plane, cast, deployment, ask, fired, report):
    ask(people(shift=40))
    name = schedule_monitor(plane, cast["operator"], deployment.id, CRON)
    (kept,) = plane.jobs.schedules()
    assert (kept.name, kept.cron, kept.job, kept.arguments) == (name, CRON, SCHEDULED, {"deployment": deployment.id})
    assert plane.jobs.executing, "who schedules has it executed"
    job_id = fired(name)
    said = plane.jobs.status(job_id).returned()
    row = report(said["report"])
    assert (row.state, row.verdict, said["verdict"]) == ("done", "failed", "failed")
    assert row.job_id == job_id, "the report names its job"
    with plane.database.read() as session:
        scheduled, asked = events_about(session, f"Deployment::{deployment.id}", "monitor.run")
        (ended,) = events_about(session, f"Job::{job_id}", "job.finish")
    assert plane.ledger.get(scheduled).payload["facts"] == {"schedule": name, "cron": CRON}
    assert plane.ledger.get(scheduled).leaf.actor == cast["operator"].id
    assert (plane.ledger.get(asked).leaf.actor, plane.ledger.get(ended).leaf.actor) == (PLANE_ACTOR.id,) * 2
    assert plane.ledger.get(ended).payload["cause"] == asked
    verify(plane).require_sound()


def test_reports_are_in_the_order_of_their_making_whoever_asked(plane, cast, deployment, compared, fired):
    name = schedule_monitor(plane, cast["operator"], deployment.id, CRON)
    order = []
    for by_calendar in (True, False, True, False):
        made = plane.jobs.status(fired(name)).returned()["report"] if by_calendar else compared(deployment).id
        order.append(made)
    assert [row.id for row in reports(plane)] == order
    assert [row.created for row in reports(plane)] == sorted(row.created for row in reports(plane))


def test_a_retired_deployment_is_left_alone(plane, cast, deployment, fired):
    name = schedule_monitor(plane, cast["operator"], deployment.id, CRON)
    retire(plane, cast["operator"], "credit", NAME)
    assert plane.jobs.status(fired(name)).returned() == {"report": None, "verdict": "retired"}
    assert reports(plane) == []


def test_a_calendar_that_is_none_is_refused_and_on_record(plane, cast, deployment):
    for cron in ("", "every hour", "60 * * * *", "* * * *", "0 * * * *; rm -rf /", "\x00", "💥" * 400):
        with pytest.raises(BadInput) as caught:
            schedule_monitor(plane, cast["operator"], deployment.id, cron)
        assert caught.value.code == "TP-JOB-010"
        (event,) = plane.ledger.feed(limit=1)
        assert (event.leaf.action, event.leaf.outcome) == ("monitor.run", "refused")
    assert plane.jobs.schedules() == ()


def test_another_calendar_replaces_the_first(plane, cast, deployment):
    for cron in (CRON, "0 2 * * *"):
        schedule_monitor(plane, cast["operator"], deployment.id, cron)
    assert [s.cron for s in plane.jobs.schedules()] == ["0 2 * * *"]


# --- crashes and trouble


def test_a_comparison_whose_job_was_lost_is_asked_for_again(plane, cast, deployment, ask, monkeypatch, report):
    ask(people())
    with monkeypatch.context() as crash:
        crash.setattr(plane, "start_job", lambda *_: None)
        report_id = run_monitor(plane, cast["operator"], deployment.id)
    assert report(report_id).state == "queued"
    assert resume_monitors(plane) == 1
    plane.jobs.wait(report_id, PATIENCE).returned()
    assert report(report_id).verdict == "passed"
    assert resume_monitors(plane) == 0
    assert plane.jobs.status(report_id).name == JOB


def test_a_crash_after_the_verdict_was_recorded_changes_nothing(plane, cast, deployment, ask, compared):
    ask(people())
    row = compared(deployment)
    ask(people(shift=40))
    again = service._compare(plane, cast["operator"].id, ["*"], row.id, "cause")
    assert again == {"report": row.id, "verdict": "passed"}
    service._fail(plane, row.id, "too late")
    (kept,) = reports(plane)
    assert (kept.state, kept.verdict, kept.served_rows, kept.reason) == ("done", "passed", ROWS, row.reason)


def test_a_crash_between_asking_and_its_record_asks_once(plane, cast, deployment):
    for _ in range(2):
        service._ask(plane, PLANE_ACTOR, deployment.id, "01900000-0000-7000-8000-000000000000", "sched-x")
    (row,) = reports(plane)
    assert (row.state, row.job_id) == ("queued", "sched-x")
    assert resume_monitors(plane) == 0, "the job of the calendar goes on by itself"


def test_what_was_tampered_with_ends_the_comparison_as_no_evidence(plane, cast, deployment, ask, report):
    ask(people())
    with plane.database.write() as session:
        session.execute(update(Decision).values(sealed=b"\x00" * 64))
    report_id = run_monitor(plane, cast["operator"], deployment.id)
    status = plane.jobs.wait(report_id, PATIENCE)
    assert status.state is State.FAILED
    row = report(report_id)
    assert (row.state, row.verdict, row.features) == ("failed", "no-evidence", {})
    assert row.reason.startswith("TP-SERVING-008")
    assert resume_monitors(plane) == 0
    with plane.database.read() as session:
        (ended,) = events_about(session, f"Job::{report_id}", "job.finish")
        (refused,) = events_about(session, f"Job::{report_id}", "job.finish", "refused")
    assert plane.ledger.get(ended).payload["facts"]["verdict"] == "no-evidence"
    assert plane.ledger.get(refused).payload["facts"] == {"code": "TP-SERVING-008"}


def test_a_hold_out_that_is_gone_ends_the_comparison_as_no_evidence(plane, cast, deployment, ask, report, fetch):
    ask(people())
    plane.blobs.path(fetch(deployment.model_version_id).holdout_blob).unlink()
    report_id = run_monitor(plane, cast["operator"], deployment.id)
    assert plane.jobs.wait(report_id, PATIENCE).state is State.FAILED
    row = report(report_id)
    assert (row.state, row.verdict, row.reason[:3]) == ("failed", "no-evidence", "TP-")


def test_whoever_was_disabled_meanwhile_reads_nothing(plane, owner, cast, deployment, ask, monkeypatch, report):
    ask(people())
    with monkeypatch.context() as crash:
        crash.setattr(plane, "start_job", lambda *_: None)
        report_id = run_monitor(plane, cast["operator"], deployment.id)
    principals.disable_principal(plane, owner, cast["operator"].name)
    resume_monitors(plane)
    assert plane.jobs.wait(report_id, PATIENCE).state is State.FAILED
    row = report(report_id)
    assert (row.state, row.verdict, row.reason[:15]) == ("failed", "no-evidence", "TP-IDENTITY-012")
    with plane.database.read() as session:
        (ended,) = events_about(session, f"Job::{report_id}", "job.finish")
    assert plane.ledger.get(ended).leaf.actor == PLANE_ACTOR.id
    assert "keys" not in plane.ledger.get(ended).payload


def test_progress_is_told(plane, cast, deployment):
    report_id = run_monitor(plane, cast["operator"], deployment.id)
    assert [(p.done, p.total) for p in plane.jobs.follow(report_id)] == [(0, 2), (2, 2)]
