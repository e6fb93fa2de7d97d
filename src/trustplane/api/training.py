"""Runs."""

import base64
import binascii
from dataclasses import asdict
from typing import Any

import msgspec
from fastapi import APIRouter, status
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Paged, listed, moment, names_of, page_of
from trustplane.training.accounting import by_author, totals
from trustplane.training.cancelling import cancel_run
from trustplane.training.following import SILENCE, Said, follow_log
from trustplane.training.manifest import Cluster, manifest
from trustplane.training.profiles import PROFILES, USUAL, find_profile
from trustplane.training.repetition import repeat_run, repetitions_of
from trustplane.training.runs import detail_of, find_run, open_output, run_target, series_of, start_run
from trustplane.training.sandboxes.contract import Limits
from trustplane.training.spec import RunSpec
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput

router = APIRouter(prefix=PREFIX, tags=["training"], responses=PROBLEMS)
_USED = ("wall_seconds", "cpu_seconds", "peak_memory_bytes", "output_bytes")


class RunLimits(BaseModel):
    """What a run may use; what is left out is as the profile says."""

    memory_bytes: int | None = None
    processes: int | None = None
    threads: int | None = None
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    output_bytes: int | None = None
    output_files: int | None = None


class Git(BaseModel):
    """The working tree that the script came from."""

    commit: str
    dirty: bool


class NewRun(BaseModel):
    """A run to be started. ``files`` are the files of the code by relative path, in base64; the script is one of them."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"script": "train.py", "files": {"train.py": "cHJpbnQoMSkK"}, "views": ["training"], "seed": 7}
            ]
        }
    }
    script: str
    files: dict[str, str]
    views: list[str] = Field(default=[], max_length=50)
    parameters: dict[str, str | bool | int | float] = {}
    seed: int = 0
    limits: RunLimits = RunLimits()
    git: Git | None = None
    sandbox: str = "sandlock"
    reason: str = ""
    kind: str = "script"
    entry: str = ""
    profile: str = USUAL


class ClusterRun(NewRun):
    """A run for a cluster."""

    image: str
    namespace: str = "trustplane-runs"
    name: str = "run"
    claim: str = ""


class Verify(BaseModel):
    """How far metrics may lie apart, as a share of their first value."""

    tolerance: float = 0.0


@router.get("/projects/{project}/runs")
def runs(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The runs of a project."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        found = session.scalars(select(Run).where(Run.project_id == row.id))
        rows = [r for r in found if door.visible("run.read", run_target(r))]
        names = names_of(session)
        return page_of(rows, page, lambda r: r.id, lambda r: run_summary(r, names))


@router.post("/projects/{project}/runs", status_code=status.HTTP_201_CREATED)
def post_run(project: str, body: NewRun, door: Asked) -> dict[str, Any]:
    """Start a run in the sandbox; its job has the run's id."""
    spec = _spec(body)
    made = door.once(body.model_dump(), lambda key: start_run(door.plane, door.actor, project, spec, key))
    with door.plane.database.read() as session:
        row = session.get_one(Run, made)
        return {**run_summary(row, names_of(session)), "job": row.job_id}


@router.get("/projects/{project}/runs/{run}")
def run(project: str, run: str, door: Asked) -> dict[str, Any]:
    """A run, with everything that made it so."""
    with door.plane.database.read() as session:
        row = find_run(session, door.project(session, project).id, run)
        door.may("run.read", run_target(row))
        return {
            **run_summary(row, names_of(session)),
            "code": row.code,
            "parameters": row.parameters,
            "git": row.git,
            "environment": row.environment,
            "limits": row.limits,
            "reason": row.reason,
            "inputs": row.inputs,
            "outputs": row.outputs,
            **_said(session, row),
        }


def _said(session: Session, row: Run) -> dict[str, Any]:
    """How it is run, what it logged, and its repetitions."""
    detail = detail_of(session, row.id)
    return {
        "kind": detail.kind,
        "entry": detail.entry,
        "profile": detail.profile,
        "logged": detail.logged,
        "series": {name: len(points["steps"]) for name, points in series_of(session, row.id).items()},
        "repeats": detail.repeats or None,
        "comparison": detail.comparison or None,
        "repetitions": [
            {"id": again.id, "state": again.state, "ended": again.ended, "comparison": said.comparison or None}
            for again, said in repetitions_of(session, row.id)
        ],
    }


@router.get("/projects/{project}/runs/{run}/series")
def series(project: str, run: str, door: Asked) -> dict[str, Any]:
    """The metrics that a run logged, by step: for each three lists, ``steps``, ``values`` and ``times``."""
    with door.plane.database.read() as session:
        row = find_run(session, door.project(session, project).id, run)
        door.may("run.read", run_target(row))
        return {"series": series_of(session, row.id)}


@router.get("/projects/{project}/runs/{run}/log", response_class=StreamingResponse)
def log(project: str, run: str, door: Asked) -> StreamingResponse:
    """What a run prints, from its beginning until it ends, a JSON object a line: ``stream`` and ``text``. The opening is recorded.

    An empty line says that the run is still there and prints nothing.
    """
    parts = follow_log(door.plane, door.actor, project, run)
    lines = (b"\n" if said is SILENCE else _line(said) for said in parts)
    return StreamingResponse(lines, media_type="application/x-ndjson")


def _line(said: Said) -> bytes:
    return msgspec.json.encode({"stream": said.stream, "text": said.text}) + b"\n"


@router.post("/projects/{project}/runs/{run}/cancel")
def cancel(project: str, run: str, door: Asked) -> dict[str, Any]:
    """Take a run back: its script is ended, and the run has failed."""
    status = cancel_run(door.plane, door.actor, project, run)
    return {"id": run, "state": str(status.state)}


@router.post("/projects/{project}/runs/{run}/verify", status_code=status.HTTP_201_CREATED)
def verify(project: str, run: str, body: Verify, door: Asked) -> dict[str, Any]:
    """Run it again as it was, and compare what comes out. The repetition is a run of its own, and its comparison is evidence."""
    plane, actor = door.plane, door.actor
    made = door.once(body.model_dump(), lambda key: repeat_run(plane, actor, project, run, body.tolerance, key))
    with plane.database.read() as session:
        row = session.get_one(Run, made)
        return {**run_summary(row, names_of(session)), "job": row.job_id, "repeats": run}


@router.get("/projects/{project}/run-usage")
def usage(project: str, door: Asked) -> dict[str, Any]:
    """What the runs of a project used: in all, and by author."""
    with door.plane.database.read() as session:
        found = session.scalars(select(Run).where(Run.project_id == door.project(session, project).id)).all()
        rows = [row for row in found if door.visible("run.read", run_target(row))]
        names = names_of(session)
        authors = [{"author": names.get(one, one), **asdict(used)} for one, used in by_author(rows).items()]
        return {"total": asdict(totals(rows)), "authors": authors}


@router.get("/run-profiles")
def profiles(_: Asked) -> dict[str, Any]:
    """The profiles of the sandbox: the most that a run may use."""
    return listed({"name": p.name, "title": p.title, "cards": p.cards, **asdict(p.limits)} for p in PROFILES.values())


@router.post("/projects/{project}/run-manifest", response_class=PlainTextResponse)
def run_manifest(project: str, body: ClusterRun, door: Asked) -> PlainTextResponse:
    """A run as a Kubernetes Job with the same limits, in YAML. Nothing is started."""
    with door.plane.database.read() as session:
        door.project(session, project)
    cluster = Cluster(body.image, body.namespace, body.name, body.claim)
    return PlainTextResponse(manifest(_spec(body), cluster), media_type="application/yaml")


def _spec(body: NewRun) -> RunSpec:
    asked = {name: value for name, value in body.limits.model_dump().items() if value is not None}
    bounds = asdict(find_profile(body.profile).limits)
    return RunSpec(
        script=body.script,
        files=_files(body.files),
        views=tuple(dict.fromkeys(body.views)),
        parameters=body.parameters,
        seed=body.seed,
        limits=Limits(**{**bounds, **asked}),
        git={} if body.git is None else body.git.model_dump(),
        sandbox=body.sandbox,
        reason=body.reason,
        kind=body.kind,
        entry=body.entry,
        profile=body.profile,
    )


@router.get("/projects/{project}/runs/{run}/outputs/{path:path}", response_class=StreamingResponse)
def output(project: str, run: str, path: str, door: Asked) -> StreamingResponse:
    """An output of a run; ``log`` is what it printed. The opening is recorded."""
    media = "application/json" if path == "log" else "application/octet-stream"
    return StreamingResponse(open_output(door.plane, door.actor, project, run, path), media_type=media)


def _files(encoded: dict[str, str]) -> dict[str, bytes]:
    return {name: decoded(text) for name, text in encoded.items()}


def decoded(text: str) -> bytes:
    """A file that was sent along."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("TP-RUN-011", "a file of code is not base64") from None


def run_summary(row: Run, names: dict[str, str]) -> dict[str, Any]:
    """A run in lists."""
    return {
        "id": row.id,
        "script": row.script,
        "state": row.state,
        "author": names.get(row.author_id, row.author_id),
        "job": row.job_id,
        "seed": row.seed,
        "sandbox": row.sandbox,
        "views": list(row.inputs),
        "metrics": row.metrics,
        "used": {name: row.environment[name] for name in _USED if name in row.environment},
        "ended": row.ended,
        "created": moment(row.created),
        "finished": moment(row.finished),
    }
