"""How a project stands: what passes, fails, has no evidence, does not apply or is waived, and who may ask."""

import importlib.util
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from trustplane.compliance.service import create_report, evaluate_controls, look, open_report
from trustplane.compliance.tables import Report
from trustplane.data.tables import Dataset
from trustplane.kernel.controls.registry import registered
from trustplane.kernel.controls.tables import FindingRow
from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.operation import AccessDenied
from trustplane.release.approval import approve, reject
from trustplane.release.waivers import grant_waiver, request_waiver
from trustplane.rollout.deployments import deploy
from trustplane.training.tables import Run
from trustplane.values.errors import NotFound, TrustplaneError
from trustplane.values.findings import Status
from trustplane.values.ids import new_id

TOOL = Path(__file__).parents[3] / "tools" / "verify_log.py"
HOSTILE = "<script>alert(1)</script>"

OF_A_PROJECT = ("TP-ACC-01", "TP-DAT-05", "TP-DAT-06", "TP-GOV-01")
"""The controls that ask about a project as a whole."""


@pytest.fixture(scope="module")
def tool():
    """The auditor's script."""
    spec = importlib.util.spec_from_file_location("verify_log", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def standing(plane):
    """The findings of the project by control and label of the subject; some time from now, where that is said."""

    def see(later=timedelta(0)):
        with plane.database.read() as session:
            found = look(session, find_project(session, "credit").id, plane.clock.now() + later)
        return {(f.control, f.subject.label): f for f in found}

    return see


@pytest.fixture
def opened(plane, cast):
    """Make a report and open it."""

    def make(kind="json", project="credit"):
        made = create_report(plane, cast["reviewer"], project)
        body = b"".join(open_report(plane, cast["reviewer"], project, made, kind))
        return json.loads(body) if kind == "json" else body.decode()

    return make


@pytest.fixture
def named_dataset(plane, cast):
    """Put a dataset beside the door, under any name."""

    def put(name, **changes):
        with plane.database.write() as session:
            said = {
                "description": "", "owner_id": "somebody", "source": "a register", "purposes": ["dpv:ServiceProvision"],
                "lawful_basis": "A6-1-b", "retention_days": 30, "held": False, "created": plane.clock.now(),
            }  # fmt: skip
            project = find_project(session, "credit")
            row = Dataset(id=new_id(), project_id=project.id, name=name, **{**said, **changes})
            session.add(row)

    return put


def kept(plane):
    with plane.database.read() as session:
        return session.scalar(select(FindingRow.id).limit(1)), session.scalar(select(Report.id).limit(1))


# --- statuses


def test_an_empty_project_is_asked_about_itself_alone(cast, standing):
    found = standing()
    assert set(found) == {(control, "credit") for control in OF_A_PROJECT}
    assert {control for (control, _), f in found.items() if f.status is Status.NOT_APPLICABLE} == {
        "TP-DAT-05", "TP-DAT-06",
    }  # fmt: skip
    assert {f.status for f in found.values()} == {Status.PASSED, Status.NOT_APPLICABLE}


def test_each_status_comes_from_what_happened(plane, cast, ready, made_version, assessed, standing):
    approve(plane, cast["reviewer"], ready, "fine")
    deploy(plane, cast["operator"], "credit", "production", "risk")
    found = standing()
    assert found["TP-REL-01", "risk 1"].status is Status.PASSED
    assert found["TP-REL-02", "risk 1"].status is Status.PASSED
    assert found["TP-REL-02", "risk 1"].figures == {"approvals": 1.0}
    assert found["TP-SRV-01", "risk-production"].status is Status.PASSED
    assert found["TP-MON-01", "risk-production"].status is Status.NO_EVIDENCE
    second = made_version()
    assessed(second, "failed")
    found = standing()
    assert found["TP-REL-01", "risk 2"].status is Status.NO_EVIDENCE
    assert found["TP-REL-02", "risk 2"].status is Status.NO_EVIDENCE
    failed = found["TP-ASM-01", f"model version {second.id[-12:]}"]
    assert (failed.status, failed.reason) == (Status.FAILED, "performance: performance failed")
    reject(plane, cast["reviewer"], second, "no")
    assert standing()["TP-REL-02", "risk 2"].status is Status.NOT_APPLICABLE


def test_roles_that_belong_apart_fail_the_control_and_taking_one_back_mends_it(plane, owner, cast, standing):
    with plane.database.read() as session:
        scope = people.scope_target(session, "project", find_project(session, "credit").id)
    people.grant(plane, owner, cast["scientist"].id, "reviewer", scope)
    found = standing()["TP-ACC-01", "credit"]
    assert (found.status, found.figures["together"]) == (Status.FAILED, 1.0)
    assert "user revoke" in found.remedy
    assert all(plane.ledger.get(e).leaf.action == "binding.grant" for e in found.evidence)


def test_a_dataset_whose_terms_are_missing_fails_and_one_without_a_version_has_no_evidence(named_dataset, standing):
    named_dataset("declared")
    found = standing()
    assert found["TP-DAT-02", "declared"].status is Status.PASSED
    assert found["TP-DAT-01", "declared"].status is Status.NO_EVIDENCE
    assert found["TP-DAT-03", "declared"].status is Status.NO_EVIDENCE
    named_dataset("bare", purposes=[], lawful_basis="", retention_days=None, source="", owner_id="")
    bare = standing()["TP-DAT-02", "bare"]
    assert bare.status is Status.FAILED
    assert bare.reason == "a purpose, a legal basis, a retention, a source, an owner is not declared"


def test_what_is_not_passed_says_what_to_do(plane, cast, ready, made_version, named_dataset, standing):
    made_version()
    named_dataset("declared")
    deploy(plane, cast["scientist"], "credit", "staging", "risk", number=1)
    held_back = [f for f in standing().values() if f.status in {Status.FAILED, Status.NO_EVIDENCE}]
    assert len(held_back) > 4
    for found in held_back:
        assert found.reason, found.control
        assert found.remedy, found.control


def test_another_projects_things_are_not_looked_at(plane, owner, cast, ready, standing):
    people.create_project(plane, owner, "other")
    with plane.database.read() as session:
        found = look(session, find_project(session, "other").id, plane.clock.now())
    assert {(f.control, f.subject.label) for f in found} == {(control, "other") for control in OF_A_PROJECT}
    evaluation = evaluate_controls(plane, owner, "other")
    with plane.database.read() as session:
        rows = session.scalars(select(FindingRow).where(FindingRow.evaluation_id == evaluation)).all()
        assert {r.project_id for r in rows} == {find_project(session, "other").id}


# --- waivers


@pytest.fixture
def waived(plane, cast):
    """Ask for a waiver, and have it granted where that is said."""

    def make(version, control, *, granted=True, life=timedelta(days=7)):
        waiver = request_waiver(plane, cast["scientist"], version, control, "known and watched", life)
        if granted:
            grant_waiver(plane, cast["owner"], waiver)

    return make


def test_a_waiver_is_shown_until_its_date_and_not_a_moment_longer(made_version, assessed, standing, waived):
    version = made_version()
    assessed(version, "failed")
    about = ("TP-ASM-02", f"model version {version.id[-12:]}")
    waived(version, "TP-ASM-02", granted=False)
    assert standing()[about].status is Status.FAILED, "what nobody granted excuses nothing"
    waived(version, "TP-ASM-02", life=timedelta(days=7))
    assert standing()[about].status is Status.WAIVED
    assert standing()[about].reason == "fairness: fairness failed", "it still says what is wrong"
    assert standing(timedelta(days=6, hours=23))[about].status is Status.WAIVED
    assert standing(timedelta(days=7, minutes=1))[about].status is Status.FAILED


def test_a_waiver_excuses_its_version_and_its_control_alone(made_version, assessed, standing, waived):
    first, second = made_version(), made_version()
    for version in (first, second):
        assessed(version, "failed")
    waived(first, "TP-ASM-01")
    found = standing()
    statuses = {
        (control, number): found[control, f"model version {version.id[-12:]}"].status
        for control in ("TP-ASM-01", "TP-ASM-02")
        for number, version in enumerate((first, second), 1)
    }
    assert statuses.pop(("TP-ASM-01", 1)) is Status.WAIVED
    assert set(statuses.values()) == {Status.FAILED}


def test_a_waiver_does_not_make_what_passes_look_waived(ready, standing, waived):
    waived(ready, "TP-REL-01")
    assert standing()["TP-REL-01", "risk 1"].status is Status.PASSED


def test_a_waiver_for_the_run_reaches_the_run_of_the_version(made_version, standing, waived):
    version = made_version(sandbox="unsafe-none", reason="no kernel support")
    about = ("TP-TRN-01", f"train.py {version.run_id[-12:]}")
    assert standing()[about].status is Status.FAILED
    waived(version, "TP-TRN-01")
    assert standing()[about].status is Status.WAIVED


# --- the report


def test_the_auditors_script_takes_every_receipt_of_a_report(plane, cast, ready, opened, tool, tmp_path):
    approve(plane, cast["reviewer"], ready, "fine")
    deploy(plane, cast["operator"], "credit", "production", "risk")
    body = opened()
    assert body["receipts"]
    file = tmp_path / "receipt"
    for event, receipt in body["receipts"].items():
        file.write_text(receipt, "utf-8")
        assert tool.main(["--receipt", str(file), "--vkey", body["vkey"]]) == 0
        assert json.loads(tool.verify_receipt(receipt, body["vkey"]))["id"] == event
    changed = receipt.replace("index ", "index 1", 1)
    file.write_text(changed, "utf-8")
    assert tool.main(["--receipt", str(file), "--vkey", body["vkey"]]) == 1


def test_every_event_that_a_finding_names_has_its_receipt(plane, cast, ready, opened):
    """Also the newest event of the signed log, which another one may be by the time that the report is kept."""
    for number in range(3):
        people.create_principal(plane, cast["owner"], people.PrincipalSpec("user", f"one-more-{number}"))
        body = opened()
        named = {e for c in body["controls"] for f in c["findings"] for e in f["evidence"]}
        assert named == set(body["receipts"])
        (log,) = [f for c in body["controls"] if c["id"] == "TP-GOV-01" for f in c["findings"]]
        assert log["evidence"]
        assert body["size"] >= 1


def test_the_findings_of_a_report_are_kept_with_it(plane, ready, opened):
    body = opened()
    with plane.database.read() as session:
        rows = session.scalars(select(FindingRow).where(FindingRow.evaluation_id == body["evaluation"])).all()
        report = session.get_one(Report, body["id"])
    assert Counter(r.status for r in rows) == body["counts"] == report.counts
    shown = {(f["control"], f["subject"]["id"]): f for c in body["controls"] for f in c["findings"]}
    assert {(r.control, r.subject_id) for r in rows} == set(shown)
    for row in rows:
        found = shown[row.control, row.subject_id]
        assert (row.status, row.reason, row.evidence) == (found["status"], found["reason"], found["evidence"])
    assert [c["id"] for c in body["controls"]] == [c.id for c in registered()]


def test_a_hostile_name_that_got_into_the_database_is_shown_as_a_name(named_dataset, opened):
    named_dataset(HOSTILE)
    page = opened("html")
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    subjects = [f["subject"]["label"] for c in opened()["controls"] for f in c["findings"]]
    assert HOSTILE in subjects


def test_a_hostile_file_name_of_a_script_is_shown_as_a_name(plane, cast, made_run, opened):
    run_id = made_run()
    with plane.database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(script="<img src=x onerror=alert(1)>.py"))
    page = opened("html")
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.py" in page


def test_a_report_is_on_record_with_the_digests_of_both_its_forms(plane, cast, opened):
    body = opened()
    with plane.database.read() as session:
        project = find_project(session, "credit")
    made = [
        e for e in plane.ledger.feed(limit=20, resource=f"Project::{project.id}") if e.leaf.action == "report.create"
    ]
    (event,) = made
    assert event.payload["facts"] == {"report": body["id"], "evaluation": body["evaluation"], "counts": body["counts"]}
    assert set(event.payload["refers"]) == {"json", "html"}
    verify(plane).require_sound()


def test_a_report_that_was_changed_is_not_shown(plane, cast, opened):
    body = opened()
    with plane.database.read() as session:
        report = session.get_one(Report, body["id"])
    for kind, blob in (("json", report.json_blob), ("html", report.html_blob)):
        file = plane.blobs.path(blob)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.chmod(0o600)
        file.write_bytes(data)
        with pytest.raises(TrustplaneError) as caught:
            list(open_report(plane, cast["reviewer"], "credit", body["id"], kind))
        assert caught.value.code in {"TP-VAULT-011", "TP-VAULT-014"}


def test_one_form_does_not_pass_for_the_other(plane, cast, opened):
    body = opened()
    assert b"".join(open_report(plane, cast["reviewer"], "credit", body["id"], "html")).startswith(b"<!doctype html>")
    assert json.loads(b"".join(open_report(plane, cast["reviewer"], "credit", body["id"], "json")))["id"] == body["id"]


# --- who may

MAKES = {"owner", "data-steward", "scientist", "reviewer"}
EVALUATES = MAKES | {"operator"}
OPENS = EVALUATES | {"auditor"}


def test_who_evaluates_makes_and_opens_is_who_may(plane, cast, opened):
    made = opened()["id"]
    for role, actor in cast.items():
        for allowed, call in (
            (EVALUATES, lambda a=actor: evaluate_controls(plane, a, "credit")),
            (MAKES, lambda a=actor: create_report(plane, a, "credit")),
            (OPENS, lambda a=actor: list(open_report(plane, a, "credit", made, "json"))),
        ):
            if role in allowed:
                assert call()
                continue
            with pytest.raises(AccessDenied):
                call()
            (event,) = plane.ledger.feed(limit=1)
            assert (event.leaf.outcome, event.leaf.actor) == ("denied", actor.id)


def test_a_denied_request_keeps_nothing(plane, cast):
    for role in ("auditor", "consumer"):
        for ask in (evaluate_controls, create_report):
            with pytest.raises(AccessDenied):
                ask(plane, cast[role], "credit")
    assert kept(plane) == (None, None)


def test_a_report_is_opened_in_its_own_project_alone(plane, owner, cast, opened):
    made = opened()["id"]
    people.create_project(plane, owner, "other")
    for project, report_id in (("other", made), ("credit", "unknown"), ("credit", ""), ("credit", "x" * 5000)):
        with pytest.raises(NotFound) as caught:
            list(open_report(plane, owner, project, report_id, "json"))
        assert (caught.value.code, len(str(caught.value)) < 200) == ("TP-REPORT-001", True)
