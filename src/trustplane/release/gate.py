"""The gate: whether a model version may be approved, by the controls that say so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.controls.contract import Scope
from trustplane.kernel.controls.evaluation import evaluate, keep
from trustplane.kernel.controls.registry import registered
from trustplane.release.catalog import model_target, related
from trustplane.release.tables import ModelVersion, Waiver
from trustplane.values.findings import Finding, Status
from trustplane.values.outcomes import Failed, Passed

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

_LETS_PASS = frozenset({Status.PASSED, Status.NOT_APPLICABLE, Status.WAIVED})


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate says, and the findings that it says it by."""

    verdict: Passed | Failed
    findings: tuple[Finding, ...]
    evaluation_id: str = ""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that hold the version back."""
        return tuple(f for f in self.findings if f.status not in _LETS_PASS)


def with_waivers(findings: Iterable[Finding], waived: frozenset[str]) -> tuple[Finding, ...]:
    """The findings, those of waived controls marked as such unless they pass anyway."""
    return tuple(
        replace(f, status=Status.WAIVED) if f.control in waived and f.status not in _LETS_PASS else f for f in findings
    )


def judge_gate(findings: Sequence[Finding]) -> Passed | Failed:
    """The gate is open if every finding passes, does not apply, or is waived, and there is at least one that passes."""
    held_back = [f for f in findings if f.status not in _LETS_PASS]
    if held_back:
        ids = ", ".join(f"{f.control} ({f.status})" for f in held_back)
        remedies = "; ".join(dict.fromkeys(f.remedy for f in held_back if f.remedy))
        return Failed(f"{len(held_back)} of {len(findings)} controls hold it back: {ids}", remedies)
    if not any(f.status is Status.PASSED for f in findings):
        return Failed("no control passes, so nothing speaks for it", "install the controls, and evaluate again")
    waived = [f.control for f in findings if f.status is Status.WAIVED]
    more = f", {len(waived)} of them waived ({', '.join(waived)})" if waived else ""
    return Passed(f"{len(findings)} controls let it pass{more}")


def waived_controls(session: Session, version_id: str, now: datetime) -> frozenset[str]:
    """The controls for which a granted waiver is in force."""
    query = select(Waiver.control).where(
        Waiver.model_version_id == version_id, Waiver.granted_by.is_not(None), Waiver.expires > now
    )
    return frozenset(session.scalars(query))


def look(session: Session, version: ModelVersion, now: datetime) -> GateResult:
    """What the gate says of a version at this moment; nothing is kept."""
    controls = [c for c in registered() if c.gate]
    findings = [
        finding
        for about in related(session, version)
        for finding in evaluate(session, controls, Scope(version.project_id, now, about))
    ]
    judged = with_waivers(findings, waived_controls(session, version.id, now))
    return GateResult(judge_gate(judged), judged)


def evaluate_gate(plane: "Plane", actor: "Actor", version: ModelVersion) -> GateResult:
    """Ask the gate, and keep the findings."""
    with plane.database.read() as session:
        target = model_target(session, version)
    with plane.operation(actor, "gate.evaluate", target) as op:
        now = plane.clock.now()
        result = look(op.session, op.session.get_one(ModelVersion, version.id), now)
        evaluation_id = keep(op.session, result.findings, version.project_id, now)
        op.record(
            version=version.id,
            evaluation=evaluation_id,
            passed=isinstance(result.verdict, Passed),
            blocking=[f.control for f in result.blocking],
        )
        return replace(result, evaluation_id=evaluation_id)
