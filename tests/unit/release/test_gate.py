"""The gate: open only where every control lets a version pass, and closed with the name of each that does not."""

import base64
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.unit.release.conftest import GATE

from trustplane.kernel.controls.registry import registered
from trustplane.kernel.controls.tables import FindingRow
from trustplane.kernel.operation import AccessDenied
from trustplane.release.gate import GateResult, evaluate_gate, judge_gate, look, with_waivers
from trustplane.release.signing import sign_version
from trustplane.release.tables import ModelVersion
from trustplane.values.findings import Finding, Severity, Status, Subject
from trustplane.values.outcomes import Failed, Passed

OPEN = {Status.PASSED, Status.NOT_APPLICABLE, Status.WAIVED}
ABOUT = Subject("model-version", "1", "risk 1")


def finding(status: Status, control: str = "TP-X-01", remedy: str = "do it") -> Finding:
    return Finding(control, ABOUT, status, Severity.HIGH, "because", remedy)


@given(st.lists(st.sampled_from(Status), max_size=6))
def test_the_gate_is_open_only_if_something_passes_and_nothing_holds_back(statuses):
    verdict = judge_gate([finding(s) for s in statuses])
    expected = Passed if set(statuses) <= OPEN and Status.PASSED in statuses else Failed
    assert type(verdict) is expected


@given(st.lists(st.sampled_from(Status), min_size=1, max_size=4), st.sampled_from(Status))
def test_one_more_finding_that_holds_back_never_opens_the_gate(statuses, one_more):
    before = judge_gate([finding(s) for s in statuses])
    after = judge_gate([finding(s) for s in (*statuses, one_more)])
    if isinstance(after, Passed) and one_more is not Status.PASSED:
        assert isinstance(before, Passed)
    if one_more not in OPEN:
        assert isinstance(after, Failed)


def test_a_closed_gate_names_each_control_and_each_remedy_once():
    held = [
        finding(Status.FAILED, "TP-A-01", "repair it"),
        finding(Status.NO_EVIDENCE, "TP-B-01", "measure it"),
        finding(Status.FAILED, "TP-C-01", "repair it"),
        finding(Status.PASSED, "TP-D-01"),
    ]
    verdict = judge_gate(held)
    assert verdict.reason == ("3 of 4 controls hold it back: TP-A-01 (failed), TP-B-01 (no-evidence), TP-C-01 (failed)")
    assert verdict.remedy == "repair it; measure it"
    assert [f.control for f in GateResult(verdict, tuple(held)).blocking] == ["TP-A-01", "TP-B-01", "TP-C-01"]


def test_nothing_at_all_does_not_open_the_gate():
    assert isinstance(judge_gate([]), Failed)


def test_a_verdict_is_no_truth_value():
    with pytest.raises(TypeError):
        bool(judge_gate([finding(Status.PASSED)]))


def test_a_waiver_excuses_its_own_control_and_hides_nothing_that_passes():
    for status, waived in product(Status, (frozenset(), frozenset({"TP-X-01"}), frozenset({"TP-X-02"}))):
        (after,) = with_waivers([finding(status)], waived)
        excused = "TP-X-01" in waived and status not in OPEN
        assert after.status is (Status.WAIVED if excused else status)
    assert (
        "TP-X-01"
        in judge_gate(
            [*with_waivers([finding(Status.FAILED)], frozenset({"TP-X-01"})), finding(Status.PASSED, "TP-Y-01")]
        ).reason
    )


def test_the_gate_asks_the_registered_controls_that_are_marked_for_it():
    assert GATE | {"TP-DAT-01", "TP-DAT-02"} <= {c.id for c in registered() if c.gate}
    assert "TP-REL-02" not in {c.id for c in registered() if c.gate}


def test_each_step_takes_its_own_controls_from_the_list_of_what_is_missing(plane, cast, made_version, assessed, fetch):
    def blocking():
        with plane.database.read() as session:
            result = look(session, fetch(version), plane.clock.now())
        assert {f.control for f in result.findings} == GATE
        assert isinstance(result.verdict, Failed if result.blocking else Passed)
        for held in result.blocking:
            assert held.control in result.verdict.reason
        return {f.control for f in result.blocking}

    version = made_version()
    assert blocking() == {"TP-REL-01", "TP-ASM-01", "TP-ASM-02"}
    sign_version(plane, cast["scientist"], version)
    assert blocking() == {"TP-ASM-01", "TP-ASM-02"}
    assessed(version, "failed", plane.clock.now() - timedelta(minutes=1))
    assert blocking() == {"TP-ASM-01", "TP-ASM-02"}
    assessed(version)
    assert blocking() == set()


def test_evidence_that_is_too_old_closes_the_gate_again(plane, ready):
    with plane.database.read() as session:
        now = plane.clock.now()
        assert isinstance(look(session, ready, now).verdict, Passed)
        stale = look(session, ready, now + timedelta(days=91))
    assert {f.control for f in stale.blocking} == {"TP-ASM-01", "TP-ASM-02"}
    assert {f.status for f in stale.blocking} == {Status.NO_EVIDENCE}


def test_a_run_without_a_sandbox_or_without_a_lock_holds_its_model_back(plane, cast, made_version, assessed, fetch):
    for columns in ({"sandbox": "unsafe-none", "reason": "no Landlock"}, {"environment": {}}):
        version = made_version(**columns)
        sign_version(plane, cast["scientist"], version)
        assessed(version)
        with plane.database.read() as session:
            result = look(session, fetch(version), plane.clock.now())
        assert [f.control for f in result.blocking] == ["TP-TRN-01"]


def test_a_model_trained_on_data_that_is_not_known_is_held_back(plane, cast, made_version, assessed, fetch):
    version = made_version(inputs={"people": {"view": "v", "version": "no-such-version", "digest": "", "rows": 3}})
    sign_version(plane, cast["scientist"], version)
    assessed(version)
    with plane.database.read() as session:
        result = look(session, fetch(version), plane.clock.now())
    assert [f.control for f in result.blocking] == ["TP-TRN-02"]


def test_a_signature_that_cannot_be_read_closes_the_gate_and_breaks_nothing(plane, ready, fetch):
    good = dict(ready.signature)
    for change in (
        {"payload": "e30="},
        {"payload": "not base64 at all"},
        {"payload": None},
        {"payload": base64.b64encode(b"\xff").decode()},
        {"signatures": []},
    ):
        with plane.database.write() as session:
            session.get_one(ModelVersion, ready.id).signature = {**good, **change}
        with plane.database.read() as session:
            result = look(session, fetch(ready), plane.clock.now())
        assert [(f.control, f.status) for f in result.blocking] == [("TP-REL-01", Status.FAILED)]


def test_asking_the_gate_keeps_its_findings_and_says_so_on_record(plane, cast, made_version, newest):
    version = made_version()
    result = evaluate_gate(plane, cast["reviewer"], version)
    with plane.database.read() as session:
        rows = session.scalars(select(FindingRow).where(FindingRow.evaluation_id == result.evaluation_id)).all()
    assert {(r.control, r.status) for r in rows} == {(f.control, str(f.status)) for f in result.findings}
    said = newest("gate.evaluate").payload["facts"]
    assert said["passed"] is False
    assert set(said["blocking"]) == {"TP-REL-01", "TP-ASM-01", "TP-ASM-02"}


def test_looking_keeps_nothing(plane, ready):
    with plane.database.read() as session:
        look(session, ready, plane.clock.now())
    with plane.database.read() as session:
        assert session.scalars(select(FindingRow)).all() == []


def test_who_may_not_ask_the_gate_is_denied(plane, cast, ready):
    for role in ("data-steward", "auditor", "consumer"):
        with pytest.raises(AccessDenied):
            evaluate_gate(plane, cast[role], ready)
