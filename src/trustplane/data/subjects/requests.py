"""Requests of data subjects: received, the person identified, answered or refused in time (GDPR art. 12 and 15 to 21)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.blind_index import Identifier, normal
from trustplane.data.subjects.law import law
from trustplane.data.tables import SubjectRequest
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.destruction import destroy, settle
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.kernel.vault.keys import SecretKey, unwrap, wrap
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import BadInput, NotFound, Refused
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane

CLOSED = frozenset({"answered", "refused"})
MOST = 100
LONGEST = 500
_EARLIEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """What a person asks. ``received`` is when they did; now without one."""

    kind: str
    identifiers: tuple[Identifier, ...]
    received: datetime | None = None


def open_request(
    plane: "Plane", actor: "Actor", project: str, spec: RequestSpec, idempotency: "Idempotency | None" = None
) -> str:
    """Take a request; return its id. What the person is called is kept under a key of the request, and nowhere else."""
    kind, now = law().check_kind(spec.kind), plane.clock.now()
    identifiers = _checked(spec.identifiers)
    received = spec.received or now
    if not now - _EARLIEST <= received <= now:
        raise BadInput("TP-DATA-072", "a request was received within the last year, and not in the future")
    with plane.database.read() as session:
        row = find_project(session, project)
    with plane.operation(actor, "request.open", project_target(row), idempotency=idempotency) as op:
        parent = release(op, op.session, plane.keystore, [row.key_id])[row.key_id]
        request_id = new_id()
        held, key = mint(parent, KeySpec("request", f"subject-request:{request_id}", row.id), now)
        request = SubjectRequest(
            id=request_id,
            project_id=row.id,
            kind=kind,
            law=law().name,
            state="received",
            key_id=key.id,
            sealed=wrap(key, msgspec.json.encode([(i.value, i.column) for i in identifiers]), _place(request_id)),
            received=received,
            due=law().due(received),
            delayed="",
            verified="",
            ground="",
            answer="",
            found={},
            erased={},
            outcomes={},
            job_id="",
            opened_by=actor.answerable,
            closed_at=None,
        )
        op.session.add_all((held, request))
        op.record(
            request=request_id,
            kind=kind,
            right=law().rights[kind],
            identifiers=len(identifiers),
            due=int(request.due.timestamp()),
        )
        op.made(request_id)
    return request_id


def verify_identity(plane: "Plane", actor: "Actor", project: str, request: str, how: str) -> None:
    """Record that the person is who they say, and how that was found out (GDPR art. 12(6)). Nothing is searched or given before."""
    said = _said(how, 200, "how the person was identified")
    with _changing(plane, actor, project, request) as (op, row):
        if row.state != "received":
            raise Refused("TP-DATA-073", f"the request is {row.state}: the person was identified before")
        row.state, row.verified = "verified", said
        op.record(request=row.id, state=row.state)


def extend_time(plane: "Plane", actor: "Actor", project: str, request: str, ground: str) -> datetime:
    """Take two further months, on a ground that the law names; return the new due date. Only within the first month (art. 12(3))."""
    term = law().check_delay(ground)
    with _changing(plane, actor, project, request) as (op, row):
        if row.delayed:
            raise Refused("TP-DATA-073", "the time of the request was extended before")
        if plane.clock.now() > row.due:
            raise Refused("TP-DATA-073", "the month is over: the person had to be told within it")
        row.due, row.delayed = law().due_extended(row.received), term
        op.record(request=row.id, ground=term, due=int(row.due.timestamp()))
        return row.due


def refuse_request(plane: "Plane", actor: "Actor", project: str, request: str, ground: str, answer: str) -> None:
    """Refuse a request on a ground that the law names, and keep what the person was told (art. 12(4))."""
    said = _said(answer, 2000, "what the person was told")
    with _closing(plane, actor, project, request) as (op, row):
        term = law().check_refusal(row.kind, ground)
        row.state, row.ground, row.answer = "refused", term, said
        op.record(request=row.id, state=row.state, ground=term)


def answer_request(plane: "Plane", actor: "Actor", project: str, request: str, answer: str) -> None:
    """Close a request: the person got what they asked for. An erasure is answered once nothing that was found is left."""
    said = _said(answer, 2000, "what the person was told")
    with _closing(plane, actor, project, request) as (op, row):
        if row.state == "received":
            raise Refused("TP-DATA-073", "the person was not identified yet")
        if row.state == "working":
            raise Refused("TP-DATA-073", "the erasure is still going on")
        if row.kind == "erasure" and not row.job_id:
            raise Refused("TP-DATA-073", "nothing was erased yet", fix="erase first")
        row.state, row.answer = "answered", said
        op.record(request=row.id, state=row.state, late=plane.clock.now() > row.due)


def find_request(session: Session, project: Project, request: str) -> SubjectRequest:
    """The request of a project with this id."""
    row = session.get(SubjectRequest, request)
    if row is None or row.project_id != project.id:
        raise NotFound("TP-DATA-074", f"there is no request {request[:64]!r} in the project")
    return row


def requests_of(session: Session, project_id: str) -> list[SubjectRequest]:
    """The requests of a project, those that are due first at the head, the closed ones at the end."""
    rows = session.scalars(select(SubjectRequest).where(SubjectRequest.project_id == project_id))
    return sorted(rows, key=lambda r: (r.state in CLOSED, r.due))


def require_verified(row: SubjectRequest) -> None:
    """Raise unless the person was identified and the request is open."""
    if row.state in CLOSED:
        raise Refused("TP-DATA-073", f"the request was {row.state}")
    if row.state == "received":
        raise Refused(
            "TP-DATA-073", "the person was not identified yet", fix="record first how the person was identified"
        )


def identifiers_of(row: SubjectRequest, key: SecretKey) -> tuple[Identifier, ...]:
    """What the person is called."""
    assert row.sealed is not None
    said = msgspec.json.decode(unwrap(key, row.sealed, _place(row.id)))
    return tuple(Identifier(value, column) for value, column in said)


@contextmanager
def _changing(plane: "Plane", actor: "Actor", project: str, request: str) -> Iterator[tuple[Operation, SubjectRequest]]:
    with plane.database.read() as session:
        scope = find_project(session, project)
        found = find_request(session, scope, request)
    with plane.operation(actor, "request.update", project_target(scope)) as op:
        row = op.session.get_one(SubjectRequest, found.id, with_for_update=True)
        if row.state in CLOSED:
            raise Refused("TP-DATA-073", f"the request was {row.state}")
        yield op, row


@contextmanager
def _closing(plane: "Plane", actor: "Actor", project: str, request: str) -> Iterator[tuple[Operation, SubjectRequest]]:
    """Close a request: what the person is called goes with the key."""
    with _changing(plane, actor, project, request) as (op, row):
        yield op, row
        row.sealed, row.closed_at = None, plane.clock.now()
        key = op.session.get_one(VaultKey, row.key_id)
        certificate = destroy(op.session, plane.keystore, [key], f"request {row.id} is closed", plane.clock.now())
        op.record(keys=list(certificate.keys), root=certificate.root)
    settle(plane.database, plane.keystore)


def _checked(identifiers: Sequence[Identifier]) -> tuple[Identifier, ...]:
    kept = tuple(dict.fromkeys(i for i in identifiers if normal(i.value)))
    if not 1 <= len(kept) <= MOST or any(len(i.value) > LONGEST for i in kept):
        raise BadInput(
            "TP-DATA-072", f"a request names the person by 1 to {MOST} values of at most {LONGEST} characters"
        )
    return kept


def _said(text: str, most: int, what: str) -> str:
    said = text.strip()
    if not said:
        raise BadInput("TP-DATA-072", f"say {what}")
    return said[:most]


def _place(request_id: str) -> bytes:
    return b"trustplane/subject-request/v1\0" + request_id.encode()
