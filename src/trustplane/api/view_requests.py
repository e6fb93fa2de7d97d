"""Asking for views, and deciding."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, listed, moment
from trustplane.api.data import NewView, spec_of
from trustplane.data.catalog import dataset_target
from trustplane.data.tables import Dataset, ViewRequest
from trustplane.data.view_requests import (
    ask_for_view,
    find_view_request,
    grant_view,
    refuse_view,
    view_requests_of,
)
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.identity.tables import Principal

router = APIRouter(prefix=PREFIX, tags=["views"], responses=PROBLEMS)


class NewViewRequest(NewView):
    """A view that somebody asks for, and why."""

    reason: str = Field(max_length=2000)


class Grant(BaseModel):
    """What is said to whoever asked, and for how many days where not for as many as were asked."""

    answer: str = Field(default="", max_length=2000)
    days: float | None = Field(default=None, gt=0, le=366)


class Refusal(BaseModel):
    """Why a view is refused."""

    answer: str = Field(max_length=2000)


@router.post("/projects/{project}/view-requests", status_code=status.HTTP_201_CREATED)
def post_request(project: str, body: NewViewRequest, door: Asked) -> dict[str, Any]:
    """Ask for a view."""
    made = door.once(
        body.model_dump(),
        lambda key: ask_for_view(door.plane, door.actor, project, spec_of(body), body.reason, key),
    )
    return _shown(door, project, made)


@router.get("/projects/{project}/view-requests")
def requests(project: str, door: Asked) -> dict[str, Any]:
    """What was asked for in a project: all that concerns datasets that you may see."""
    with door.plane.database.read() as session:
        scope = door.project(session, project)
        rows = view_requests_of(session, scope.id)
        seen = [
            r
            for r in rows
            if door.visible("dataset.read", dataset_target(session, session.get_one(Dataset, r.dataset_id)))
        ]
        return listed(_request(session, r) for r in seen)


@router.post("/projects/{project}/view-requests/{request}/grant")
def grant(project: str, request: str, body: Grant, door: Asked) -> dict[str, Any]:
    """Make the view that was asked for."""
    grant_view(door.plane, door.actor, project, request, body.answer, body.days)
    return _shown(door, project, request)


@router.post("/projects/{project}/view-requests/{request}/refuse")
def refuse(project: str, request: str, body: Refusal, door: Asked) -> dict[str, Any]:
    """Refuse a view."""
    refuse_view(door.plane, door.actor, project, request, body.answer)
    return _shown(door, project, request)


def _shown(door: Asked, project: str, request: str) -> dict[str, Any]:
    with door.plane.database.read() as session:
        return _request(session, find_view_request(session, find_project(session, project).id, request))


def _request(session: Session, row: ViewRequest) -> dict[str, Any]:
    who = {
        p: None if (named := session.get(Principal, p)) is None else named.name
        for p in (row.asked_by, row.decided_by)
        if p
    }
    return {
        "id": row.id,
        "dataset": session.get_one(Dataset, row.dataset_id).name,
        **row.spec,
        "reason": row.reason,
        "asked_by": who.get(row.asked_by) or row.asked_by,
        "asked_at": moment(row.asked_at),
        "state": row.state,
        "decided_by": who.get(row.decided_by or "") or row.decided_by,
        "decided_at": moment(row.decided_at),
        "answer": row.answer or None,
        "view_id": row.view_id,
    }
