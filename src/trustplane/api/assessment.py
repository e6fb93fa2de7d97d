"""Assessments of model versions: asking for one, the first suite, comparisons, the trend over versions, the report, and reasons of decisions."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, status
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, listed, moment
from trustplane.api.release import VERSION, Named, OneVersion, ShownVersion
from trustplane.assessment.changed import changes_of
from trustplane.assessment.checks.registry import installed_checks
from trustplane.assessment.comparing import caveat_of, compare
from trustplane.assessment.drafting import draft_suite
from trustplane.assessment.evidence import MOST_ROWS as MOST_ROWS_KEPT
from trustplane.assessment.evidence import evidence_facts, open_evidence, read_evidence
from trustplane.assessment.report import assessment_facts, document, render, with_rows
from trustplane.assessment.service import assessments_of, find_assessment, start_assessment
from trustplane.assessment.tables import Assessment
from trustplane.assessment.telling import MOST_ROWS, explain_rows
from trustplane.assessment.threats import proposal
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.target import Target
from trustplane.release.catalog import find_model, find_version, model_target
from trustplane.release.registration import assessment_subject
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.threats.service import newest_threats, threat_target
from trustplane.values.errors import NotFound

router = APIRouter(prefix=PREFIX, tags=["assessment"], responses=PROBLEMS)
MODEL = "/projects/{project}/models/{model}"
EVIDENCE = "/projects/{project}/assessments/{assessment}/evidence"


class NewAssessment(BaseModel):
    """An assessment to be made; ``suite`` overrides thresholds and settings of checks by name."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    suite: dict[str, Any] = {}


class RowsToExplain(BaseModel):
    """Rows whose decisions are to be explained: each feature by its name, null where it is missing.

    With ``counterfactual`` also what would turn unfavourable ones, within the threat model.
    """

    rows: list[dict[str, float | None]] = Field(min_length=1, max_length=MOST_ROWS)
    counterfactual: bool = False


@router.post(VERSION + "/assessments", status_code=status.HTTP_201_CREATED)
def assess(named: OneVersion, body: NewAssessment) -> dict[str, Any]:
    """Measure a version on its hold-out; a job does it."""
    subject = assessment_subject(named.door.plane, named.version)
    made = named.door.once(
        body.model_dump(),
        lambda key: start_assessment(named.door.plane, named.door.actor, subject, body.seed, body.suite, key),
    )
    with named.door.plane.database.read() as session:
        return assessment_facts(session.get_one(Assessment, made))


@router.get(VERSION + "/assessments")
def assessments(named: ShownVersion) -> dict[str, Any]:
    """The assessments of a version, the newest first."""
    with named.door.plane.database.read() as session:
        _may_read(session, named)
        return listed(assessment_facts(a) for a in assessments_of(session, named.version.id))


@router.post(VERSION + "/reasons")
def reasons(named: OneVersion, body: RowsToExplain) -> dict[str, Any]:
    """What the version decides about rows, and the principal reasons where that is unfavourable. That it was asked is recorded, the rows are not."""
    subject = assessment_subject(named.door.plane, named.version)
    return explain_rows(named.door.plane, named.door.actor, subject, body.rows, counterfactual=body.counterfactual)


@router.get(VERSION + "/suite", response_class=PlainTextResponse)
def suite(named: ShownVersion) -> PlainTextResponse:
    """The first suite for a version, as TOML: every rule with its default and where that comes from."""
    with named.door.plane.database.read() as session:
        name = session.get_one(Model, named.version.model_id).name
        features = [str(f["name"]) for f in named.version.interface.get("features", [])]
        kept = newest_threats(session, named.version.project_id)
        seen = [row for row in kept if named.door.visible("threat.read", threat_target(row))]
        text = draft_suite(name, features, installed_checks(), proposal(seen, name, features))
    return PlainTextResponse(text, media_type="application/toml")


@router.get(VERSION + "/assessments/{assessment}/report", response_class=Response)
def report(
    named: ShownVersion,
    assessment: str,
    format: Literal["json", "html"] = "html",  # noqa: A002 - the parameter's public name
    rows: bool = False,
) -> Response:
    """An assessment as one document: a page that stands alone and prints well, or JSON for machines.

    With ``rows`` it shows the first rows that are kept sealed as evidence; that they were opened is recorded.
    """
    plane, actor = named.door.plane, named.door.actor
    with named.door.plane.database.read() as session:
        _may_read(session, named)
        row = find_assessment(session, named.version.project_id, assessment)
        if row.model_version_id != named.version.id:
            raise NotFound("TP-ASSESS-006", f"there is no assessment {assessment[:64]!r} of this version")
        name = session.get_one(Model, named.version.model_id).name
        target = model_target(session, named.version)
        kept = [each["name"] for each in evidence_facts(session, row.id) if each["destroyed"] is None]
        body = document(f"{name} {named.version.number}", assessment_facts(row), row, installed_checks())
    if rows and kept:
        body = with_rows(body, open_evidence(plane, actor, row, target, kept))
    if format == "json":
        return Response(msgspec.json.encode(body), media_type="application/json")
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
    link = "?rows=true" if kept and not rows and named.door.visible("assessment.open", target) else ""
    return HTMLResponse(render(body, link), headers=headers)


@router.get(EVIDENCE)
def evidence(project: str, assessment: str, door: Asked) -> dict[str, Any]:
    """What an assessment keeps sealed, by name: how many rows, and their digest. No row is opened."""
    with door.plane.database.read() as session:
        row, target = _found(session, project, assessment)
        door.may("assessment.read", target)
        return listed(evidence_facts(session, row.id))


@router.get(EVIDENCE + "/{name}", response_class=Response)
def evidence_rows(
    project: str,
    assessment: str,
    name: str,
    door: Asked,
    format: Literal["parquet", "json"] = "parquet",  # noqa: A002 - the parameter's public name
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS_KEPT)] = MOST_ROWS_KEPT,
) -> Response:
    """Rows that a check left as evidence: the Parquet file, or as JSON what changed in each of the first. The opening is recorded."""
    with door.plane.database.read() as session:
        row, target = _found(session, project, assessment)
    parquet = open_evidence(door.plane, door.actor, row, target, [name])[name]
    if format == "json":
        items = changes_of(read_evidence(parquet), limit)
        return Response(msgspec.json.encode(listed(items)), media_type="application/json")
    return Response(parquet, media_type="application/vnd.apache.parquet")


@router.get(VERSION + "/comparison")
def comparison(named: ShownVersion, against: Annotated[int, Query(ge=1)]) -> dict[str, Any]:
    """The newest assessment of a version beside that of another version, ``against`` first."""
    with named.door.plane.database.read() as session:
        _may_read(session, named)
        other = find_version(session, session.get_one(Model, named.version.model_id), against)
        named.door.may("assessment.read", model_target(session, other))
        rows = [_newest(session, v) for v in (other, named.version)]
        told = [{"holdout": r.holdout_digest, "suite": r.suite} for r in rows]
        made = compare(rows[0].results, rows[1].results, caveat_of(*told))
        return {
            "before": {"version": other.number, "assessment": rows[0].id},
            "after": {"version": named.version.number, "assessment": rows[1].id},
            "worse": list(made.worse),
            **msgspec.to_builtins(made),
        }


@router.get(MODEL + "/trend")
def trend(project: str, model: str, door: Asked) -> dict[str, Any]:
    """The newest assessment of each version of a model, the oldest version first: verdicts, figures and intervals."""
    with door.plane.database.read() as session:
        row = find_model(session, find_project(session, project).id, model)
        versions = session.scalars(
            select(ModelVersion).where(ModelVersion.model_id == row.id).order_by(ModelVersion.number)
        )
        seen = [v for v in versions if door.visible("assessment.read", model_target(session, v))]
        return listed(_point(v, done[0]) for v in seen if (done := _done(session, v)))


def _point(version: ModelVersion, row: Assessment) -> dict[str, Any]:
    return {
        "version": version.number,
        "assessment": row.id,
        "finished": None if row.finished is None else moment(row.finished),
        "results": row.results,
    }


def _found(session: Session, project: str, assessment: str) -> tuple[Assessment, Target]:
    row = find_assessment(session, find_project(session, project).id, assessment)
    return row, model_target(session, session.get_one(ModelVersion, row.model_version_id))


def _may_read(session: Session, named: Named) -> None:
    named.door.may("assessment.read", model_target(session, named.version))


def _done(session: Session, version: ModelVersion) -> list[Assessment]:
    return [a for a in assessments_of(session, version.id) if a.state == "done"]


def _newest(session: Session, version: ModelVersion) -> Assessment:
    done = _done(session, version)
    if not done:
        raise NotFound("TP-ASSESS-006", f"version {version.number} has no assessment that has ended")
    return done[0]
