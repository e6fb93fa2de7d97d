"""Changing policy: one person proposes a text, another accepts it, and from then on it is in force beside the built-in policies."""

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.kernel.policy.engine import Engine, builtin
from trustplane.kernel.policy.requests import account
from trustplane.kernel.policy.tables import PolicyText
from trustplane.kernel.target import Target
from trustplane.values.errors import Conflict, NotFound, nearest
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def engine_of(session: Session) -> Engine:
    """The engine with every accepted text of the workspace."""
    engine = builtin()
    accepted = select(PolicyText).where(PolicyText.accepted_by.is_not(None)).order_by(PolicyText.name)
    for row in session.scalars(accepted):
        engine = engine.with_extra(row.text, f"{row.name}.cedar")
    return engine


def accepted_names(session: Session) -> tuple[str, ...]:
    """The ids of the accepted texts: what tells one engine from another."""
    return tuple(
        session.scalars(select(PolicyText.id).where(PolicyText.accepted_by.is_not(None)).order_by(PolicyText.id))
    )


def find_proposal(session: Session, name: str) -> PolicyText:
    """The text of this name; raise :class:`NotFound` with the nearest."""
    row = session.scalar(select(PolicyText).where(PolicyText.name == name))
    if row is None:
        names = list(session.scalars(select(PolicyText.name)))
        raise NotFound("TP-POLICY-021", f"there is no proposed policy {name[:80]!r}", why=nearest(name, names))
    return row


def propose(plane: "Plane", actor: "Actor", name: str, text: str) -> str:
    """Propose a text; it must validate together with all that is in force. Returns its id."""
    check_name("policy", name)
    policy_id = new_id()
    target = Target("Policy", policy_id, attributes={"proposer": account(actor.answerable)})
    with plane.operation(actor, "policy.propose", target) as op:
        engine_of(op.session).with_extra(text, f"{name}.cedar")
        if op.session.scalar(select(PolicyText.id).where(PolicyText.name == name)) is not None:
            raise Conflict("TP-POLICY-022", f"there is a policy {name!r} already")
        row = PolicyText(
            id=policy_id,
            name=name,
            text=text,
            proposer_id=actor.answerable,
            accepted_by=None,
            accepted_at=None,
            created=plane.clock.now(),
        )
        op.session.add(row)
        op.record(name=name)
        op.made(policy_id)
    return policy_id


def accept(plane: "Plane", actor: "Actor", name: str) -> str:
    """Put a proposed text in force; policy says that it must be somebody else than who proposed it. Returns the receipt."""
    with plane.database.read() as session:
        row = find_proposal(session, name)
        target = Target("Policy", row.id, attributes={"proposer": account(row.proposer_id)})
    with plane.operation(actor, "policy.accept", target) as op:
        held = find_proposal(op.session, name)
        if held.accepted_by is not None:
            raise Conflict("TP-POLICY-022", f"the policy {name!r} is in force already")
        engine_of(op.session).with_extra(held.text, f"{name}.cedar")
        held.accepted_by, held.accepted_at = actor.answerable, plane.clock.now()
        op.record(name=name)
    plane.reload_policy()
    return op.receipt or ""
