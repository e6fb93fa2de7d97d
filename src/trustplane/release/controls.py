"""The controls that read model versions: are they signed, and approved by somebody else than their author?"""

import base64
from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.controls.contract import Control, Evidence, Scope
from trustplane.kernel.ledger.evidence import events_about
from trustplane.release.catalog import SUBJECT_KIND, subject
from trustplane.release.scanning.report import PASSED, REFUSED
from trustplane.release.tables import Approval, ArtifactScan, ModelVersion
from trustplane.values.findings import Severity, Subject
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict


def versions(session: Session, scope: Scope) -> Sequence[Subject]:
    """The model versions of a project."""
    query = select(ModelVersion).where(ModelVersion.project_id == scope.project_id).order_by(ModelVersion.id)
    return [subject(session, row) for row in session.scalars(query)]


def collect_signature(session: Session, subject: Subject) -> Evidence | None:
    """The digest that the manifest names, empty where the envelope cannot be read, and that of the artifact."""
    row = session.get(ModelVersion, subject.id)
    if row is None or not row.signature:
        return None
    try:
        statement = msgspec.json.decode(base64.b64decode(row.signature["payload"]))
        signed = f"sha256:{statement['subject'][0]['digest']['sha256']}"
        key = str(row.signature["signatures"][0]["keyid"])
    except (KeyError, IndexError, TypeError, ValueError, msgspec.DecodeError):
        signed = key = ""
    facts = {"signed": signed, "artifact": row.sha256, "key": key}
    return Evidence(facts, events_about(session, f"ModelVersion::{row.id}", "model.sign")[-1:], row.created)


def judge_signature(evidence: Evidence) -> Verdict:
    """The signed manifest is about this artifact. That the signature itself holds is checked at approval, deployment and load."""
    facts = evidence.facts
    if facts["signed"] != facts["artifact"]:
        return Failed("the signed manifest is about another artifact", "do not use the version; register it again")
    return Passed(f"the manifest over the artifact is signed by the key {facts['key'][:16]}")


def collect_approval(session: Session, subject: Subject) -> Evidence | None:
    """Who approved, and who made it."""
    row = session.get(ModelVersion, subject.id)
    if row is None:
        return None
    approvals = session.scalars(select(Approval).where(Approval.model_version_id == row.id)).all()
    facts = {
        "status": row.status,
        "approved": [a.reviewer_id for a in approvals if a.decision == "approved"],
        "author": row.author_id,
    }
    return Evidence(facts, events_about(session, f"ModelVersion::{row.id}", "model.approve"), row.created)


def judge_approval(evidence: Evidence) -> Verdict:
    """Somebody else than the author approved it."""
    facts = evidence.facts
    if facts["status"] == "rejected":
        return NotApplicable("the version was rejected: it moves nowhere")
    if facts["author"] in facts["approved"]:
        return Failed("the author is among those who approved it", "have somebody else review a new version")
    if not facts["approved"]:
        return Inconclusive(
            "nobody has approved it yet", "somebody else than the author approves it with 'trustplane approve'"
        )
    return Passed(
        f"{len(facts['approved'])} approved it who did not make it", {"approvals": float(len(facts["approved"]))}
    )


def collect_scan(session: Session, subject: Subject) -> Evidence | None:
    """The newest scan of the artifact's bytes, by whomever."""
    row = session.get(ModelVersion, subject.id)
    if row is None:
        return None
    query = select(ArtifactScan).where(ArtifactScan.project_id == row.project_id, ArtifactScan.sha256 == row.sha256)
    scan = session.scalar(query.order_by(ArtifactScan.id.desc()).limit(1))
    if scan is None:
        return None
    facts = {
        "verdict": scan.verdict,
        "format": scan.format,
        "objections": [o["message"] for o in scan.report["objections"]],
    }
    events = events_about(session, f"Run::{scan.run_id}", "artifact.scan")[-1:]
    return Evidence(
        facts, events or events_about(session, f"ModelVersion::{row.id}", "model.register")[-1:], scan.created
    )


def judge_scan(evidence: Evidence) -> Verdict:
    """Nothing spoke against the artifact; what could not be checked did not pass."""
    facts = evidence.facts
    figures = {"objections": float(len(facts["objections"]))}
    if facts["verdict"] == REFUSED:
        return Failed(facts["objections"][0], "do not use the version; register a file that passes", figures)
    if facts["verdict"] != PASSED:
        return Inconclusive("the artifact could not be checked", "install what is missing, and scan it again")
    return Passed(f"nothing speaks against the artifact, a file of the format {facts['format']}", figures)


CONTROLS = (
    Control(
        "TP-REL-03",
        "Model artifacts were scanned",
        "Was the artifact judged by its content, and did nothing speak against it?",
        "release",
        SUBJECT_KIND,
        Severity.CRITICAL,
        versions,
        collect_scan,
        judge_scan,
        "scan it with 'trustplane run scan'",
        gate=True,
    ),
    Control(
        "TP-REL-01",
        "Models are signed",
        "Is the artifact signed, together with what made it?",
        "release",
        SUBJECT_KIND,
        Severity.HIGH,
        versions,
        collect_signature,
        judge_signature,
        "sign it with 'trustplane model sign'",
        gate=True,
    ),
    Control(
        "TP-REL-02",
        "Models are approved by others",
        "Did somebody approve the version who did not make it?",
        "release",
        SUBJECT_KIND,
        Severity.HIGH,
        versions,
        collect_approval,
        judge_approval,
        "have it approved with 'trustplane approve'",
    ),
)
