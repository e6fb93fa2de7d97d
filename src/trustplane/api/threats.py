"""Threat models that a project keeps."""

from typing import Any

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Door, listed, moment, names_of
from trustplane.assessment.tables import Assessment
from trustplane.assessment.threats import assessments_by, robustness_of
from trustplane.release.catalog import model_target
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.tables import KeptThreat
from trustplane.training.threats.comparing import compare_threats
from trustplane.training.threats.parsing import MOST_BYTES
from trustplane.training.threats.service import (
    find_threat,
    keep_threat,
    kept_facts,
    newest_threats,
    parse_reference,
    read_kept,
    threat_target,
    versions_of,
)
from trustplane.training.threats.telling import plain

router = APIRouter(prefix=PREFIX, tags=["threats"], responses=PROBLEMS)


class NewThreat(BaseModel):
    """A threat model as TOML, and the name that it is kept under."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "credit",
                    "text": "budget = { distance = 0.5 }\nfeatures = { debt = { low = 0, high = 9 } }\n",
                }
            ]
        }
    }
    name: str
    text: str = Field(max_length=MOST_BYTES)


@router.get("/projects/{project}/threats")
def threats(project: str, door: Asked) -> dict[str, Any]:
    """The newest version of each threat model of a project, the one that was kept last first."""
    with door.plane.database.read() as session:
        found = newest_threats(session, door.project(session, project).id)
        names = names_of(session)
        return listed(kept_facts(row, names) for row in found if door.visible("threat.read", threat_target(row)))


@router.post("/projects/{project}/threats", status_code=status.HTTP_201_CREATED)
def post_threat(project: str, body: NewThreat, door: Asked) -> dict[str, Any]:
    """Keep a threat model as the next version of its name. A text that the newest version has already makes no ``new`` one."""
    new = False

    def keep(key: Any) -> str:
        nonlocal new
        made = keep_threat(door.plane, door.actor, project, body.name, body.text, key)
        new = made.new
        return made.id

    made = door.once(body.model_dump(), keep)
    with door.plane.database.read() as session:
        return kept_facts(session.get_one(KeptThreat, made), names_of(session)) | {"new": new}


@router.get("/projects/{project}/threats/{threat}")
def threat(project: str, threat: str, door: Asked) -> dict[str, Any]:
    """A version, named ``NAME@NUMBER``, or the newest of ``NAME``: what it says, the other versions, and the assessments that went by it."""
    with door.plane.database.read() as session:
        row = _one(session, door, project, threat)
        names = names_of(session)
        versions = [v for v in versions_of(session, row.project_id, row.name) if v.id == row.id or _seen(door, v)]
        return {
            **kept_facts(row, names),
            "text": row.text,
            "model": plain(read_kept(row)),
            "versions": [kept_facts(v, names) for v in versions],
            "assessments": [
                facts
                for each in assessments_by(session, row.project_id, row.digest)
                if (facts := _assessment(session, door, each)) is not None
            ],
        }


@router.get("/projects/{project}/threats/{threat}/comparison")
def comparison(project: str, threat: str, against: str = Query(max_length=100), *, door: Asked) -> dict[str, Any]:
    """What differs between two versions, ``against`` first: each difference, and whether it lets the attacker do more or less."""
    with door.plane.database.read() as session:
        before, after = (_one(session, door, project, named) for named in (against, threat))
        names = names_of(session)
        found = compare_threats(read_kept(before), read_kept(after))
        return {
            "before": kept_facts(before, names),
            "after": kept_facts(after, names),
            "differences": [
                {
                    "part": d.part,
                    "name": d.name,
                    "field": d.field,
                    "before": d.before,
                    "after": d.after,
                    "effect": str(d.effect),
                }
                for d in found
            ],
        }


def _one(session: Session, door: Door, project: str, named: str) -> KeptThreat:
    row = find_threat(session, door.project(session, project).id, parse_reference(named))
    door.may("threat.read", threat_target(row))
    return row


def _seen(door: Door, row: KeptThreat) -> bool:
    return door.visible("threat.read", threat_target(row))


def _assessment(session: Session, door: Door, row: Assessment) -> dict[str, Any] | None:
    """An assessment that went by it, where the actor may see it."""
    version = session.get(ModelVersion, row.model_version_id)
    if version is None or not door.visible("assessment.read", model_target(session, version)):
        return None
    return {
        "id": row.id,
        "model": session.get_one(Model, version.model_id).name,
        "version": version.number,
        "state": row.state,
        "robustness": robustness_of(row),
        "created": moment(row.created),
    }
