"""Requests of data subjects, legal holds and retention."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, status
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from trustplane.api.access import PREFIX, PROBLEMS, Asked, Paged, listed, moment, names_of, page_of
from trustplane.data.blind_index import Identifier
from trustplane.data.retention import lift_hold, overdue, place_hold, schedule_retention, start_expiry
from trustplane.data.subjects.access import export
from trustplane.data.subjects.erased import erased_by
from trustplane.data.subjects.erasure import search, start_erasure
from trustplane.data.subjects.outcomes import Decided, decide_outcome, reached_by
from trustplane.data.subjects.requests import (
    CLOSED,
    RequestSpec,
    answer_request,
    extend_time,
    find_request,
    open_request,
    refuse_request,
    requests_of,
    verify_identity,
)
from trustplane.data.tables import Dataset, DatasetVersion, SubjectRequest
from trustplane.kernel.identity.scopes import project_target

router = APIRouter(prefix=PREFIX, tags=["requests"], responses=PROBLEMS)
_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
Words = Annotated[str, Field(max_length=2000)]


class Named(BaseModel):
    """What the person is called, in one column or in any."""

    value: str = Field(max_length=500, examples=["C00007"])
    column: str | None = Field(default=None, max_length=256)


class NewRequest(BaseModel):
    """What a person asks. The values travel in the body, are kept under a key of the request, and go with it."""

    kind: str = Field(max_length=40, examples=["erasure"])
    identifiers: list[Named] = Field(max_length=100)
    received: AwareDatetime | None = None


class Verification(BaseModel):
    """How the person was identified."""

    how: Words = Field(examples=["passport shown at the counter"])


class Extension(BaseModel):
    """On which ground more time is taken."""

    ground: str = Field(max_length=100, examples=["JustificationA12Complexity"])


class Refusal(BaseModel):
    """On which ground a request is refused, and what the person was told."""

    ground: str = Field(max_length=100, examples=["JustificationA17LegalClaims"])
    answer: Words


class Answer(BaseModel):
    """What the person was told."""

    answer: Words


class NewOutcome(BaseModel):
    """What becomes of a model version or run that the person's rows went into."""

    thing: str = Field(max_length=64)
    outcome: str = Field(max_length=40, examples=["retrain_by"])
    reason: Words
    until: AwareDatetime | None = None
    evidence: str = Field(default="", max_length=200)


class Reason(BaseModel):
    """Why."""

    reason: Words


class Calendar(BaseModel):
    """When what has expired is destroyed."""

    cron: str = Field(default="0 3 * * *", max_length=100)


@router.post("/projects/{project}/requests", status_code=status.HTTP_201_CREATED)
def post_request(project: str, body: NewRequest, door: Asked) -> dict[str, Any]:
    """Take a request of a person."""
    identifiers = tuple(Identifier(each.value, each.column) for each in body.identifiers)
    spec = RequestSpec(body.kind, identifiers, body.received)
    made = door.once(body.model_dump(), lambda key: open_request(door.plane, door.actor, project, spec, key))
    return _shown(door, made)


@router.get("/projects/{project}/requests")
def requests(project: str, door: Asked, page: Paged) -> dict[str, Any]:
    """The requests of a project."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        door.may("request.read", project_target(row))
        names, now = names_of(session), door.plane.clock.now()
        return page_of(requests_of(session, row.id), page, lambda r: r.id, lambda r: _request(session, r, names, now))


@router.get("/projects/{project}/requests/{request}")
def request(project: str, request: str, door: Asked) -> dict[str, Any]:
    """A request, what was erased by it, and what that reached."""
    with door.plane.database.read() as session:
        scope = door.project(session, project)
        door.may("request.read", project_target(scope))
        row = find_request(session, scope, request)
        return _request(session, row, names_of(session), door.plane.clock.now())


@router.post("/projects/{project}/requests/{request}/verify")
def verify(project: str, request: str, body: Verification, door: Asked) -> dict[str, Any]:
    """Record how the person was identified."""
    verify_identity(door.plane, door.actor, project, request, body.how)
    return _shown(door, request)


@router.post("/projects/{project}/requests/{request}/extend")
def extend(project: str, request: str, body: Extension, door: Asked) -> dict[str, Any]:
    """Take two further months, on a ground that the law names."""
    extend_time(door.plane, door.actor, project, request, body.ground)
    return _shown(door, request)


@router.post("/projects/{project}/requests/{request}/refuse")
def refuse(project: str, request: str, body: Refusal, door: Asked) -> dict[str, Any]:
    """Refuse the request on a ground that the law names."""
    refuse_request(door.plane, door.actor, project, request, body.ground, body.answer)
    return _shown(door, request)


@router.post("/projects/{project}/requests/{request}/answer")
def answer(project: str, request: str, body: Answer, door: Asked) -> dict[str, Any]:
    """Close the request."""
    answer_request(door.plane, door.actor, project, request, body.answer)
    return _shown(door, request)


@router.get("/projects/{project}/requests/{request}/rows")
def find(project: str, request: str, door: Asked) -> dict[str, Any]:
    """In how many rows of which versions the person stands. No column is decrypted; the search is recorded."""
    found = search(door.plane, door.actor, project, request)
    with door.plane.database.read() as session:
        rows = [
            {
                "kind": "rows",
                "dataset": session.get_one(Dataset, dataset).name,
                "version": session.get_one(DatasetVersion, version).number,
                "rows": rows,
            }
            for dataset, each in found.datasets.items()
            for version, rows in each["versions"].items()
        ]
    records = [{"kind": k.kind, "dataset": k.name, "version": None, "rows": len(k.ids)} for k in found.records]
    return listed([*rows, *records])


@router.get("/projects/{project}/requests/{request}/export", response_class=StreamingResponse)
def get_export(project: str, request: str, door: Asked, format: Literal["json", "csv"] = "json") -> StreamingResponse:  # noqa: A002 - the parameter's public name
    """Everything that is held of the person. The opening is recorded."""
    chunks = export(door.plane, door.actor, project, request, format)
    return StreamingResponse(chunks, media_type=_TYPES[format])


@router.post("/projects/{project}/requests/{request}/erase", status_code=status.HTTP_202_ACCEPTED)
def erase(project: str, request: str, door: Asked) -> dict[str, Any]:
    """Erase the person: every version that holds them is written anew, and the keys of what was are destroyed."""
    return {"id": request, "job_id": start_erasure(door.plane, door.actor, project, request)}


@router.post("/projects/{project}/requests/{request}/outcomes")
def outcome(project: str, request: str, body: NewOutcome, door: Asked) -> dict[str, Any]:
    """Record what becomes of a model version or run that the person's rows went into."""
    decided = Decided(body.outcome, body.reason, body.until, body.evidence)
    decide_outcome(door.plane, door.actor, project, request, body.thing, decided)
    return _shown(door, request)


@router.post("/projects/{project}/datasets/{dataset}/hold")
def hold(project: str, dataset: str, body: Reason, door: Asked) -> dict[str, Any]:
    """Put a dataset under a legal hold: nothing of it is erased or expires."""
    place_hold(door.plane, door.actor, project, dataset, body.reason)
    return {"dataset": dataset, "held": True}


@router.post("/projects/{project}/datasets/{dataset}/lift-hold")
def lift(project: str, dataset: str, body: Reason, door: Asked) -> dict[str, Any]:
    """Lift a legal hold."""
    lift_hold(door.plane, door.actor, project, dataset, body.reason)
    return {"dataset": dataset, "held": False}


@router.get("/projects/{project}/retention")
def retention(project: str, door: Asked) -> dict[str, Any]:
    """The versions that are past their retention and can still be read."""
    with door.plane.database.read() as session:
        row = door.project(session, project)
        door.may("control.read", project_target(row))
        names = {d.id: d.name for d in session.query(Dataset).filter_by(project_id=row.id)}
        late = overdue(session, row.id, door.plane.clock.now())
        return listed(
            {"dataset": names[v.dataset_id], "version": v.number, "rows": v.rows, "created": moment(v.created)}
            for v in late
        )


@router.post("/projects/{project}/retention", status_code=status.HTTP_202_ACCEPTED)
def run_retention(project: str, door: Asked) -> dict[str, Any]:
    """Destroy now what has expired."""
    return {"job_id": start_expiry(door.plane, door.actor, project)}


@router.put("/projects/{project}/retention/schedule")
def put_schedule(project: str, body: Calendar, door: Asked) -> dict[str, Any]:
    """Have what has expired destroyed by the calendar."""
    return {"schedule": schedule_retention(door.plane, door.actor, project, body.cron), "cron": body.cron}


def _shown(door: Asked, request: str) -> dict[str, Any]:
    with door.plane.database.read() as session:
        row = session.get_one(SubjectRequest, request)
        return _request(session, row, names_of(session), door.plane.clock.now())


def _request(session: Session, row: SubjectRequest, names: dict[str, str], now: datetime) -> dict[str, Any]:
    """A request without what the person is called: nobody needs that to see how it stands."""
    return {
        "id": row.id,
        "kind": row.kind,
        "law": row.law,
        "state": row.state,
        "received": moment(row.received),
        "due": moment(row.due),
        "overdue": row.state not in CLOSED and row.due <= now,
        "delayed": row.delayed or None,
        "verified": row.verified or None,
        "ground": row.ground or None,
        "answer": row.answer or None,
        "opened_by": names.get(row.opened_by, row.opened_by),
        "closed": moment(row.closed_at),
        "job_id": row.job_id or None,
        "failure": row.found.get("failure"),
        "erased": [
            {"kind": e.kind, "dataset": e.name, "version": e.version, "rows": e.rows, "event": e.event}
            for e in erased_by(session, row)
        ],
        "reached": [
            {
                "kind": r.kind,
                "id": r.id,
                "name": r.name,
                "why": r.why,
                "outcome": row.outcomes.get(r.id, {}).get("outcome"),
                "until": row.outcomes.get(r.id, {}).get("until"),
            }
            for r in (reached_by(session, row) if row.erased else [])
        ],
    }
