"""Waivers: leave to pass the gate although a control does not, asked by one person and granted by another, until a date."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from trustplane.kernel.controls.registry import registered
from trustplane.kernel.policy.requests import account
from trustplane.release.catalog import model_target
from trustplane.release.tables import ModelVersion, Waiver
from trustplane.values.errors import BadInput, Conflict, NotFound, nearest
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

LONGEST = timedelta(days=180)


def find_waiver(session: Session, waiver_id: str) -> Waiver:
    """The waiver with this id."""
    row = session.get(Waiver, waiver_id)
    if row is None:
        raise NotFound("TP-GATE-005", f"there is no waiver {waiver_id[:64]!r}")
    return row


def request_waiver(
    plane: "Plane", actor: "Actor", version: ModelVersion, control: str, reason: str, life: timedelta
) -> str:
    """Ask for a waiver; return its id. It is of no effect until somebody else grants it."""
    gates = [c.id for c in registered() if c.gate]
    if control not in gates:
        raise BadInput("TP-GATE-006", f"{control[:64]!r} is no control of the gate", why=nearest(control, gates))
    if not reason.strip():
        raise BadInput("TP-GATE-003", "a waiver needs its reason")
    if not timedelta(hours=1) <= life <= LONGEST:
        raise BadInput("TP-GATE-007", f"a waiver lasts for one hour to {LONGEST.days} days")
    with plane.database.read() as session:
        target = model_target(session, version)
    with plane.operation(actor, "waiver.request", target) as op:
        now = plane.clock.now()
        row = Waiver(
            id=new_id(),
            model_version_id=version.id,
            control=control,
            reason=reason.strip()[:2000],
            requester_id=actor.answerable,
            granted_by=None,
            expires=now + life,
            created=now,
        )
        op.session.add(row)
        op.record(waiver=row.id, version=version.id, control=control, expires=int(row.expires.timestamp()))
        op.made(row.id)
        return row.id


def grant_waiver(plane: "Plane", actor: "Actor", waiver_id: str) -> str:
    """Grant a waiver; return the receipt."""
    with plane.database.read() as session:
        row = find_waiver(session, waiver_id)
        target = model_target(session, session.get_one(ModelVersion, row.model_version_id))
    context = {"requester": account(row.requester_id)}
    with plane.operation(actor, "waiver.grant", target, context=context) as op:
        held = op.session.get_one(Waiver, waiver_id)
        if held.granted_by is not None:
            raise Conflict("TP-GATE-004", "the waiver is granted already")
        held.granted_by = actor.answerable
        op.record(waiver=held.id, control=held.control, expires=int(held.expires.timestamp()), reason_given=True)
    return op.receipt or ""
