"""What the controls of the release stage make of their evidence."""

import pytest

from trustplane.kernel.controls.contract import Evidence, Scope
from trustplane.kernel.controls.evaluation import evaluate
from trustplane.release.approval import approve, reject
from trustplane.release.catalog import SUBJECT_KIND
from trustplane.release.controls import CONTROLS, judge_approval, judge_scan, judge_signature, versions
from trustplane.release.tables import Approval
from trustplane.values.findings import Status, Subject
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed


def findings(plane, version):
    with plane.database.read() as session:
        scope = Scope(version.project_id, plane.clock.now(), Subject(SUBJECT_KIND, version.id))
        return {f.control: f for f in evaluate(session, CONTROLS, scope)}


@pytest.mark.parametrize(
    ("status", "approved", "expected"),
    [
        ("candidate", [], Inconclusive),
        ("approved", [], Inconclusive),
        ("approved", ["reviewer"], Passed),
        ("approved", ["author"], Failed),
        ("approved", ["reviewer", "author"], Failed),
        ("rejected", ["reviewer"], NotApplicable),
    ],
)
def test_an_approval_counts_only_beside_the_author(status, approved, expected):
    facts = {"status": status, "approved": approved, "author": "author"}
    assert isinstance(judge_approval(Evidence(facts)), expected)


@pytest.mark.parametrize(("signed", "expected"), [("sha256:a", Passed), ("sha256:b", Failed), ("", Failed)])
def test_the_manifest_is_about_the_artifact_or_the_control_fails(signed, expected):
    facts = {"signed": signed, "artifact": "sha256:a", "key": "0" * 64}
    assert isinstance(judge_signature(Evidence(facts)), expected)


def test_a_version_goes_from_no_evidence_to_passed_with_the_events_that_say_so(
    plane, cast, made_version, ready, newest
):
    fresh = findings(plane, made_version())
    assert fresh.pop("TP-REL-03").status is Status.PASSED  # registering scans
    assert {f.status for f in fresh.values()} == {Status.NO_EVIDENCE}
    signed = newest("model.sign").leaf.id
    approve(plane, cast["reviewer"], ready, "fine")
    found = findings(plane, ready)
    assert {c: f.status for c, f in found.items()} == dict.fromkeys(
        ("TP-REL-01", "TP-REL-02", "TP-REL-03"), Status.PASSED
    )
    assert found["TP-REL-01"].evidence == (signed,)
    assert found["TP-REL-02"].evidence == (newest("model.approve").leaf.id,)
    assert found["TP-REL-02"].figures == {"approvals": 1.0}


def test_a_rejected_version_is_asked_for_no_approval(plane, cast, ready):
    reject(plane, cast["reviewer"], ready, "unfair")
    assert findings(plane, ready)["TP-REL-02"].status is Status.NOT_APPLICABLE


def test_an_approval_by_the_author_that_was_put_into_the_database_is_found(plane, cast, ready):
    approve(plane, cast["reviewer"], ready, "fine")
    with plane.database.write() as session:
        session.add(
            Approval(
                id=new_id(),
                model_version_id=ready.id,
                reviewer_id=ready.author_id,
                decision="approved",
                reason="mine",
                created=plane.clock.now(),
            )
        )
    assert findings(plane, ready)["TP-REL-02"].status is Status.FAILED


def test_the_subjects_are_the_versions_of_the_project(plane, made_version):
    made = [made_version(), made_version(model="fraud")]
    with plane.database.read() as session:
        found = versions(session, Scope(made[0].project_id, plane.clock.now()))
        assert [(s.kind, s.id, s.label) for s in found] == [
            (SUBJECT_KIND, made[0].id, "risk 1"),
            (SUBJECT_KIND, made[1].id, "fraud 1"),
        ]
        assert versions(session, Scope("another", plane.clock.now())) == []


def test_an_unknown_version_gives_no_evidence(plane):
    with plane.database.read() as session:
        subject = Subject(SUBJECT_KIND, "unknown")
        assert [c.collect(session, subject) for c in CONTROLS] == [None] * len(CONTROLS)


@pytest.mark.parametrize(
    ("verdict", "objections", "expected"),
    [
        ("passed", [], Passed),
        ("refused", ["it asks for os.system"], Failed),
        ("not-checked", ["no library"], Inconclusive),
    ],
)
def test_a_scan_that_found_something_or_could_not_look_is_no_pass(verdict, objections, expected):
    judged = judge_scan(Evidence({"verdict": verdict, "format": "onnx", "objections": objections}))
    assert isinstance(judged, expected)
