"""Evaluations and reports: what they say, what they link to, who may make and open them, and that nothing in them runs."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from trustplane.compliance.report import document, render
from trustplane.compliance.service import create_report, evaluate_controls, open_report
from trustplane.kernel.controls.contract import Control, Evidence
from trustplane.kernel.controls.evaluation import verdict_of
from trustplane.kernel.controls.tables import FindingRow
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.ledger.proofs import verify_receipt
from trustplane.kernel.operation import AccessDenied
from trustplane.release.waivers import grant_waiver, request_waiver
from trustplane.values.clock import SystemClock
from trustplane.values.errors import NotFound
from trustplane.values.findings import Finding, Severity, Status, Subject
from trustplane.values.outcomes import Failed, Inconclusive, Passed


def report_of(plane, actor, kind="json"):
    made = create_report(plane, actor, "credit")
    body = b"".join(open_report(plane, actor, "credit", made, kind))
    return json.loads(body) if kind == "json" else body.decode()


class TestVerdicts:
    NOW = SystemClock().now()

    def control(self, **said):
        def judge(evidence):
            return Passed("it holds") if evidence.facts["good"] else Failed("it does not", "mend it")

        facts = {"judge": judge, "subjects": lambda *_: [], "collect": lambda *_: None, "remedy": "look"} | said
        return Control("TP-XXX-01", "t", "q?", "data", "dataset", Severity.HIGH, **facts)

    def test_no_evidence_never_passes(self):
        assert verdict_of(self.control(), None, self.NOW) == Inconclusive("there is no evidence", "look")

    def test_evidence_that_is_too_old_never_passes(self):
        control = self.control(max_age=timedelta(days=30))
        fresh, old = (
            Evidence({"good": True}, at=self.NOW - timedelta(days=29)),
            Evidence({"good": True}, at=self.NOW - timedelta(days=31)),
        )
        assert isinstance(verdict_of(control, fresh, self.NOW), Passed)
        assert isinstance(verdict_of(control, old, self.NOW), Inconclusive)
        assert isinstance(verdict_of(control, Evidence({"good": True}), self.NOW), Inconclusive)

    def test_judging_is_left_to_the_control(self):
        assert isinstance(verdict_of(self.control(), Evidence({"good": False}), self.NOW), Failed)


def test_an_evaluation_keeps_its_findings_with_an_event(plane, cast, ready, newest):
    evaluation = evaluate_controls(plane, cast["reviewer"], "credit")
    with plane.database.read() as session:
        rows = session.scalars(select(FindingRow).where(FindingRow.evaluation_id == evaluation)).all()
    by_control = {row.control: row for row in rows}
    assert by_control["TP-REL-01"].status == "passed"
    assert by_control["TP-REL-02"].status in {"failed", "no-evidence"}
    assert by_control["TP-REL-02"].remedy
    event = newest("control.evaluate")
    assert sum(event.payload["facts"]["counts"].values()) == len(rows)
    assert [d for d in crosscheck.verify(plane).discrepancies if not d.where.startswith("assessments:")] == []


def test_every_verdict_of_a_report_links_to_receipts_that_hold(plane, cast, ready):
    report = report_of(plane, cast["reviewer"])
    findings = [finding for control in report["controls"] for finding in control["findings"]]
    assert report["counts"]["passed"] == sum(f["status"] == "passed" for f in findings)
    # The run and the assessment of the fixtures did not come through the door, so no event tells of them.
    judged = [
        f for f in findings if f["status"] in {"passed", "failed"} and f["control"][:6] not in {"TP-ASM", "TP-TRN"}
    ]
    assert judged
    for finding in judged:
        assert finding["evidence"], finding["control"]
        for event in finding["evidence"]:
            proven = verify_receipt(report["receipts"][event], [plane.ledger.vkey])
            assert event.encode() in proven.entry


def test_a_waived_finding_is_shown_as_waived_and_as_nothing_better(plane, cast, made_version, assessed, fetch):
    version = made_version()
    assessed(version, "failed")
    waiver = request_waiver(plane, cast["scientist"], version, "TP-ASM-02", "known", timedelta(days=7))
    grant_waiver(plane, cast["owner"], waiver)
    statuses = {c["id"]: {f["status"] for f in c["findings"]} for c in report_of(plane, cast["reviewer"])["controls"]}
    assert statuses["TP-ASM-02"] == {"waived"}
    assert statuses["TP-ASM-01"] == {"failed"}


def test_the_page_says_the_same_and_stands_alone(plane, cast, ready):
    page = report_of(plane, cast["reviewer"], "html")
    assert "TP-REL-01" in page
    for pattern in (r"<script", r"<link", r"\bsrc\s*=", r"@import", r"url\(", r"\bon[a-z]+\s*="):
        assert not re.search(pattern, page, re.IGNORECASE), pattern

    class Links(HTMLParser):
        found = ()

        def handle_starttag(self, tag, attrs):
            self.found += tuple(v for k, v in attrs if k in {"href", "action"})

    links = Links()
    links.feed(page)
    assert [link for link in links.found if not link.startswith("#")] == []


def test_hostile_words_are_shown_and_not_run():
    evil = "<script>alert(1)</script>\"'&\u202e"
    finding = Finding(
        "TP-X", Subject("dataset", "id", evil), Status.FAILED, Severity.HIGH, evil, evil, {evil: 1.0}, ("event",)
    )
    control = Control(
        "TP-X", evil, evil, "data", "dataset", Severity.HIGH, lambda *_: [], lambda *_: None, lambda _: Passed(""), evil
    )
    about = {
        "id": evil,
        "project": evil,
        "created": "now",
        "author": evil,
        "evaluation": "e",
        "origin": evil,
        "vkey": evil,
        "size": 1,
    }
    page = render(document(about, [control], [finding], [], {"event": evil}))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_opening_a_report_is_recorded(plane, cast, ready, newest):
    made = create_report(plane, cast["reviewer"], "credit")
    list(open_report(plane, cast["auditor"], "credit", made, "html"))
    event = newest("report.read")
    assert (event.leaf.actor, event.payload["facts"]["report"]) == (cast["auditor"].id, made)


@pytest.mark.parametrize("role", ["consumer"])
def test_who_may_not_make_or_open_one(plane, cast, ready, role):
    with pytest.raises(AccessDenied):
        create_report(plane, cast[role], "credit")
    made = create_report(plane, cast["reviewer"], "credit")
    with pytest.raises(AccessDenied):
        list(open_report(plane, cast[role], "credit", made, "json"))
    with pytest.raises(NotFound):
        list(open_report(plane, cast["auditor"], "credit", "none", "json"))


def test_a_report_lies_encrypted(plane, cast, ready, workspace):
    create_report(plane, cast["reviewer"], "credit")
    for path in (workspace.folder / "blobs").rglob("*"):
        if path.is_file():
            assert b"TP-REL-01" not in path.read_bytes()
