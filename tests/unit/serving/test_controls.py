"""The control that reads deployments."""

import pytest
from sqlalchemy import delete
from tests.unit.serving.conftest import NAME, body

from trustplane.kernel.controls.contract import Evidence, Scope
from trustplane.kernel.controls.evaluation import evaluate
from trustplane.kernel.controls.registry import registered
from trustplane.rollout.deployments import retire
from trustplane.serving.controls import CONTROLS, SUBJECT_KIND, deployments, judge_serving
from trustplane.serving.inference import infer
from trustplane.serving.loading import Shelf
from trustplane.serving.tables import Decision
from trustplane.values.errors import BadInput
from trustplane.values.findings import Status, Subject
from trustplane.values.outcomes import Failed, Passed


@pytest.mark.parametrize(
    ("production", "approved", "signed", "decisions", "events", "expected"),
    [
        (True, True, True, 5, 5, Passed),
        (False, False, True, 5, 5, Passed),
        (False, False, True, 0, 0, Passed),
        (True, False, True, 5, 5, Failed),
        (True, True, False, 5, 5, Failed),
        (False, False, False, 5, 5, Failed),
        (True, True, True, 4, 5, Failed),
        (True, True, True, 6, 5, Failed),
    ],
)
def test_what_is_served_is_signed_approved_and_on_record(production, approved, signed, decisions, events, expected):
    facts = {"production": production, "approved": approved, "signed": signed, "decisions": decisions, "events": events}
    assert isinstance(judge_serving(Evidence(facts)), expected)


def finding(plane, deployment):
    with plane.database.read() as session:
        scope = Scope(deployment.project_id, plane.clock.now())
        (found,) = evaluate(session, CONTROLS, scope)
        return found


def test_a_deleted_decision_is_found_and_a_refused_request_counts_as_no_answer(plane, cast, deployment):
    shelf = Shelf(plane)
    events = [infer(plane, shelf, cast["consumer"], NAME, body())["parameters"]["event"] for _ in range(3)]
    with pytest.raises(BadInput):
        infer(plane, shelf, cast["consumer"], NAME, b"")
    found = finding(plane, deployment)
    assert (found.status, found.figures) == (Status.PASSED, {"decisions": 3.0, "events": 3.0})
    assert found.evidence[-2:] == tuple(events[-2:])
    with plane.database.write() as session:
        session.execute(delete(Decision).where(Decision.id == events[1]))
    found = finding(plane, deployment)
    assert found.status is Status.FAILED
    assert "3 answers in the log and 2 on record" in found.reason


def test_only_what_is_active_is_looked_at(plane, cast, deployment):
    with plane.database.read() as session:
        scope = Scope(deployment.project_id, plane.clock.now())
        assert deployments(session, scope) == [Subject(SUBJECT_KIND, deployment.id, NAME)]
        assert deployments(session, scope, production=True) == []
        assert deployments(session, Scope("another", plane.clock.now())) == []
    retire(plane, cast["operator"], "credit", NAME)
    with plane.database.read() as session:
        assert deployments(session, scope) == []


def test_an_unknown_deployment_gives_no_evidence(plane):
    with plane.database.read() as session:
        assert CONTROLS[0].collect(session, Subject(SUBJECT_KIND, "unknown")) is None


def test_the_control_is_registered():
    assert "TP-SRV-01" in {c.id for c in registered()}
