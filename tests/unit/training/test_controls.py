"""The controls that read runs: what passes, what fails, and what is no evidence."""

from datetime import timedelta

import pytest

from trustplane.data.tables import Dataset
from trustplane.data.views import ViewSpec, create_view
from trustplane.kernel.controls.contract import Evidence, Scope
from trustplane.kernel.controls.evaluation import evaluate
from trustplane.kernel.controls.registry import registered
from trustplane.kernel.ledger.evidence import events_about
from trustplane.training.controls import CONTROLS, judge_inputs, judge_provenance, runs, subject
from trustplane.training.tables import Run
from trustplane.values.findings import Status, Subject
from trustplane.values.outcomes import Failed, Passed

PROVENANCE, INPUTS, REPETITION = "TP-TRN-01", "TP-TRN-02", "TP-TRN-03"


@pytest.fixture
def findings(plane):
    """The findings on one run, by control."""

    def find(row, later=timedelta(0)):
        with plane.database.read() as session:
            scope = Scope(row.project_id, plane.clock.now() + later, subject(row))
            return {f.control: f for f in evaluate(session, CONTROLS, scope)}

    return find


@pytest.fixture
def doctored(plane):
    """The same run with something else on record, written past the door."""

    def doctor(row, **changes):
        with plane.database.write() as session:
            held = session.get_one(Run, row.id)
            for name, value in changes.items():
                setattr(held, name, value)
        with plane.database.read() as session:
            return session.get_one(Run, row.id)

    return doctor


def test_a_run_in_the_sandbox_on_a_view_passes_both(plane, view, run, findings) -> None:
    row = run("open('model', 'w').write('x')", views=(view,))
    found = findings(row)
    assert {c: f.status for c, f in found.items()} == {
        PROVENANCE: Status.PASSED,
        INPUTS: Status.PASSED,
        REPETITION: Status.NO_EVIDENCE,
    }
    assert "sandlock" in found[PROVENANCE].reason
    assert found[PROVENANCE].figures["outputs"] == 1
    assert found[PROVENANCE].figures["readable_paths"] > 3
    assert found[INPUTS].figures == {"inputs": 1.0, "openings_on_record": 1.0}
    with plane.database.read() as session:
        assert found[PROVENANCE].evidence == events_about(session, f"Run::{row.id}")
    assert found[INPUTS].evidence == (row.inputs[view]["event"],)
    later = findings(row, timedelta(days=900))
    assert {later[c].status for c in (PROVENANCE, INPUTS)} == {Status.PASSED}, "a run does not go stale"


def test_a_run_on_no_data_is_judged_by_its_start(run, findings) -> None:
    found = findings(run("pass"))[INPUTS]
    assert (found.status, found.reason) == (Status.PASSED, "it used no data")
    assert len(found.evidence) == 1


@pytest.mark.filterwarnings("ignore::trustplane.values.unsafe.InsecureStandIn")
def test_a_run_without_a_sandbox_fails_with_its_reason(run, findings) -> None:
    row = run("pass", who="owner", sandbox="unsafe-none", reason="the kernel has no Landlock")
    assert row.state == "done"
    found = findings(row)[PROVENANCE]
    assert found.status is Status.FAILED
    assert "the kernel has no Landlock" in found.reason
    assert found.remedy == "run it in the sandbox"


def test_what_is_not_on_record_fails(view, run, findings, doctored) -> None:
    row = run("pass", views=(view,))
    given = row.inputs[view]
    for changes, control, words in (
        ({"code": ""}, PROVENANCE, "code"),
        ({"environment": {}}, PROVENANCE, "lock"),
        ({"reason": "another stand-in held nothing"}, PROVENANCE, "another stand-in"),
        ({"inputs": {view: {**given, "version": "gone"}}}, INPUTS, view),
        ({"inputs": {view: {}}}, INPUTS, view),
        ({"inputs": {"elsewhere": given}}, INPUTS, "elsewhere"),
        ({"inputs": {view: {**given, "event": ""}}}, INPUTS, "not on record"),
        ({"inputs": {view: {**given, "event": row.id}}}, INPUTS, "not on record"),
    ):
        before = {name: getattr(row, name) for name in changes}
        found = findings(doctored(row, **changes))[control]
        assert (found.status, bool(found.remedy)) == (Status.FAILED, True), changes
        assert words in found.reason
        doctored(row, **before)


def test_an_opening_of_another_view_is_no_opening_of_this_one(
    plane, cast, view, clients, run, findings, doctored
) -> None:
    spec = ViewSpec("ages", "clients", ("age",), "dpv:CustomerSolvencyMonitoring", timedelta(days=1))
    create_view(plane, cast["data-steward"], "credit", spec)
    row = run("pass", views=(view, "ages"))
    assert findings(row)[INPUTS].status is Status.PASSED
    borrowed = {**row.inputs, "ages": {**row.inputs["ages"], "event": row.inputs[view]["event"]}}
    assert findings(doctored(row, inputs=borrowed))[INPUTS].status is Status.FAILED


def test_data_used_beyond_its_purposes_fails(plane, view, clients, run, findings) -> None:
    """The steward takes a purpose back after the view was made for it."""
    row = run("pass", views=(view,))
    with plane.database.write() as session:
        session.query(Dataset).one().purposes = ["dpv:FraudPreventionAndDetection"]
    found = findings(row)[INPUTS]
    assert found.status is Status.FAILED
    assert "purpose" in found.reason
    assert "data steward" in found.remedy


def test_a_run_that_is_not_there_is_no_evidence(plane) -> None:
    with plane.database.read() as session:
        scope = Scope("credit", plane.clock.now(), Subject("run", "gone", "gone"))
        found = evaluate(session, CONTROLS, scope)
    assert [f.status for f in found] == [Status.NO_EVIDENCE] * 3
    assert all(f.remedy.startswith(("run the script", "train on views", "repeat the run")) for f in found)


def test_only_runs_that_ended_well_are_judged(plane, run, queue) -> None:
    done = run("pass")
    assert run("import sys; sys.exit(1)").state == "failed"
    queue("pass")
    with plane.database.read() as session:
        found = runs(session, Scope(done.project_id, plane.clock.now()))
        assert done.id in {s.id for s in found}
        assert {session.get_one(Run, s.id).state for s in found} == {"done"}
        assert runs(session, Scope("another", plane.clock.now())) == []


def test_judging_looks_at_nothing_but_the_evidence() -> None:
    facts = {"sandbox": "sandlock", "reason": "", "code": "sha256:1", "lock": "sha256:2", "readable": 3, "outputs": 1}
    assert isinstance(judge_provenance(Evidence(facts)), Passed)
    for change in ({"sandbox": "unsafe-none"}, {"reason": "so"}, {"code": ""}, {"lock": ""}):
        assert isinstance(judge_provenance(Evidence(facts | change)), Failed)
    facts = {"inputs": 2, "unknown": [], "strange": [], "opened": 2}
    assert isinstance(judge_inputs(Evidence(facts)), Passed)
    for change in ({"unknown": ["a"]}, {"strange": ["a"]}, {"opened": 1}, {"opened": 0}):
        assert isinstance(judge_inputs(Evidence(facts | change)), Failed)


def test_the_controls_are_registered_for_the_gate() -> None:
    assert {PROVENANCE, INPUTS} <= {c.id for c in registered() if c.gate}
