"""Deployments, their decisions and their monitoring."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, status
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Door, Paged, listed, moment, names_of, page_of
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.identity.tables import Environment
from trustplane.monitoring.service import run_monitor, schedule_monitor
from trustplane.monitoring.tables import DriftReport
from trustplane.release.tables import Model, ModelVersion
from trustplane.rollout.deployments import deploy, retire
from trustplane.serving.catalog import deployment_target, find_deployment
from trustplane.serving.decisions import read as read_decisions
from trustplane.serving.tables import Decision, Deployment

router = APIRouter(prefix=PREFIX, tags=["rollout"], responses=PROBLEMS)
DEPLOYMENT = "/projects/{project}/deployments/{deployment}"


class NewDeployment(BaseModel):
    """A deployment to be made: a version of a model, the newest without a number, in an environment."""

    model_config = {"json_schema_extra": {"examples": [{"model": "default-risk", "environment": "staging"}]}}
    environment: str
    model: str
    version: int | None = None
    name: str | None = None


class Calendar(BaseModel):
    """When monitoring starts by itself: five cron fields, in UTC."""

    cron: str = Field(default="0 * * * *", max_length=100)


@dataclass(frozen=True, slots=True)
class Named:
    """A deployment that a path names."""

    door: Door
    row: Deployment


def _named(project: str, deployment: str, door: Asked) -> Named:
    with door.plane.database.read() as session:
        return Named(door, find_deployment(session, find_project(session, project).id, deployment))


def _shown(named: Annotated[Named, Depends(_named)]) -> Named:
    with named.door.plane.database.read() as session:
        named.door.may("deployment.read", deployment_target(session, named.row))
    return named


OneDeployment = Annotated[Named, Depends(_named)]
"""A deployment that an operation is about: the operation itself decides."""
ShownDeployment = Annotated[Named, Depends(_shown)]
"""A deployment that the actor may look at."""


@router.get("/projects/{project}/deployments")
def deployments(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The deployments of a project, active and retired."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        found = session.scalars(select(Deployment).where(Deployment.project_id == row.id))
        seen = [d for d in found if door.visible("deployment.read", deployment_target(session, d))]
        return page_of(seen, page, lambda d: d.id, lambda d: _facts(session, d))


@router.post("/projects/{project}/deployments", status_code=status.HTTP_201_CREATED)
def post_deployment(project: str, body: NewDeployment, door: Asked) -> dict[str, Any]:
    """Serve a signed version in an environment; in production an approved one, by an operator who neither made nor approved it."""
    key = door.idempotency(body.model_dump())
    receipt = None
    made = door.plane.replayed(door.actor, key)
    if made is None:
        made, receipt = deploy(
            door.plane, door.actor, project, body.environment, body.model, body.version, body.name, key
        )
    with door.plane.database.read() as session:
        return {**_facts(session, session.get_one(Deployment, made)), "receipt": receipt}


@router.get(DEPLOYMENT)
def deployment(named: ShownDeployment) -> dict[str, Any]:
    """A deployment."""
    with named.door.plane.database.read() as session:
        return _facts(session, named.row)


@router.delete(DEPLOYMENT)
def delete_deployment(named: OneDeployment) -> dict[str, Any]:
    """Stop serving it. Its decisions stay on record."""
    receipt = retire(named.door.plane, named.door.actor, named.row.project_id, named.row.id)
    with named.door.plane.database.read() as session:
        return {**_facts(session, session.get_one(Deployment, named.row.id)), "receipt": receipt}


@router.get(DEPLOYMENT + "/decisions")
def decisions(named: OneDeployment, limit: Annotated[int, Query(ge=1, le=1000)] = 20) -> dict[str, Any]:
    """The newest decisions with what was asked and answered. The reading is recorded."""
    door = named.door
    with door.plane.database.read() as session:
        target = deployment_target(session, named.row)
    with door.plane.operation(door.actor, "decision.read", target) as op:
        with door.plane.database.read() as session:
            found = list(read_decisions(op, session, named.row))[-limit:]
        op.record(decisions=len(found))
    return listed(
        {
            "id": d.id,
            "at": moment(d.at),
            "actor": d.actor_id,
            "rows": d.rows,
            "inputs": d.inputs,
            "outputs": d.outputs,
        }
        for d in reversed(found)
    )


@router.post(DEPLOYMENT + "/monitoring", status_code=status.HTTP_201_CREATED)
def monitor(named: OneDeployment) -> dict[str, Any]:
    """Compare the served inputs with the training reference; a job does it."""
    job = run_monitor(named.door.plane, named.door.actor, named.row.id)
    return {"id": job, "job": job}


@router.put(DEPLOYMENT + "/monitoring/schedule")
def schedule(named: OneDeployment, body: Calendar) -> dict[str, Any]:
    """Have it done by the calendar."""
    name = schedule_monitor(named.door.plane, named.door.actor, named.row.id, body.cron)
    return {"name": name, "cron": body.cron}


@router.get(DEPLOYMENT + "/monitoring")
def monitoring(named: OneDeployment, page: Paged) -> dict[str, Any]:
    """What the comparisons found, the newest first."""
    with named.door.plane.database.read() as session:
        named.door.may("monitor.read", deployment_target(session, named.row))
        rows = session.scalars(select(DriftReport).where(DriftReport.deployment_id == named.row.id))
        return page_of(rows, page, lambda r: r.id, _drift)


def _facts(session: Session, row: Deployment) -> dict[str, Any]:
    version = session.get_one(ModelVersion, row.model_version_id)
    environment = session.get_one(Environment, row.environment_id)
    answered, scored = session.execute(
        select(func.count(), func.coalesce(func.sum(Decision.rows), 0)).where(Decision.deployment_id == row.id)
    ).one()
    return {
        "id": row.id,
        "name": row.name,
        "environment": environment.name,
        "production": environment.production,
        "model": session.get_one(Model, version.model_id).name,
        "version": version.number,
        "status": row.status,
        "author": names_of(session).get(row.author_id, row.author_id),
        "decisions": answered,
        "rows": scored,
        "endpoint": f"/v2/models/{row.name}/infer",
        "created": moment(row.created),
        "retired": moment(row.retired_at),
    }


def _drift(row: DriftReport) -> dict[str, Any]:
    return {
        "id": row.id,
        "job": row.job_id,
        "state": row.state,
        "verdict": row.verdict,
        "reason": row.reason,
        "reference_rows": row.reference_rows,
        "served_rows": row.served_rows,
        "features": row.features,
        "window_start": moment(row.window_start),
        "window_end": moment(row.window_end),
        "created": moment(row.created),
    }
