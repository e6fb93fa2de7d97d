"""Models: registering, signing, the gate, approvals and waivers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, status
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Door, Paged, moment, names_of, page_of
from trustplane.assessment.report import assessment_facts
from trustplane.assessment.service import assessments_of
from trustplane.kernel.controls.tables import FindingRow
from trustplane.kernel.identity.scopes import find_project
from trustplane.release.approval import approve, reject
from trustplane.release.catalog import find_model, find_version, model_target
from trustplane.release.gate import evaluate_gate
from trustplane.release.opening import open_model
from trustplane.release.registration import register_version
from trustplane.release.signing import public_pem, sign_version
from trustplane.release.tables import Approval, Model, ModelVersion, Waiver
from trustplane.release.waivers import find_waiver, grant_waiver, request_waiver
from trustplane.values.outcomes import Passed

router = APIRouter(prefix=PREFIX, tags=["release"], responses=PROBLEMS)
VERSION = "/projects/{project}/models/{model}/versions/{number}"


class NewVersion(BaseModel):
    """A model version to be registered from an output of a run."""

    run: str
    artifact: str = "model.onnx"


class NewApproval(BaseModel):
    """A reviewer's word."""

    decision: Literal["approved", "rejected"] = "approved"
    reason: str = Field(max_length=2000)


class NewWaiver(BaseModel):
    """A waiver to be asked for."""

    control: str
    reason: str = Field(max_length=2000)
    days: float = Field(default=30, gt=0, le=180)


@dataclass(frozen=True, slots=True)
class Named:
    """A model version that a path names."""

    door: Door
    version: ModelVersion


def _named(project: str, model: str, number: int, door: Asked) -> Named:
    with door.plane.database.read() as session:
        return Named(door, find_version(session, find_model(session, find_project(session, project).id, model), number))


def _shown(named: Annotated[Named, Depends(_named)]) -> Named:
    with named.door.plane.database.read() as session:
        named.door.may("model.read", model_target(session, named.version))
    return named


OneVersion = Annotated[Named, Depends(_named)]
"""A version that an operation is about: the operation itself decides."""
ShownVersion = Annotated[Named, Depends(_shown)]
"""A version that the actor may look at."""


@router.get("/signing-key", response_class=PlainTextResponse)
def signing_key(door: Asked) -> str:
    """The public key that verifies the signatures of models, as PEM."""
    return public_pem(door.plane)


@router.get("/projects/{project}/models")
def models(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The models of a project, each with its newest version."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        found = session.scalars(select(Model).where(Model.project_id == row.id)).all()
        rows = [(m, find_version(session, m)) for m in found]
        seen = [(m, v) for m, v in rows if door.visible("model.read", model_target(session, v))]
        names = names_of(session)
        return page_of(
            seen, page, lambda r: r[0].id, lambda r: {"id": r[0].id, "name": r[0].name, "newest": _summary(r[1], names)}
        )


@router.get("/projects/{project}/models/{model}")
def model(project: str, model: str, door: Asked) -> dict[str, Any]:
    """A model with its versions."""
    with door.plane.database.read() as session:
        row = find_model(session, door.project(session, project).id, model)
        versions = session.scalars(
            select(ModelVersion).where(ModelVersion.model_id == row.id).order_by(ModelVersion.number.desc())
        )
        names = names_of(session)
        seen = [_summary(v, names) for v in versions if door.visible("model.read", model_target(session, v))]
        return {"id": row.id, "name": row.name, "created": moment(row.created), "versions": seen}


@router.post("/projects/{project}/models/{model}/versions", status_code=status.HTTP_201_CREATED)
def post_version(project: str, model: str, body: NewVersion, door: Asked) -> dict[str, Any]:
    """Register an output of a run as the next version of a model. Only safe formats are admitted, judged by content."""
    made = door.once(
        body.model_dump(),
        lambda key: register_version(door.plane, door.actor, project, model, body.run, body.artifact, key),
    )
    with door.plane.database.read() as session:
        return _summary(session.get_one(ModelVersion, made), names_of(session))


@router.get(VERSION)
def version(named: ShownVersion) -> dict[str, Any]:
    """A model version with all that was found and decided about it."""
    with named.door.plane.database.read() as session:
        return _whole(session, named.version)


@router.get(VERSION + "/artifact", response_class=StreamingResponse)
def artifact(named: OneVersion) -> StreamingResponse:
    """The artifact itself. The opening is recorded."""
    chunks = open_model(named.door.plane, named.door.actor, named.version)
    return StreamingResponse(chunks, media_type="application/octet-stream")


@router.post(VERSION + "/signature", status_code=status.HTTP_201_CREATED)
def sign(named: OneVersion) -> dict[str, Any]:
    """Sign a version: an in-toto Statement in a DSSE envelope."""
    return sign_version(named.door.plane, named.door.actor, named.version)


@router.post(VERSION + "/gate")
def gate(named: OneVersion) -> dict[str, Any]:
    """Ask the gate whether the version may be approved."""
    result = evaluate_gate(named.door.plane, named.door.actor, named.version)
    return {
        "passed": isinstance(result.verdict, Passed),
        "reason": result.verdict.reason,
        "remedy": "" if isinstance(result.verdict, Passed) else result.verdict.remedy,
        "evaluation_id": result.evaluation_id,
        "findings": [msgspec.to_builtins(f) for f in result.findings],
    }


@router.post(VERSION + "/approvals", status_code=status.HTTP_201_CREATED)
def decide(named: OneVersion, body: NewApproval) -> dict[str, Any]:
    """Approve or reject a version. The author cannot; the gate must be open to approve."""
    plane, actor = named.door.plane, named.door.actor
    receipt = None
    if body.decision == "approved":
        receipt = approve(plane, actor, named.version, body.reason)
    else:
        reject(plane, actor, named.version, body.reason)
    with plane.database.read() as session:
        row = session.get_one(ModelVersion, named.version.id)
        return {**_summary(row, names_of(session)), "decision": body.decision, "receipt": receipt}


@router.post(VERSION + "/waivers", status_code=status.HTTP_201_CREATED)
def ask_waiver(named: OneVersion, body: NewWaiver) -> dict[str, Any]:
    """Ask for leave to pass the gate although a control does not."""
    made = named.door.once(
        body.model_dump(),
        lambda _key: request_waiver(
            named.door.plane, named.door.actor, named.version, body.control, body.reason, timedelta(days=body.days)
        ),
    )
    with named.door.plane.database.read() as session:
        return _waiver(find_waiver(session, made), names_of(session))


@router.post("/waivers/{waiver}/grant")
def grant(waiver: str, door: Asked) -> dict[str, Any]:
    """Grant a waiver."""
    receipt = grant_waiver(door.plane, door.actor, waiver)
    with door.plane.database.read() as session:
        return {**_waiver(find_waiver(session, waiver), names_of(session)), "receipt": receipt}


def _summary(row: ModelVersion, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "status": row.status,
        "author": names.get(row.author_id, row.author_id),
        "run": row.run_id,
        "format": row.format,
        "size": row.size,
        "sha256": row.sha256,
        "signed": bool(row.signature),
        "created": moment(row.created),
    }


def _whole(session: Session, row: ModelVersion) -> dict[str, Any]:
    names = names_of(session)
    newest: dict[str, FindingRow] = {}
    for finding in session.scalars(select(FindingRow).where(FindingRow.subject_id == row.id).order_by(FindingRow.id)):
        newest[finding.control] = finding
    approvals = session.scalars(select(Approval).where(Approval.model_version_id == row.id).order_by(Approval.id))
    waivers = session.scalars(select(Waiver).where(Waiver.model_version_id == row.id).order_by(Waiver.id))
    return {
        **_summary(row, names),
        "model": session.get_one(Model, row.model_id).name,
        "interface": row.interface,
        "signature": row.signature,
        "approvals": [
            {
                "reviewer": names.get(a.reviewer_id, a.reviewer_id),
                "decision": a.decision,
                "reason": a.reason,
                "created": moment(a.created),
            }
            for a in approvals
        ],
        "waivers": [_waiver(w, names) for w in waivers],
        "findings": [finding_facts(f) for f in newest.values()],
        "assessments": [assessment_facts(a) for a in assessments_of(session, row.id)],
    }


def finding_facts(row: FindingRow) -> dict[str, Any]:
    """A kept finding as every route answers it."""
    return {
        "control": row.control,
        "subject": {"kind": row.subject_kind, "id": row.subject_id, "label": row.subject_label},
        "status": row.status,
        "severity": row.severity,
        "reason": row.reason,
        "remedy": row.remedy,
        "figures": row.figures,
        "evidence": row.evidence,
        "evaluated": moment(row.evaluated),
    }


def _waiver(row: Waiver, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "control": row.control,
        "reason": row.reason,
        "requester": names.get(row.requester_id, row.requester_id),
        "granted_by": None if row.granted_by is None else names.get(row.granted_by, row.granted_by),
        "expires": moment(row.expires),
        "created": moment(row.created),
    }
