"""The control that reads the comparisons: the newest one counts, however it ended, and it names the event of its verdict."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from tests.unit.monitoring.conftest import PATIENCE, people

from trustplane.kernel.controls.contract import Evidence, Scope
from trustplane.kernel.controls.evaluation import evaluate
from trustplane.kernel.controls.registry import registered
from trustplane.monitoring.controls import CONTROLS, judge_drift
from trustplane.monitoring.service import run_monitor, schedule_monitor
from trustplane.rollout.deployments import retire
from trustplane.serving.tables import Decision
from trustplane.values.findings import Status, Subject
from trustplane.values.outcomes import Failed, Inconclusive, Passed

LIVE = "risk-production"


@pytest.mark.parametrize(
    ("verdict", "expected"), [("passed", Passed), ("failed", Failed), ("no-evidence", Inconclusive), ("", Inconclusive)]
)
def test_the_verdict_is_that_of_the_comparison_and_nothing_else_passes(verdict, expected):
    facts = {"verdict": verdict, "reason": "because", "served_rows": 300, "worst": 0.5}
    judged = judge_drift(Evidence(facts))
    assert isinstance(judged, expected)
    assert judged.reason == "because"
    if expected is not Inconclusive:
        assert judged.figures == {"served_rows": 300.0, "worst_psi": 0.5}


@pytest.fixture
def live(served):
    """The model ``risk`` in production."""
    return served(production=True)


@pytest.fixture
def found(plane, cast):
    """What the control finds; some time from now, where that is said."""

    def look(later=timedelta(0)):
        with plane.database.read() as session:
            project = cast["operator"].bindings[0].scope_id
            return evaluate(session, CONTROLS, Scope(project, plane.clock.now() + later))

    return look


@pytest.fixture
def compared(plane, cast):
    """Compare, and give the report's id."""

    def run(deployment):
        report_id = run_monitor(plane, cast["operator"], deployment.id)
        plane.jobs.wait(report_id, PATIENCE)
        return report_id

    return run


def test_what_was_never_compared_has_no_evidence(plane, cast, live, ask, found):
    (finding,) = found()
    assert (finding.status, finding.subject) == (Status.NO_EVIDENCE, Subject("deployment", live.id, LIVE))
    assert "trustplane monitor run" in finding.remedy
    schedule_monitor(plane, cast["operator"], live.id, "0 2 * * *")
    (finding,) = found()
    assert (finding.status, finding.evidence) == (Status.NO_EVIDENCE, ()), "to have a calendar is not to have compared"


def test_the_finding_names_the_event_that_records_the_verdict(plane, cast, live, ask, compared, found):
    ask(people(shift=40), LIVE)
    report_id = compared(live)
    schedule_monitor(plane, cast["operator"], live.id, "0 2 * * *")
    (finding,) = found()
    assert (finding.status, finding.reason) == (Status.FAILED, "1 of 2 features have drifted: income")
    assert finding.figures["served_rows"] == 400
    assert finding.figures["worst_psi"] > 0.25
    (event,) = finding.evidence
    assert plane.ledger.get(event).payload["facts"]["report"] == report_id
    assert plane.ledger.get(event).payload["facts"]["verdict"] == "failed"


def test_the_newest_comparison_counts_whoever_asked_for_it(plane, cast, live, ask, compared, found):
    name = schedule_monitor(plane, cast["operator"], live.id, "0 2 * * *")
    ask(people(seed=6), LIVE)
    for shift, by_calendar, expected in ((0, True, "passed"), (40, False, "failed"), (40, True, "failed")):
        if shift:
            ask(people(shift=shift), LIVE)
        if by_calendar:
            job_id = plane.jobs.trigger(name)
            report_id = plane.jobs.wait(job_id, PATIENCE).returned()["report"]
        else:
            report_id = compared(live)
        (finding,) = found()
        assert finding.status == expected
        (event,) = finding.evidence
        assert plane.ledger.get(event).payload["facts"]["report"] == report_id


def test_one_that_is_still_queued_takes_nothing_away(plane, cast, live, ask, compared, found, monkeypatch):
    ask(people(seed=6), LIVE)
    compared(live)
    monkeypatch.setattr(plane, "start_job", lambda *_: None)
    run_monitor(plane, cast["operator"], live.id)
    assert [f.status for f in found()] == [Status.PASSED]


def test_one_that_could_not_be_made_takes_the_place_of_one_that_passed(plane, live, ask, compared, found):
    ask(people(seed=6), LIVE)
    compared(live)
    assert [f.status for f in found()] == [Status.PASSED]
    with plane.database.write() as session:
        session.execute(update(Decision).values(sealed=b"\x00" * 64))
    compared(live)
    (finding,) = found()
    assert finding.status is Status.NO_EVIDENCE
    assert finding.reason.startswith("TP-SERVING-008")
    assert len(finding.evidence) == 1


def test_a_comparison_is_evidence_for_a_week(live, ask, compared, found):
    ask(people(seed=6), LIVE)
    compared(live)
    assert [f.status for f in found(timedelta(days=6, hours=23))] == [Status.PASSED]
    (finding,) = found(timedelta(days=7, minutes=1))
    assert (finding.status, finding.reason) == (Status.NO_EVIDENCE, "the evidence is older than 7 days")


def test_only_what_is_active_in_production_is_asked_about(plane, cast, served, found):
    served()
    assert found() == []
    served(production=True)
    assert [f.subject.label for f in found()] == [LIVE]
    retire(plane, cast["operator"], "credit", LIVE)
    assert found() == []


def test_the_control_is_registered_and_holds_no_release_back():
    (control,) = [c for c in registered() if c.stage == "monitoring"]
    assert (control.id, control.gate) == ("TP-MON-01", False)
