"""Records about a person that are in no dataset, such as the answers of models: found by keyed hash, erased with the person's keys."""

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from trustplane.data.subjects.keepers.contract import Kept
from trustplane.data.subjects.keepers.registry import keepers, kept_about
from trustplane.data.subjects.requests import CLOSED, identifiers_of
from trustplane.data.tables import SubjectRequest
from trustplane.kernel.identity.scopes import project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.destruction import destroy, settle
from trustplane.kernel.vault.keyring import hold_root, release
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import Refused

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def find_records(op: Operation, session: Session, request: SubjectRequest) -> list[Kept]:
    """What is kept about the person of a request outside of the datasets."""
    key = release(op, session, op.plane.keystore, [request.key_id])[request.key_id]
    return kept_about(op, session, request.project_id, identifiers_of(request, key))


def erase_records(plane: "Plane", actor: "Actor", request_id: str, cause: str | None = None) -> str | None:
    """Empty the records about the person, and destroy their keys; return the event's id, None where there are none.

    A record that is made meanwhile is sealed under a key that is destroyed here, so it is as empty as the others.
    """
    with plane.database.read() as session:
        request = session.get_one(SubjectRequest, request_id)
        project = session.get_one(Project, request.project_id)
    if request.state in CLOSED:
        return None
    with plane.operation(actor, "decision.erase", project_target(project), cause=cause) as op:
        with plane.database.read() as session:
            found = find_records(op, session, request)
        session = op.session
        hold_root(session)
        mine = session.get_one(SubjectRequest, request_id, populate_existing=True, with_for_update=True)
        if mine.state != "working":
            raise Refused("TP-DATA-073", f"the request is {mine.state}")
        known = keepers()
        doomed: list[VaultKey] = []
        for kept in found:
            doomed += known[kept.kind].empty(op, kept)
        certificate = destroy(session, plane.keystore, doomed, f"erasure by request {request_id}", plane.clock.now())
        mine.erased = {**mine.erased, **{kept.place: _said(op, kept) for kept in found}}
        records = {kept.place: len(kept.ids) for kept in found}
        op.record(**certificate.facts(), request=request_id, records=records)
    settle(plane.database, plane.keystore)
    return op.id


def _said(op: Operation, kept: Kept) -> dict[str, object]:
    return {
        "event": op.id,
        "versions": {},
        "replaced": [],
        "kind": kept.kind,
        "name": kept.name,
        "records": len(kept.ids),
    }
