"""Comparing what a deployment is asked with what its model was trained on: now, or by the calendar."""

import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.identity.actors import PLANE_ACTOR, Actor
from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.jobs.registry import job
from trustplane.kernel.target import Target
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.keyring import release
from trustplane.monitoring.drift import compare, judge
from trustplane.monitoring.tables import DriftReport
from trustplane.release.catalog import subject_of
from trustplane.release.tables import ModelVersion
from trustplane.serving.catalog import deployment_target
from trustplane.serving.decisions import DecisionRecord
from trustplane.serving.decisions import read as read_decisions
from trustplane.serving.tables import Deployment
from trustplane.values.errors import Refused, TrustplaneError
from trustplane.values.findings import Status, status_of
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.plane import Plane

JOB, SCHEDULED = "monitor.run", "monitor.scheduled"
_STEPS = 2


def run_monitor(plane: "Plane", actor: Actor, deployment_id: str) -> str:
    """Ask for a comparison; return the report's id, under which its job goes too."""
    report_id = new_id()
    cause = _ask(plane, actor, deployment_id, report_id, report_id)
    plane.start_job(
        JOB, report_id, {"report": report_id, "actor": actor.id, "scopes": list(actor.scopes), "cause": cause}
    )
    return report_id


def schedule_monitor(plane: "Plane", actor: Actor, deployment_id: str, cron: str) -> str:
    """Have a deployment compared by the calendar; return the schedule's name."""
    name = f"monitor-{deployment_id}"
    with plane.database.read() as session:
        target, _ = _comparable(session, session.get_one(Deployment, deployment_id))
    with plane.operation(actor, "monitor.run", target) as op:
        op.session.flush()
        op.record(schedule=name, cron=cron)
        plane.jobs.schedule(name, cron, SCHEDULED, {"deployment": deployment_id})
    plane.jobs.launch()
    return name


def resume_monitors(plane: "Plane") -> int:
    """Ask again for the jobs of comparisons that are queued; a crash may have fallen in between. Returns their number.

    What the calendar asked for is a step of its own job, which goes on by itself.
    """
    waiting = select(DriftReport).where(DriftReport.state == "queued", DriftReport.job_id == DriftReport.id)
    with plane.database.read() as session:
        rows = [(r.id, r.features) for r in session.scalars(waiting)]
    for report_id, asked in rows:
        plane.start_job(JOB, report_id, {"report": report_id, **asked})
    return len(rows)


@job(SCHEDULED)
def scheduled(ctx: JobContext, *, deployment: str) -> dict[str, Any]:
    """What the calendar starts: the plane itself asks, and goes on. A deployment that was retired is left alone."""
    plane: Plane = ctx.plane
    if not ctx.step("look", _is_active, plane, deployment):
        return {"report": None, "verdict": "retired"}
    report_id = ctx.step("name", new_id)
    cause = ctx.step("ask", _ask, plane, PLANE_ACTOR, deployment, report_id, ctx.job_id)
    return _carry_out(ctx, PLANE_ACTOR.id, [], report_id, cause)


@job(JOB)
def monitor(ctx: JobContext, *, report: str, actor: str, scopes: list[str], cause: str) -> dict[str, Any]:
    """Compare the served inputs with the hold-out of the model."""
    return _carry_out(ctx, actor, scopes, report, cause)


def _carry_out(ctx: JobContext, actor_id: str, scopes: list[str], report_id: str, cause: str) -> dict[str, Any]:
    ctx.progress(0, _STEPS, "reading the decisions")
    try:
        kept: dict[str, Any] = ctx.step("compare", _compare, ctx.plane, actor_id, scopes, report_id, cause)
    except TrustplaneError as error:
        ctx.step("fail", _fail, ctx.plane, report_id, str(error))
        raise
    ctx.progress(_STEPS, _STEPS, kept["verdict"])
    return kept


def _is_active(plane: "Plane", deployment_id: str) -> bool:
    with plane.database.read() as session:
        return session.get_one(Deployment, deployment_id).status == "active"


def _comparable(session: Session, row: Deployment) -> tuple[Target, ModelVersion]:
    """How policy sees a deployment, and its version, which has a hold-out."""
    version = session.get_one(ModelVersion, row.model_version_id)
    if version.holdout_blob is None:
        raise Refused("TP-MONITOR-001", "the model has no hold-out to be compared with")
    return deployment_target(session, row), version


def _ask(plane: "Plane", actor: Actor, deployment_id: str, report_id: str, job_id: str) -> str:
    with plane.database.read() as session:
        row = session.get_one(Deployment, deployment_id)
        target, version = _comparable(session, row)
    with plane.operation(actor, "monitor.run", target) as op:
        if op.session.get(DriftReport, report_id) is None:
            report = DriftReport(
                id=report_id,
                project_id=row.project_id,
                deployment_id=row.id,
                model_version_id=version.id,
                job_id=job_id,
                state="queued",
                reference_digest=version.holdout_blob,
                reference_rows=0,
                served_rows=0,
                features={"actor": actor.id, "scopes": list(actor.scopes), "cause": op.id},
                verdict="",
                reason="",
                window_start=None,
                window_end=None,
                created=plane.clock.now(),
            )
            op.session.add(report)
        op.session.flush()
        op.record(report=report_id, deployment=row.id)
        op.made(report_id)
    return op.id


def _compare(plane: "Plane", actor_id: str, scopes: list[str], report_id: str, cause: str) -> dict[str, Any]:
    actor = plane.stand_in(actor_id, scopes)
    with plane.database.read() as session:
        report = session.get_one(DriftReport, report_id)
        deployment = session.get_one(Deployment, report.deployment_id)
        version = session.get_one(ModelVersion, report.model_version_id)
    if report.state != "queued":  # the crash fell between the record of the end and that of this step
        return {"report": report_id, "verdict": report.verdict}
    names = [str(f["name"]) for f in version.interface["features"]]
    with plane.operation(actor, "job.finish", plane.job_target(actor, report.job_id), cause=cause) as op:
        with plane.database.read() as session:
            key = release(op, session, plane.keystore, [version.key_id])[version.key_id]
            decisions = list(read_decisions(op, session, deployment))
        reference = _reference(plane, key, version, names)
        served = {name: [v for d in decisions for v in d.inputs.get(name, ())] for name in names}
        rows = sum(d.rows for d in decisions)
        found = compare(reference, served)
        verdict = judge(found, names, rows)
        held = op.session.get_one(DriftReport, report_id)
        held.state = "done"
        held.reference_rows, held.served_rows = len(next(iter(reference.values()), ())), rows
        held.features = {name: asdict(f) for name, f in found.items()}
        held.verdict, held.reason = str(status_of(verdict)), verdict.reason
        held.window_start, held.window_end = _window(decisions)
        op.record(report=report_id, deployment=deployment.id, verdict=held.verdict, served_rows=rows)
        op.refer(reference=version.holdout_blob or "")
        return {"report": report_id, "verdict": held.verdict}


def _fail(plane: "Plane", report_id: str, why: str) -> None:
    """End a comparison that could not be made, in the plane's own name: whoever asked may be gone. It is no evidence."""
    with plane.database.read() as session:
        job_id = session.get_one(DriftReport, report_id).job_id
    with plane.operation(PLANE_ACTOR, "job.finish", plane.job_target(PLANE_ACTOR, job_id)) as op:
        held = op.session.get_one(DriftReport, report_id)
        if held.state == "queued":  # else the crash fell between the record of the end and that of this step
            held.state, held.features, held.reason = "failed", {}, why[:2000]
            held.verdict = str(Status.NO_EVIDENCE)
        op.record(report=report_id, deployment=held.deployment_id, verdict=held.verdict)


def _reference(plane: "Plane", key: Any, version: ModelVersion, names: list[str]) -> dict[str, Any]:
    data = b"".join(unseal(plane.blobs, key, version.holdout_blob or "", subject_of(version.id)))
    table = pq.read_table(io.BytesIO(data))
    return {name: table[name].to_numpy() for name in names if name in table.column_names}


def _window(decisions: list[DecisionRecord]) -> tuple[Any, Any]:
    return (decisions[0].at, decisions[-1].at) if decisions else (None, None)
