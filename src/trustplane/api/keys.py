"""Keys: what there is, turning the root, destroying."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Paged, moment, page_of
from trustplane.kernel.target import Target
from trustplane.kernel.vault.destroying import destroy_key
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import NotFound

router = APIRouter(prefix=PREFIX, tags=["keys"], responses=PROBLEMS)


class Destruction(BaseModel):
    """Why a key is destroyed."""

    reason: str = Field(min_length=1, max_length=2000)


def key_target(row: VaultKey) -> Target:
    """A key as policy sees it."""
    return Target("Key", row.id, project=row.project_id, attributes={"held": False})


@router.get("/keys")
def keys(door: Asked, page: Paged, project: str | None = None) -> dict[str, Any]:
    """The keys of the plane or of a project: what each protects, and whether it still can. Never the keys themselves."""
    with door.plane.database.read() as session:
        query = select(VaultKey)
        if project is not None:
            query = query.where(VaultKey.project_id == door.project(session, project).id)
        rows = [row for row in session.scalars(query) if door.visible("key.read", key_target(row))]
        return page_of(rows, page, lambda r: r.id, _key)


@router.post("/keys/rotation")
def rotate(door: Asked) -> dict[str, Any]:
    """Put every key under a new root. Data is not touched."""
    return {"root": door.plane.rotate_root(door.actor)}


@router.post("/keys/{key}/destruction")
def destruction(key: str, body: Destruction, door: Asked) -> dict[str, Any]:
    """Destroy a key and all below it: what they protect can never be read again, not from any copy or backup."""
    with door.plane.database.read() as session:
        target = key_target(_find(session, key))
    certificate, receipt = destroy_key(door.plane, door.actor, target, body.reason)
    return {**certificate, "receipt": receipt}


def _find(session: Session, key: str) -> VaultKey:
    row = session.get(VaultKey, key)
    if row is None:
        raise NotFound("TP-VAULT-007", f"there is no key {key[:64]!r}")
    return row


def _key(row: VaultKey) -> dict[str, Any]:
    return {
        "id": row.id,
        "purpose": row.purpose,
        "subject": row.subject,
        "class": row.sensitivity,
        "project": row.project_id,
        "parent": row.parent_id,
        "state": "live" if row.wrapped is not None else "destroyed",
        "created": moment(row.created),
        "destroyed": moment(row.destroyed_at),
    }
