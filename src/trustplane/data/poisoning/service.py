"""Looks at versions as they are kept, and what data stewards say of them."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import dataset_target, find_dataset, find_version, quarantined
from trustplane.data.tables import Dataset, DatasetVersion, VersionLook
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.operation import Operation
from trustplane.values.errors import BadInput, Refused

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def keep_look(op: Operation, version_id: str, report: dict[str, Any]) -> None:
    """Keep what the look at a version found, with the version."""
    op.session.add(VersionLook(version_id=version_id, report=report, settled_by=None, settled_at=None, reason=""))
    op.record(signs={look: sum(s["look"] == look for s in report["signs"]) for look in sorted(report["figures"])})


def look_of(session: Session, version: DatasetVersion) -> VersionLook | None:
    """What was found in a version; None for one that came before there were looks."""
    return session.get(VersionLook, version.id)


def last_seen(session: Session, dataset: Dataset | None) -> tuple[DatasetVersion | None, VersionLook | None]:
    """The newest version that is in use, and what was found in it: what a new one is compared with."""
    if dataset is None:
        return None, None
    version = session.scalar(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == dataset.id, ~quarantined())
        .order_by(DatasetVersion.number.desc())
        .limit(1)
    )
    return version, None if version is None else look_of(session, version)


def open_looks(session: Session, dataset_id: str) -> list[tuple[DatasetVersion, VersionLook]]:
    """The versions in use in which something was found that nobody has settled, with what it was, the oldest first."""
    rows = session.execute(
        select(DatasetVersion, VersionLook)
        .join(VersionLook, VersionLook.version_id == DatasetVersion.id)
        .where(DatasetVersion.dataset_id == dataset_id, VersionLook.settled_at.is_(None), ~quarantined())
        .order_by(DatasetVersion.number)
    )
    return [(version, look) for version, look in rows if look.report["found"]]


def settle_look(plane: "Plane", actor: "Actor", project: str, dataset: str, number: int, reason: str) -> None:
    """Say why a version may be used although something was found in it; it goes on record."""
    if not reason.strip():
        raise BadInput("TP-DATA-120", "a reason is needed")
    with plane.database.read() as session:
        row = find_dataset(session, find_project(session, project).id, dataset)
        version = find_version(session, row, number)
        target = dataset_target(session, row)
    with plane.operation(actor, "dataset.update", target) as op:
        held = op.session.get(VersionLook, version.id, populate_existing=True, with_for_update=True)
        if held is None or not held.report["found"]:
            raise Refused("TP-DATA-125", f"no look found anything in version {number}")
        if held.settled_at is not None:
            raise Refused("TP-DATA-125", f"what was found in version {number} is settled already")
        held.settled_by, held.settled_at, held.reason = actor.answerable, plane.clock.now(), reason.strip()[:2000]
        op.record(version=version.id, number=number, settled=True, signs=held.report["found"], reason=held.reason)
