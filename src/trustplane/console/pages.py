"""The pages of the console."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from trustplane.assessment.checks.registry import installed_checks
from trustplane.assessment.evidence import evidence_facts, open_evidence
from trustplane.assessment.picturing import trend
from trustplane.assessment.report import assessment_facts, document, render, with_rows
from trustplane.assessment.service import assessments_of
from trustplane.assessment.tables import Assessment
from trustplane.compliance.tables import Report
from trustplane.console.finding import find, latest_findings, names_of, posture_of
from trustplane.console.rendering import open_page, page
from trustplane.console.session import Looking, Viewer, check_origin, form_of, set_cookie
from trustplane.data.catalog import dataset_target, view_target
from trustplane.data.contracts.service import quarantine_of
from trustplane.data.poisoning.service import look_of
from trustplane.data.tables import Dataset, DatasetContract, DatasetVersion, View
from trustplane.kernel.identity.authentication import log_in
from trustplane.kernel.identity.principals import SESSION_LIFE, open_session, revoke_token
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Environment, Project
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import PLANE
from trustplane.monitoring.tables import DriftReport
from trustplane.release.catalog import model_target, related
from trustplane.release.tables import Approval, Model, ModelVersion, Waiver
from trustplane.serving.catalog import deployment_target
from trustplane.serving.tables import Decision, Deployment
from trustplane.training.runs import run_target
from trustplane.training.tables import Run
from trustplane.values.errors import NotFound, TrustplaneError

router = APIRouter(prefix="/console", include_in_schema=False, default_response_class=HTMLResponse)


# --- coming and going


@router.get("/login")
def login_form() -> Response:
    """The form to log in with."""
    return open_page("login.html", error=None, name="")


@router.post("/login")
async def login(request: Request) -> Response:
    """Log in with a password."""
    fields = await form_of(request)
    plane: Plane = request.app.state.plane
    address = request.client.host if request.client else "local"
    try:
        made = await run_in_threadpool(_logged_in, plane, fields.get("name", ""), fields.get("password", ""), address)
    except TrustplaneError as error:
        return open_page("login.html", error.status, error=error, name="")
    answer = RedirectResponse("/console/", 303)
    set_cookie(answer, request, made, int(SESSION_LIFE.total_seconds()))
    return answer


def _logged_in(plane: Plane, name: str, password: str, address: str) -> str:
    actor = log_in(plane.database, plane.token_key, name, password, address, plane.clock)
    return open_session(plane, actor).secret


@router.post("/logout")
def logout(viewer: Looking) -> Response:
    """End the session."""
    check_origin(viewer.request)
    revoke_token(viewer.plane, viewer.actor, viewer.actor.token_id or "")
    answer = RedirectResponse("/console/login", 303)
    set_cookie(answer, viewer.request, None)
    return answer


# --- pages


@router.get("/")
def posture(viewer: Looking) -> Response:
    """How the projects stand, by the newest finding of each control."""
    with viewer.plane.database.read() as session:
        projects = [p for p in session.scalars(select(Project).order_by(Project.name)) if _visible(viewer, p)]
        return page(
            viewer,
            "posture.html",
            projects=[posture_of(session, p) for p in projects],
            ledger=_ledger(viewer.plane),
        )


@router.get("/activity")
def activity(
    viewer: Looking, before: Annotated[str | None, Query(max_length=64)] = None, outcome: str | None = None
) -> Response:
    """The ledger as a feed, the newest first."""
    viewer.may("ledger.read", PLANE)
    found = viewer.plane.ledger.feed(before=before, limit=100)
    shown = [e for e in found if outcome in (None, "", e.leaf.outcome)]
    following = found[-1].leaf.id if len(found) == 100 else None
    with viewer.plane.database.read() as session:
        names = names_of(session)
    return page(
        viewer,
        "activity.html",
        events=shown,
        names=names,
        following=following,
        outcome=outcome or "",
        ledger=_ledger(viewer.plane),
    )


@router.get("/events/{event}")
def event(event: str, viewer: Looking) -> Response:
    """One event, with its payload and where it stands in the tree."""
    viewer.may("ledger.read", PLANE)
    found = viewer.plane.ledger.get(event)
    text = "" if found.payload is None else msgspec.json.format(msgspec.json.encode(found.payload), indent=2).decode()
    with viewer.plane.database.read() as session:
        names = names_of(session)
    return page(viewer, "event.html", event=found, payload=text, names=names)


@router.get("/events/{event}/receipt")
def receipt(event: str, viewer: Looking) -> Response:
    """The proof that the event is in the signed log."""
    viewer.may("ledger.read", PLANE)
    name = f"{event}.tlog-proof"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'} if event.replace("-", "").isalnum() else {}
    return PlainTextResponse(viewer.plane.ledger.receipt(event), headers=headers)


@router.get("/projects/{project}")
def project(project: str, viewer: Looking) -> Response:
    """What lies in a project."""
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("project.read", project_target(row))
        here = row.id
        datasets = [
            d
            for d in session.scalars(select(Dataset).where(Dataset.project_id == here).order_by(Dataset.name))
            if viewer.sees("dataset.read", dataset_target(session, d))
        ]
        views = [
            v
            for v in session.scalars(select(View).where(View.project_id == here).order_by(View.id.desc()))
            if viewer.sees("view.read", view_target(v))
        ]
        runs = [
            r
            for r in session.scalars(select(Run).where(Run.project_id == here).order_by(Run.id.desc()))
            if viewer.sees("run.read", run_target(r))
        ]
        versions = [
            v
            for v in session.scalars(
                select(ModelVersion).where(ModelVersion.project_id == here).order_by(ModelVersion.id.desc())
            )
            if viewer.sees("model.read", model_target(session, v))
        ]
        deployments = [
            d
            for d in session.scalars(
                select(Deployment).where(Deployment.project_id == here).order_by(Deployment.id.desc())
            )
            if viewer.sees("deployment.read", deployment_target(session, d))
        ]
        return page(
            viewer,
            "project.html",
            project=row,
            datasets=[(d, _newest(session, d)) for d in datasets],
            views=views,
            runs=runs,
            versions=[(v, session.get_one(Model, v.model_id)) for v in versions],
            deployments=[(d, session.get_one(Environment, d.environment_id)) for d in deployments],
            findings=latest_findings(session, here),
            reports=session.scalars(select(Report).where(Report.project_id == here).order_by(Report.id.desc())).all(),
            names=names_of(session),
            now=viewer.plane.clock.now(),
        )


@router.get("/datasets/{dataset}")
def dataset(dataset: str, viewer: Looking, version: int | None = None) -> Response:
    """A dataset: what it is for, its versions, and how each column is treated."""
    with viewer.plane.database.read() as session:
        row = find(session, Dataset, dataset)
        viewer.may("dataset.read", dataset_target(session, row))
        versions = session.scalars(
            select(DatasetVersion).where(DatasetVersion.dataset_id == row.id).order_by(DatasetVersion.number.desc())
        ).all()
        shown = next((v for v in versions if v.number == version), versions[0])
        views = session.scalars(select(View).where(View.dataset_id == row.id).order_by(View.id.desc())).all()
        return page(
            viewer,
            "dataset.html",
            dataset=row,
            project=session.get_one(Project, row.project_id),
            versions=versions,
            shown=shown,
            classes=Counter(shown.classes.values()).most_common(),
            quarantine={v.id: q for v in versions if (q := quarantine_of(session, v)) is not None},
            contract=session.get(DatasetContract, row.id),
            look=look_of(session, shown),
            views=[v for v in views if viewer.sees("view.read", view_target(v))],
            names=names_of(session),
            now=viewer.plane.clock.now(),
        )


@router.get("/models/{version}")
def model(version: str, viewer: Looking) -> Response:
    """A model version: evidence, findings, approvals."""
    with viewer.plane.database.read() as session:
        row = find(session, ModelVersion, version)
        viewer.may("model.read", model_target(session, row))
        return page(
            viewer,
            "model.html",
            version=row,
            model=session.get_one(Model, row.model_id),
            project=session.get_one(Project, row.project_id),
            assessments=_of(session, Assessment, Assessment.model_version_id == row.id),
            trend=_trend(session, row),
            approvals=_of(session, Approval, Approval.model_version_id == row.id),
            waivers=_of(session, Waiver, Waiver.model_version_id == row.id),
            deployments=_of(session, Deployment, Deployment.model_version_id == row.id),
            findings=latest_findings(session, row.project_id, [about.id for about in related(session, row)]),
            names=names_of(session),
        )


@router.get("/models/{version}/assessments/{assessment}")
def assessment(version: str, assessment: str, viewer: Looking, rows: bool = False) -> Response:
    """An assessment as the page that stands alone and prints well. With ``rows`` evidence is opened, on record."""
    with viewer.plane.database.read() as session:
        row = find(session, ModelVersion, version)
        viewer.may("assessment.read", model_target(session, row))
        held = find(session, Assessment, assessment)
        if held.model_version_id != row.id:
            raise NotFound("TP-ASSESS-006", f"there is no assessment {assessment[:64]!r} of this version")
        name = session.get_one(Model, row.model_id).name
        body = document(f"{name} {row.number}", assessment_facts(held), held, installed_checks())
        target = model_target(session, row)
        kept = [each["name"] for each in evidence_facts(session, held.id) if each["destroyed"] is None]
    if rows and kept:
        body = with_rows(body, open_evidence(viewer.plane, viewer.actor, held, target, kept))
    link = "?rows=true" if kept and not rows and viewer.sees("assessment.open", target) else ""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
    return HTMLResponse(render(body, link), headers=headers)


@router.get("/deployments/{deployment}")
def deployment(deployment: str, viewer: Looking) -> Response:
    """A deployment: what is served where, how much, and whether its inputs drift."""
    with viewer.plane.database.read() as session:
        row = find(session, Deployment, deployment)
        viewer.may("deployment.read", deployment_target(session, row))
        version = session.get_one(ModelVersion, row.model_version_id)
        decisions = _of(session, Decision, Decision.deployment_id == row.id)
        return page(
            viewer,
            "deployment.html",
            deployment=row,
            version=version,
            model=session.get_one(Model, version.model_id),
            project=session.get_one(Project, row.project_id),
            environment=session.get_one(Environment, row.environment_id),
            decisions=decisions[:20],
            answered=len(decisions),
            rows=sum(d.rows for d in decisions),
            drift=_of(session, DriftReport, DriftReport.deployment_id == row.id),
            findings=latest_findings(session, row.project_id, [row.id]),
            names=names_of(session),
        )


def _visible(viewer: Viewer, row: Project) -> bool:
    return viewer.sees("project.read", project_target(row))


def _of(session: Session, kind: Any, condition: Any) -> Sequence[Any]:
    return session.scalars(select(kind).where(condition).order_by(kind.id.desc())).all()


def _trend(session: Session, row: ModelVersion) -> str:
    """The area under the curve over the versions of the model, where several were assessed."""
    versions = session.scalars(
        select(ModelVersion).where(ModelVersion.model_id == row.model_id).order_by(ModelVersion.number)
    )
    points = []
    for version in versions:
        done = [a for a in assessments_of(session, version.id) if a.state == "done" and "performance" in a.results]
        if done and "auc" in done[0].results["performance"]["figures"]:
            result = done[0].results["performance"]
            points.append((version.number, result["figures"]["auc"], result["intervals"].get("auc")))
    return trend("Area under the curve", points) if len(points) > 1 else ""


def _newest(session: Session, row: Dataset) -> DatasetVersion | None:
    return session.scalar(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == row.id)
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    )


def _ledger(plane: Plane) -> dict[str, Any]:
    newest = plane.ledger.checkpoint()
    return {
        "size": 0 if newest is None else newest.size,
        "root": "" if newest is None else newest.root,
        "waiting": plane.ledger.waiting(),
    }
