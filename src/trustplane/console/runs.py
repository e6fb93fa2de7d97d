"""The pages of runs: the list, one run, what it printed, and where it stands in the lineage. Each has a twin in JSON."""

from typing import Any

import msgspec
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.compliance.lineage_graph import Graph, around, project_graph
from trustplane.console.drawing import curve, graph
from trustplane.console.finding import find, latest_findings, names_of
from trustplane.console.rendering import page
from trustplane.console.session import Looking, Viewer
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project
from trustplane.release.tables import ModelVersion
from trustplane.training.accounting import by_author, totals
from trustplane.training.repetition import repetitions_of
from trustplane.training.runs import LOG, detail_of, open_output, run_target, series_of
from trustplane.training.tables import Run, RunDetail
from trustplane.values.clock import rfc3339

router = APIRouter(prefix="/console", include_in_schema=False, default_response_class=HTMLResponse)
LINES = 500
"""Of each stream so many of the last lines are shown."""


@router.get("/projects/{project}/runs.json")
def runs_json(project: str, viewer: Looking) -> Response:
    """The list as data."""
    with viewer.plane.database.read() as session:
        return _json({"runs": [_facts(row, detail_of(session, row.id)) for row in _seen(session, viewer, project)[1]]})


@router.get("/projects/{project}/runs")
def runs(project: str, viewer: Looking) -> Response:
    """The runs of a project and what they used, the newest first."""
    with viewer.plane.database.read() as session:
        row, seen = _seen(session, viewer, project)
        return page(
            viewer,
            "runs.html",
            project=row,
            runs=[(r, detail_of(session, r.id)) for r in seen],
            total=totals(seen),
            authors=by_author(seen),
            names=names_of(session),
        )


@router.get("/runs/{run}.json")
def run_json(run: str, viewer: Looking) -> Response:
    """A run as data."""
    with viewer.plane.database.read() as session:
        row = _one(session, viewer, run)
        detail = detail_of(session, row.id)
        again = [
            {"run": r.id, "state": r.state, "comparison": d.comparison} for r, d in repetitions_of(session, row.id)
        ]
        told = {"logged": detail.logged, "series": series_of(session, row.id), "repetitions": again}
        return _json({**_facts(row, detail), "environment": row.environment, **told})


@router.get("/runs/{run}")
def run(run: str, viewer: Looking) -> Response:
    """A run: what went in, what came out, what it used, what made it so, and whether it can be repeated."""
    with viewer.plane.database.read() as session:
        row = _one(session, viewer, run)
        detail = detail_of(session, row.id)
        series = series_of(session, row.id)
        return page(
            viewer,
            "run.html",
            run=row,
            detail=detail,
            project=session.get_one(Project, row.project_id),
            versions=session.scalars(select(ModelVersion).where(ModelVersion.run_id == row.id)).all(),
            curves=[
                (name, curve(name, points), points)
                for name, points in series.items()
                if any(v is not None for v in points["values"])
            ],
            repetitions=repetitions_of(session, row.id),
            findings=latest_findings(session, row.project_id, [row.id]),
            may_open=viewer.sees("run.open", run_target(row)),
            names=names_of(session),
        )


@router.get("/runs/{run}/log")
def log(run: str, viewer: Looking) -> Response:
    """What the run printed, its last lines. It is governed content: that it was opened here is recorded."""
    with viewer.plane.database.read() as session:
        row = _one(session, viewer, run)
        project = session.get_one(Project, row.project_id)
    said: dict[str, str] = {}
    if row.log_blob is not None:
        whole = b"".join(open_output(viewer.plane, viewer.actor, project.name, row.id, LOG))
        said = msgspec.json.decode(whole, type=dict[str, str])
    tails = [(name, text.splitlines()[-LINES:], len(text.splitlines())) for name, text in said.items()]
    return page(viewer, "run_log.html", run=row, project=project, tails=tails)


@router.get("/runs/{run}/lineage.json")
def run_lineage_json(run: str, viewer: Looking) -> Response:
    """The lineage of a run as data."""
    return _json(_plain(_lineage_of(viewer, run)[2]))


@router.get("/runs/{run}/lineage")
def run_lineage(run: str, viewer: Looking) -> Response:
    """What a run was made of, and what was made of it."""
    row, project, shown = _lineage_of(viewer, run)
    return page(viewer, "lineage.html", project=project, run=row, picture=graph(shown, f"run:{row.id}"), graph=shown)


@router.get("/projects/{project}/lineage.json")
def lineage_json(project: str, viewer: Looking) -> Response:
    """The lineage of a project as data."""
    return _json(_plain(_lineage(viewer, project)[1]))


@router.get("/projects/{project}/lineage")
def lineage(project: str, viewer: Looking) -> Response:
    """What was made of what in a project."""
    row, shown = _lineage(viewer, project)
    return page(viewer, "lineage.html", project=row, run=None, picture=graph(shown), graph=shown)


def _lineage_of(viewer: Viewer, run: str) -> tuple[Run, Project, Graph]:
    with viewer.plane.database.read() as session:
        row = _one(session, viewer, run)
        whole = project_graph(session, row.project_id)
        return row, session.get_one(Project, row.project_id), around(whole, f"run:{row.id}")


def _lineage(viewer: Viewer, project: str) -> tuple[Project, Graph]:
    with viewer.plane.database.read() as session:
        row = find(session, Project, project)
        viewer.may("project.read", project_target(row))
        return row, project_graph(session, row.id)


def _plain(shown: Graph) -> dict[str, Any]:
    nodes = [{"kind": n.kind, "id": n.id, "label": n.label, "state": n.state} for n in shown.nodes.values()]
    return {"nodes": nodes, "edges": [{"from": a, "to": b} for a, b in sorted(shown.edges)]}


def _one(session: Session, viewer: Viewer, run: str) -> Run:
    row: Run = find(session, Run, run)
    viewer.may("run.read", run_target(row))
    return row


def _seen(session: Session, viewer: Viewer, project: str) -> tuple[Project, list[Run]]:
    row = find(session, Project, project)
    viewer.may("project.read", project_target(row))
    found = session.scalars(select(Run).where(Run.project_id == row.id).order_by(Run.id.desc()))
    return row, [r for r in found if viewer.sees("run.read", run_target(r))]


def _facts(row: Run, detail: RunDetail) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": detail.kind,
        "script": row.script,
        "entry": detail.entry,
        "profile": detail.profile,
        "state": row.state,
        "ended": row.ended,
        "author": row.author_id,
        "code": row.code,
        "seed": row.seed,
        "parameters": row.parameters,
        "inputs": row.inputs,
        "outputs": row.outputs,
        "metrics": row.metrics,
        "limits": row.limits,
        "repeats": detail.repeats or None,
        "created": rfc3339(row.created),
        "finished": None if row.finished is None else rfc3339(row.finished),
    }


def _json(facts: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(facts), media_type="application/json", headers={"Cache-Control": "no-store"})
