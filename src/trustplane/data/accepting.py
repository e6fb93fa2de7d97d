"""Accepting the proposed classes of a new version by policy: where a plane's own policies permit it, no person has to confirm them.

Nobody may by the built-in policies. A policy of the plane's own can permit ``dataset.accept``, by what the context says of the proposals.
"""

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import dataset_target
from trustplane.data.tables import Dataset, DatasetVersion

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

BY_POLICY = "policy"
"""What stands in the place of a person where a policy accepted the classes."""


def accept(plane: "Plane", actor: "Actor", version_id: str, cause: str) -> bool:
    """Accept the classes of a version if policy permits it; say whether. An acceptance is an event that names the policy."""
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, version_id)
        dataset = session.get_one(Dataset, version.dataset_id)
        target = dataset_target(session, dataset)
        context = proposed(version, confirmed_classes(session, dataset))
    if not plane.permits(actor, "dataset.accept", target, context):
        return False
    with plane.operation(actor, "dataset.accept", target, context=context, cause=cause) as op:
        held = op.session.get_one(DatasetVersion, version_id)
        held.confirmed_by, held.confirmed_at = BY_POLICY, plane.clock.now()
        op.record(version=held.id, number=held.number, **context)
    return True


def proposed(version: DatasetVersion, by_steward: dict[str, str]) -> dict[str, int | bool]:
    """What a policy may look at: the least confidence in per cent of the proposals that no steward confirmed, how many these are, and
    whether every row was read for each of them."""
    open_ = [p for c, p in version.proposals.items() if by_steward.get(c) != version.classes[c]]
    return {
        "confidence": int(100 * min((float(p["confidence"]) for p in open_), default=1.0)),
        "columns": len(open_),
        "exact": all(bool(p.get("exact")) for p in open_),
    }


def confirmed_classes(session: Session, dataset: Dataset) -> dict[str, str]:
    """The classes of the newest version that a person confirmed. What a policy accepted is proposed and decided anew each time."""
    version = session.scalar(
        select(DatasetVersion)
        .where(
            DatasetVersion.dataset_id == dataset.id,
            DatasetVersion.confirmed_by.is_not(None),
            DatasetVersion.confirmed_by != BY_POLICY,
        )
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    )
    return {} if version is None else dict(version.classes)
