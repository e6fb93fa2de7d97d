"""Assessing a version from asking to verdict, and the controls that read it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from trustplane.assessment import service
from trustplane.assessment.comparing import caveat_of
from trustplane.assessment.controls import CONTROLS, SUBJECT_KIND
from trustplane.assessment.report import assessment_facts
from trustplane.assessment.service import (
    JOB,
    assessments_of,
    find_assessment,
    resume_assessments,
    start_assessment,
)
from trustplane.assessment.suite import Suite
from trustplane.assessment.tables import Assessment
from trustplane.assessment.threats import assessments_by, told
from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.controls.evaluation import evaluate
from trustplane.kernel.controls.registry import registered
from trustplane.kernel.jobs.context import Interrupted, JobContext
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied
from trustplane.training.tables import KeptThreat
from trustplane.training.threats.service import keep_threat
from trustplane.values.digests import sha256
from trustplane.values.errors import BadInput, NotFound
from trustplane.values.findings import Status, Subject

PATIENCE = 60


@pytest.fixture
def assessed(plane, cast):
    """Assess a subject, and give the row as it ended."""

    def run(subject, suite=None, seed=0):
        assessment_id = start_assessment(plane, cast["scientist"], subject, seed, suite)
        plane.jobs.wait(assessment_id, PATIENCE).returned()
        with plane.database.read() as session:
            return session.get_one(Assessment, assessment_id)

    return run


def findings(plane, subject, later=timedelta(0)):
    with plane.database.read() as session:
        scope = Scope(subject.project_id, plane.clock.now() + later, Subject(SUBJECT_KIND, subject.model_version_id))
        return {f.control: f for f in evaluate(session, CONTROLS, scope)}


def test_a_version_is_assessed_and_the_controls_read_it(plane, made_subject, assessed) -> None:
    subject = made_subject()
    assert {f.status for f in findings(plane, subject).values()} == {Status.NO_EVIDENCE}
    row = assessed(subject, {"favourable": 0}, seed=5)
    assert (row.state, row.ended, row.seed) == ("done", "", 5)
    said = {name: r["status"] for name, r in row.results.items()}
    assert said.pop("leakage") == "no-evidence"  # the run left no training.parquet
    assert said == dict.fromkeys(("fairness", "performance", "reproducibility", "slices"), "passed")
    assert row.results["performance"]["figures"]["auc"] > 0.85
    assert "parity_ratio[SEX]" in row.results["fairness"]["intervals"]
    assert not any("[id]" in name for name in row.results["fairness"]["figures"])
    found = findings(plane, subject)
    for on_request in ("TP-ASM-03", "TP-ASM-04", "TP-ASM-05", "TP-ASM-06", "TP-ASM-07", "TP-ASM-09"):
        assert found.pop(on_request).status is Status.NO_EVIDENCE
    assert {f.status for f in found.values()} == {Status.PASSED}
    with plane.database.read() as session:
        events = events_about(session, f"ModelVersion::{subject.model_version_id}")
    assert found["TP-ASM-01"].evidence == events
    assert len(events) == 2
    stale = findings(plane, subject, later=timedelta(days=91))
    assert {f.status for f in stale.values()} == {Status.NO_EVIDENCE}


THREAT = """
name = "what a client can say otherwise"
budget = { norm = "linf", distance = 0.02 }
features.income = { mutable = false }
features.debt = { low = -5, high = 5, direction = "down" }
"""


def test_robustness_is_assessed_by_the_threat_model_of_the_run_or_of_the_suite(plane, made_subject, assessed) -> None:
    subject = made_subject(threat=THREAT)
    result = assessed(subject, {"checks": ["robustness"]}).results["robustness"]
    assert (result["status"], result["details"]["threat"]) == ("passed", "what a client can say otherwise")
    assert findings(plane, subject)["TP-ASM-03"].status == Status.PASSED
    wider = {"checks": ["robustness"], "threat": THREAT.replace("0.02", "0.5")}
    result = assessed(subject, wider).results["robustness"]
    assert result["status"] == "failed"
    assert result["details"]["weaknesses"][0][0] == "debt"
    assert result["details"]["weaknesses"][0][2] < 0
    assert findings(plane, subject)["TP-ASM-03"].status == Status.FAILED


def test_a_kept_threat_model_is_fixed_when_the_assessment_is_asked_for(plane, cast, made_subject, assessed) -> None:
    subject = made_subject(threat=THREAT.replace("0.02", "0.5"))
    keep_threat(plane, cast["scientist"], "credit", "credit", THREAT)
    asked = {"checks": ["robustness"], "threat": "credit"}
    row = assessed(subject, asked)
    assert row.results["robustness"]["status"] == "passed"
    held = {"from": "project", "name": "credit", "number": 1, "digest": sha256(THREAT.encode())}
    assert told(row.suite) == assessment_facts(row)["threat"] == held
    assert row.suite["threat"] == ""
    keep_threat(plane, cast["reviewer"], "credit", "credit", THREAT.replace("0.02", "0.5"))
    newer = assessed(subject, asked)
    assert newer.results["robustness"]["status"] == "failed"
    assert told(newer.suite)["number"] == 2
    assert assessed(subject, {**asked, "threat": "credit@1"}).results["robustness"]["status"] == "passed"
    for event in (row.suite["asked"]["cause"], row.suite["event"]):
        assert plane.ledger.get(event).payload["refers"]["threat"] == held["digest"]
    assert plane.ledger.get(row.suite["asked"]["cause"]).payload["facts"]["threat"] == held
    assert "their threat models differ" in caveat_of(*({"holdout": "", "suite": r.suite} for r in (row, newer)))


def test_assessments_are_found_by_the_threat_model_wherever_they_had_it_from(
    plane, cast, made_subject, assessed
) -> None:
    keep_threat(plane, cast["scientist"], "credit", "credit", THREAT)
    by_run, plain = made_subject(threat=THREAT), made_subject()
    rows = [assessed(by_run), assessed(plain, {"threat": THREAT}), assessed(plain, {"threat": "credit"})]
    titled = THREAT.replace("0.02", "0.5").replace("what", r"\u0000")
    other = assessed(plain, {"threat": titled, "checks": ["robustness"]})
    assert other.results["robustness"]["details"]["threat"].startswith("\0")
    assert [told(r.suite)["from"] for r in rows] == ["run", "suite", "project"]
    assert told(assessed(plain).suite) is None
    with plane.database.read() as session:
        found = assessments_by(session, plain.project_id, sha256(THREAT.encode()))
        assert [r.id for r in found] == [r.id for r in reversed(rows)]
        assert [r.id for r in assessments_by(session, plain.project_id, told(other.suite)["digest"])] == [other.id]
        assert assessments_by(session, "another", told(other.suite)["digest"]) == []


def test_a_threat_model_that_is_not_kept_is_refused_on_record_and_by_who_may_ask_alone(
    plane, cast, made_subject
) -> None:
    subject = made_subject()
    for said, error in (("credit", NotFound), ("credit@3", NotFound), ("Credit!", BadInput), ("x = 1", BadInput)):
        with pytest.raises(error):
            start_assessment(plane, cast["scientist"], subject, suite={"threat": said})
        with pytest.raises(AccessDenied if error is NotFound else error):
            start_assessment(plane, cast["operator"], subject, suite={"threat": said})
    with pytest.raises(BadInput, match="TP-ASSESS-001"):
        start_assessment(plane, cast["scientist"], subject, suite={"label": "a\0"})
    with pytest.raises(BadInput, match="TP-RUN-054"):
        start_assessment(plane, cast["scientist"], subject, suite={"threat": "Credit!"})
    with plane.database.read() as session:
        assert assessments_of(session, subject.model_version_id) == []


def test_a_kept_threat_model_that_was_changed_since_ends_the_assessment(plane, cast, made_subject) -> None:
    subject = made_subject()
    made = keep_threat(plane, cast["scientist"], "credit", "credit", THREAT)
    with plane.database.engine.begin() as connection:
        easier = THREAT.replace("0.02", "0.0001")
        connection.execute(text("UPDATE threat_models SET text = :text"), {"text": easier})
    assessment_id = start_assessment(
        plane, cast["scientist"], subject, suite={"threat": "credit", "checks": ["robustness"]}
    )
    plane.jobs.wait(assessment_id, PATIENCE)
    with plane.database.read() as session:
        row = session.get_one(Assessment, assessment_id)
        assert session.get_one(KeptThreat, made.id).text == easier
    assert row.state == "failed"
    assert "TP-RUN-056" in row.ended


def test_without_a_threat_model_robustness_is_not_decided(made_subject, assessed) -> None:
    result = assessed(made_subject(), {"checks": ["robustness"]}).results["robustness"]
    assert result["status"] == "no-evidence"
    assert result["details"]["draft"]


def test_a_threat_model_of_other_features_ends_the_assessment(made_subject, assessed) -> None:
    row = assessed(made_subject(threat=THREAT.replace("debt", "dept")), {"checks": ["robustness"]})
    assert row.state == "failed"
    assert "did you mean 'debt'" in row.ended


def test_a_check_on_request_counts_until_it_is_run_again(plane, made_subject, assessed) -> None:
    subject = made_subject()
    stressed = assessed(subject, Suite(checks=("stress",), parameters={"stress": {"max_drop": 0.0001}}))
    assert stressed.results["stress"]["status"] == "failed"
    assert set(assessed(subject).results) == set(stressed.results) - {"stress"}
    found = findings(plane, subject)
    assert found["TP-ASM-07"].status is Status.FAILED
    assert set(found["TP-ASM-07"].evidence) & set(found["TP-ASM-01"].evidence) == set()


class Remembering:
    """Steps that are run once, as a durable executor runs them."""

    def __init__(self):
        self.done = {}

    def run(self, name, function):
        if name not in self.done:
            self.done[name] = function()
        return self.done[name]

    def emit(self, value):
        pass


def test_checks_that_ended_before_a_crash_are_not_run_again(plane, cast, made_subject, monkeypatch) -> None:
    started, calls, run = [], [], service._check

    def counted(data, name, parameters):
        calls.append(name)
        if name == "reproducibility" and calls.count(name) == 1:
            raise Interrupted
        return run(data, name, parameters)

    monkeypatch.setattr(service, "_check", counted)
    with monkeypatch.context() as held:
        held.setattr(plane, "start_job", lambda *said: started.append(said))
        start_assessment(plane, cast["scientist"], made_subject())
    [(_, assessment_id, said)] = started
    ctx = JobContext(assessment_id, plane, None, Remembering(), lambda: False)
    with pytest.raises(Interrupted):
        service.assess(ctx, **said)
    assert service.assess(ctx, **said)["state"] == "done"
    assert {name: calls.count(name) for name in calls} == {
        "fairness": 1,
        "leakage": 1,
        "performance": 1,
        "reproducibility": 2,
        "slices": 1,
    }


def test_the_same_seed_gives_the_same_figures(made_subject, assessed) -> None:
    subject = made_subject()
    assert assessed(subject).results == assessed(subject).results


def test_laxer_parameters_do_not_satisfy_the_control(plane, made_subject, assessed) -> None:
    subject = made_subject()
    row = assessed(subject, Suite(parameters={"performance": {"min_auc": 0.5}}))
    assert row.results["performance"]["status"] == "passed"
    found = findings(plane, subject)
    assert found["TP-ASM-01"].status is Status.FAILED
    assert "min_auc" in found["TP-ASM-01"].reason
    assert found["TP-ASM-02"].status is Status.PASSED


def test_the_newest_assessment_counts(plane, made_subject, assessed) -> None:
    subject = made_subject()
    assessed(subject)
    assessed(subject, Suite(parameters={"performance": {"min_auc": 0.999}}))
    found = findings(plane, subject)["TP-ASM-01"]
    assert found.status is Status.FAILED
    assert found.figures["assessments"] == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": b"no model"}, "TP-ASSESS-004"),
        ({"parquet": b"no table"}, "TP-ASSESS-003"),
        ({"features": ["income", "wealth"]}, "TP-ASSESS-003"),
        ({"features": ["income"]}, "TP-ASSESS-004"),
        ({"features": []}, "TP-ASSESS-003"),
    ],
)
def test_what_cannot_be_assessed_fails_with_its_reason(plane, made_subject, assessed, change, code) -> None:
    subject = made_subject(**change)
    row = assessed(subject)
    assert row.state == "failed"
    assert row.ended.startswith(code)
    assert row.results == {}
    assert {f.status for f in findings(plane, subject).values()} == {Status.NO_EVIDENCE}


def test_another_model_than_the_registered_one_is_noticed(made_subject, assessed) -> None:
    row = assessed(replace(made_subject(), model_sha256="sha256:" + "1" * 64))
    assert (row.state, row.ended[:13]) == ("failed", "TP-ASSESS-005")


def test_who_may_not_assess_is_denied(plane, cast, made_subject) -> None:
    subject = made_subject()
    with pytest.raises(AccessDenied):
        start_assessment(plane, cast["auditor"], subject)
    with plane.database.read() as session:
        assert assessments_of(session, subject.model_version_id) == []


def test_an_assessment_whose_job_was_lost_is_asked_for_again(plane, cast, made_subject, monkeypatch) -> None:
    subject = made_subject()
    with monkeypatch.context() as crash:
        crash.setattr(plane, "start_job", lambda *_: None)
        assessment_id = start_assessment(plane, cast["scientist"], subject)
    assert resume_assessments(plane) == 1
    assert plane.jobs.wait(assessment_id, PATIENCE).returned()["state"] == "done"
    assert resume_assessments(plane) == 0
    assert plane.jobs.status(assessment_id).name == JOB


def test_progress_is_told(plane, cast, made_subject) -> None:
    assessment_id = start_assessment(plane, cast["scientist"], made_subject())
    assert list(plane.jobs.follow(assessment_id))[-1].message == "done"


def test_a_suite_that_is_not_usable_is_refused_before_anything(plane, cast, made_subject) -> None:
    subject = made_subject()
    for suite in (
        Suite(favourable=2),
        Suite(threshold=1.0),
        {"protectd": ["SEX"]},
        {"threshold": "high"},
        {"parameters": {"fairness": {"min_parity_ratio": -1}}},
        Suite(parameters={"fairnes": {}}),
        Suite(parameters={"fairness": {"min_parity": 0.8}}),
        Suite(parameters={"fairness": {"min_parity_ratio": float("nan")}}),
    ):
        with pytest.raises(BadInput) as caught:
            start_assessment(plane, cast["scientist"], subject, 0, suite)
        assert caught.value.code == "TP-ASSESS-001"
    with pytest.raises(BadInput):
        start_assessment(plane, cast["scientist"], subject, -1)


def test_the_versions_of_a_project_are_known(plane, made_subject) -> None:
    subjects = {made_subject().model_version_id, made_subject().model_version_id}
    with plane.database.read() as session:
        project_id = made_subject().project_id
        found = CONTROLS[0].subjects(session, Scope(project_id, plane.clock.now()))
        assert subjects < {s.id for s in found}
        assert CONTROLS[0].subjects(session, Scope("another", plane.clock.now())) == []
        with pytest.raises(NotFound):
            find_assessment(session, project_id, "unknown")


def test_the_controls_are_registered() -> None:
    assert {"TP-ASM-01", "TP-ASM-02"} <= {c.id for c in registered() if c.gate}


def test_an_author_who_was_disabled_meanwhile_leaves_no_assessment_waiting(
    plane, cast, owner, made_subject, monkeypatch
) -> None:
    from trustplane.kernel.identity.principals import disable_principal

    started = []
    monkeypatch.setattr(plane, "start_job", lambda *said: started.append(said))
    assessment_id = start_assessment(plane, cast["scientist"], made_subject(), 0, None)
    monkeypatch.undo()
    disable_principal(plane, owner, cast["scientist"].id)
    plane.start_job(*started[0])
    plane.jobs.wait(assessment_id, PATIENCE).returned()
    with plane.database.read() as session:
        row = session.get_one(Assessment, assessment_id)
    assert row.state == "failed"
    assert "TP-IDENTITY-012" in row.ended
