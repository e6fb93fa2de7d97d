"""Data contracts, and the quarantine of versions that break them."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, moment
from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.contracts.contract import LONGEST, read_contract
from trustplane.data.contracts.service import (
    draft_for,
    quarantine_of,
    release_version,
    require_contract,
    set_contract,
    waiting,
)
from trustplane.data.tables import Dataset
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.identity.tables import Principal

router = APIRouter(prefix=PREFIX, tags=["contracts"], responses=PROBLEMS)


class NewContract(BaseModel):
    """A contract as TOML."""

    model_config = {"json_schema_extra": {"examples": [{"text": "[columns.age]\nat_least = 18\n"}]}}
    text: str = Field(max_length=LONGEST)


class Release(BaseModel):
    """Why a version is let out."""

    reason: str = Field(max_length=2000)


@router.get("/projects/{project}/datasets/{dataset}/contract")
def contract(project: str, dataset: str, door: Asked) -> dict[str, Any]:
    """The contract of a dataset, and the versions that wait in quarantine."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        held = require_contract(session, row)
        author = session.get(Principal, held.written_by)
        return {
            "text": held.text,
            "digest": read_contract(held.text).digest,
            "written_by": held.written_by if author is None else author.name,
            "written_at": moment(held.written_at),
            "quarantined": [v.number for v in waiting(session, row.id)],
        }


@router.get("/projects/{project}/datasets/{dataset}/contract/draft")
def draft(project: str, dataset: str, door: Asked) -> dict[str, Any]:
    """A contract that the newest version keeps: a start."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        return {"text": draft_for(session, row)}


@router.put("/projects/{project}/datasets/{dataset}/contract")
def put_contract(project: str, dataset: str, body: NewContract, door: Asked) -> dict[str, Any]:
    """Give a dataset a contract. Versions that come from now on are checked."""
    return {"digest": set_contract(door.plane, door.actor, project, dataset, body.text)}


@router.get("/projects/{project}/datasets/{dataset}/versions/{number}/report")
def version_report(project: str, dataset: str, number: int, door: Asked) -> dict[str, Any]:
    """What a version broke: rules and rows, counted from 1, no value."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        return _report(session, row, number)


@router.post("/projects/{project}/datasets/{dataset}/versions/{number}/release")
def post_release(project: str, dataset: str, number: int, body: Release, door: Asked) -> dict[str, Any]:
    """Let a version out of quarantine."""
    release_version(door.plane, door.actor, project, dataset, number, body.reason)
    with door.plane.database.read() as session:
        return _report(session, find_dataset(session, find_project(session, project).id, dataset), number)


def _report(session: Session, dataset: Dataset, number: int) -> dict[str, Any]:
    held = quarantine_of(session, find_version(session, dataset, number))
    if held is None:
        return {"state": "kept", "breaches": []}
    return {
        "state": "quarantined" if held.released_at is None else "released",
        "contract": held.report["contract"],
        "breaches": held.report["breaches"],
        "entered": moment(held.entered),
        "released_at": moment(held.released_at),
        "reason": held.reason or None,
    }
