"""Approving and rejecting a model version."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from trustplane.kernel.controls.evaluation import keep
from trustplane.kernel.operation import Operation
from trustplane.release.catalog import model_target
from trustplane.release.gate import look
from trustplane.release.signing import model_public_key, verify_version
from trustplane.release.tables import Approval, ModelVersion
from trustplane.values.errors import BadInput, Conflict, Refused
from trustplane.values.ids import new_id
from trustplane.values.outcomes import Failed

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def approve(plane: "Plane", actor: "Actor", version: ModelVersion, reason: str) -> str:
    """Approve a version; return the receipt. The gate is asked at this moment, whatever it said before."""
    with plane.database.read() as session:
        target = model_target(session, version)
    with plane.operation(actor, "model.approve", target) as op:
        held, now = op.session.get_one(ModelVersion, version.id), plane.clock.now()
        if held.status == "rejected":
            raise Refused("TP-GATE-002", "the version was rejected", why="a rejection is final for a version")
        if held.signature:
            verify_version(held, model_public_key(plane))
        result = look(op.session, held, now)
        if isinstance(result.verdict, Failed):
            facts = {
                "blocking": [
                    {"control": f.control, "status": str(f.status), "reason": f.reason, "remedy": f.remedy}
                    for f in result.blocking
                ]
            }
            op.record(blocking=[f.control for f in result.blocking])
            raise Refused(
                "TP-GATE-001",
                "the gate does not let the version pass",
                why=result.verdict.reason,
                fix=result.verdict.remedy,
                facts=facts,
            )
        evaluation_id = keep(op.session, result.findings, held.project_id, now)
        _decide(op, held, "approved", reason)
        held.status = "approved"
        op.record(evaluation=evaluation_id, gate=result.verdict.reason)
    return op.receipt or ""


def reject(plane: "Plane", actor: "Actor", version: ModelVersion, reason: str) -> None:
    """Reject a version, for good."""
    with plane.database.read() as session:
        target = model_target(session, version)
    with plane.operation(actor, "model.reject", target) as op:
        held = op.session.get_one(ModelVersion, version.id)
        _decide(op, held, "rejected", reason)
        held.status = "rejected"


def _decide(op: Operation, version: ModelVersion, decision: str, reason: str) -> None:
    if not reason.strip():
        raise BadInput("TP-GATE-003", "a decision about a model needs its reason")
    reviewer = op.actor.answerable
    known = op.session.scalar(
        select(Approval).where(Approval.model_version_id == version.id, Approval.reviewer_id == reviewer)
    )
    if known is not None and known.decision == decision:
        raise Conflict("TP-GATE-004", f"you have {decision} it already")
    if known is None:
        known = Approval(
            id=new_id(),
            model_version_id=version.id,
            reviewer_id=reviewer,
            decision=decision,
            reason="",
            created=op.plane.clock.now(),
        )
        op.session.add(known)
    known.decision, known.reason = decision, reason.strip()[:2000]
    op.record(version=version.id, decision=decision)
    op.refer(model=version.sha256)
