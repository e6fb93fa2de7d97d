"""Asking for a view: whoever needs rows says which, what for and why; a data steward grants or refuses, on record."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.tables import Dataset, ViewRequest
from trustplane.data.terms import check_purpose
from trustplane.data.view_limits import Limits
from trustplane.data.views import ViewSpec, check_spec, create_view
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.operation import Operation
from trustplane.values.errors import BadInput, Denied, NotFound, Refused
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane


def ask_for_view(
    plane: "Plane", actor: "Actor", project: str, spec: ViewSpec, reason: str, idempotency: "Idempotency | None" = None
) -> str:
    """Ask for a view, for a reason; return the request's id."""
    if not reason.strip():
        raise BadInput("TP-DATA-045", "a reason is needed")
    purpose = check_purpose(spec.purpose)
    with plane.database.read() as session:
        scope = find_project(session, project)
        dataset = find_dataset(session, scope.id, spec.dataset)
        check_spec(spec, find_version(session, dataset, spec.number))
        target = dataset_target(session, dataset)
    with plane.operation(actor, "view.request", target, context={"purpose": purpose}, idempotency=idempotency) as op:
        row = ViewRequest(
            id=new_id(),
            project_id=scope.id,
            dataset_id=dataset.id,
            spec=_said(spec),
            reason=reason.strip()[:2000],
            asked_by=actor.answerable,
            asked_at=plane.clock.now(),
            state="waiting",
            decided_by=None,
            decided_at=None,
            answer="",
            view_id=None,
        )
        op.session.add(row)
        op.record(request=row.id, columns=list(spec.columns), purpose=purpose, reason=row.reason)
        op.made(row.id)
        return row.id


def grant_view(
    plane: "Plane", actor: "Actor", project: str, request: str, answer: str = "", days: float | None = None
) -> str:
    """Make the view that was asked for, for as long as was asked or for ``days``; return its id. Nobody grants what they asked for."""
    with plane.database.read() as session:
        row = find_view_request(session, find_project(session, project).id, request)
        dataset = session.get_one(Dataset, row.dataset_id)
    spec = _spec(dataset.name, row.spec, days)

    def decide(op: Operation, view_id: str) -> None:
        _decided(op, row.id, "granted", answer).view_id = view_id

    return create_view(plane, actor, project, spec, then=decide)


def refuse_view(plane: "Plane", actor: "Actor", project: str, request: str, answer: str) -> None:
    """Refuse a view, for a reason."""
    if not answer.strip():
        raise BadInput("TP-DATA-045", "a reason is needed")
    with plane.database.read() as session:
        row = find_view_request(session, find_project(session, project).id, request)
        target = dataset_target(session, session.get_one(Dataset, row.dataset_id))
    with plane.operation(actor, "view.refuse", target) as op:
        _decided(op, row.id, "refused", answer)


def find_view_request(session: Session, project_id: str, request: str) -> ViewRequest:
    """A request of a project; raise :class:`NotFound` (TP-DATA-046)."""
    row = session.get(ViewRequest, request)
    if row is None or row.project_id != project_id:
        raise NotFound("TP-DATA-046", f"nobody asked for a view under {request[:64]!r}")
    return row


def view_requests_of(session: Session, project_id: str) -> list[ViewRequest]:
    """The requests of a project, the newest first."""
    query = select(ViewRequest).where(ViewRequest.project_id == project_id).order_by(ViewRequest.id.desc())
    return list(session.scalars(query))


def _decided(op: Operation, request: str, state: str, answer: str) -> ViewRequest:
    held = op.session.get_one(ViewRequest, request, populate_existing=True, with_for_update=True)
    if held.state != "waiting":
        raise Refused("TP-DATA-047", f"the request is {held.state}")
    if held.asked_by == op.actor.answerable:
        raise Denied("TP-DATA-048", "nobody decides on what they asked for")
    held.state, held.answer = state, answer.strip()[:2000]
    held.decided_by, held.decided_at = op.actor.answerable, op.plane.clock.now()
    op.record(request=held.id, state=state, answer=held.answer)
    return held


def _said(spec: ViewSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "columns": list(spec.columns),
        "purpose": spec.purpose,
        "days": spec.life / timedelta(days=1),
        "filter": spec.row_filter,
        "pseudonyms": list(spec.pseudonyms),
        "version": spec.number,
        "masks": dict(spec.limits.masks),
        "groups": spec.limits.groups,
        "sample": spec.limits.sample,
    }


def _spec(dataset: str, said: dict[str, Any], days: float | None) -> ViewSpec:
    return ViewSpec(
        said["name"],
        dataset,
        tuple(said["columns"]),
        said["purpose"],
        timedelta(days=said["days"] if days is None else days),
        said["filter"],
        tuple(said["pseudonyms"]),
        said["version"],
        Limits(said["masks"], groups=said["groups"], sample=said["sample"]),
    )
