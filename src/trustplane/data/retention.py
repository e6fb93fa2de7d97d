"""Retention and legal holds: a version is kept as long as its dataset says, and no longer, unless a hold keeps it.

A version that has expired loses its keys, by which every copy and backup of it becomes unreadable, and then its objects. What is known of
it without its rows stays: number, schema, classes, who confirmed them.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.blind_index import subject_of_index
from trustplane.data.catalog import dataset_target, find_dataset
from trustplane.data.storage import has_keys, subject_of
from trustplane.data.subjects.holders.registry import take_out_copies
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.jobs.registry import job
from trustplane.kernel.vault.destruction import destroy, settle
from trustplane.kernel.vault.keyring import hold_root
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.values.digests import Digest
from trustplane.values.errors import BadInput, Denied, Refused
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

JOB = "data.expire"
DAILY = "0 3 * * *"


def place_hold(plane: "Plane", actor: "Actor", project: str, dataset: str, reason: str) -> None:
    """Put a dataset under a legal hold: nothing of it is erased while it lasts (GDPR art. 17(3)(e))."""
    _set_hold(plane, actor, project, dataset, reason, held=True)


def lift_hold(plane: "Plane", actor: "Actor", project: str, dataset: str, reason: str) -> None:
    """Lift a legal hold: what is overdue expires with the next round."""
    _set_hold(plane, actor, project, dataset, reason, held=False)


def schedule_retention(plane: "Plane", actor: "Actor", project: str, cron: str = DAILY) -> str:
    """Have what has expired destroyed by the calendar; return the schedule's name."""
    with plane.database.read() as session:
        scope = find_project(session, project)
    name = f"retention-{scope.id}"
    with plane.operation(actor, "project.update", project_target(scope)) as op:
        op.session.flush()
        op.record(schedule=name, cron=cron)
        plane.jobs.schedule(name, cron, JOB, {"project": scope.id})
    plane.jobs.launch()
    return name


def start_expiry(plane: "Plane", actor: "Actor", project: str) -> str:
    """Destroy now what has expired; return the id of the job."""
    with plane.database.read() as session:
        scope = find_project(session, project)
    job_id = new_id()
    with plane.operation(actor, "project.update", project_target(scope)) as op:
        op.session.flush()
        op.record(job=job_id, what="expiry")
    plane.start_job(JOB, job_id, {"project": scope.id})
    return job_id


@job(JOB)
def expire(ctx: JobContext, *, project: str) -> dict[str, Any]:
    """Destroy the keys of every version of a project that is past its retention. A hold that is set meanwhile is heeded."""
    plane: Plane = ctx.plane
    due: list[str] = ctx.step("look", _due_now, plane, project)
    destroyed = []
    for done, version in enumerate(due):
        ctx.progress(done, len(due), "destroying keys")
        gone = ctx.step(f"expire {version}", expire_version, plane, PLANE_ACTOR, version)
        if gone is not None:
            destroyed.append(version)
            ctx.step(f"sweep {version}", _sweep, plane, gone["objects"])
    ctx.progress(len(due), len(due), "done")
    return {"due": len(due), "destroyed": len(destroyed)}


def overdue(session: Session, project_id: str, now: datetime) -> list[DatasetVersion]:
    """The versions of a project that are past their retention, can still be read, and are under no hold."""
    found = []
    query = select(Dataset).where(
        Dataset.project_id == project_id, Dataset.retention_days.is_not(None), Dataset.held.is_(False)
    )
    for dataset in session.scalars(query):
        life = timedelta(days=dataset.retention_days or 0)
        versions = session.scalars(
            select(DatasetVersion).where(DatasetVersion.dataset_id == dataset.id).order_by(DatasetVersion.number)
        )
        found += [v for v in versions if v.created + life <= now and has_keys(session, v)]
    return found


def expire_version(plane: "Plane", actor: "Actor", version_id: str) -> dict[str, Any] | None:
    """Destroy the keys of one version; return the event and the objects that can go, None where a hold was set or nothing was left."""
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, version_id)
        target = dataset_target(session, session.get_one(Dataset, version.dataset_id))
        if not has_keys(session, version):
            return None
    try:
        with plane.operation(actor, "dataset.erase", target) as op:
            hold_root(op.session)
            dataset = op.session.get_one(Dataset, version.dataset_id, populate_existing=True, with_for_update=True)
            if dataset.held:
                raise Refused("TP-DATA-076", "the dataset is under a legal hold")
            row = op.session.get_one(DatasetVersion, version_id, populate_existing=True)
            keys = op.session.scalars(select(VaultKey).where(VaultKey.id.in_(list(row.keys.values())))).all()
            objects = []
            for blob in op.session.scalars(_objects(version_id)):
                objects.append(blob.digest)
                op.session.delete(blob)
            row.statistics = {}
            op.session.flush()
            copies, gone = take_out_copies(op.session, dataset.project_id, {row.id: ""})
            keys, objects = [*keys, *copies], [*objects, *gone]
            reason = f"past its retention of {dataset.retention_days} days"
            certificate = destroy(op.session, plane.keystore, keys, reason, plane.clock.now())
            op.record(**certificate.facts(), version=row.id, number=row.number, rows=row.rows)
            op.refer(table=row.digest)
    except (Denied, Refused):  # the hold: by policy, or set since; both are on record
        return None
    settle(plane.database, plane.keystore)
    return {"event": op.id, "objects": objects}


def _due_now(plane: "Plane", project_id: str) -> list[str]:
    with plane.database.read() as session:
        return [v.id for v in overdue(session, project_id, plane.clock.now())]


def _sweep(plane: "Plane", objects: list[str]) -> int:
    """Remove objects whose keys are gone."""
    for digest in objects:
        plane.blobs.delete(Digest(digest))
    return len(objects)


def _objects(version_id: str) -> Any:
    return select(VaultBlob).where(VaultBlob.subject.in_([subject_of(version_id), subject_of_index(version_id)]))


def _set_hold(plane: "Plane", actor: "Actor", project: str, dataset: str, reason: str, *, held: bool) -> None:
    if not reason.strip():
        raise BadInput("TP-DATA-072", "say why the hold is set or lifted")
    with plane.database.read() as session:
        row = find_dataset(session, find_project(session, project).id, dataset)
        target = dataset_target(session, row)
    with plane.operation(actor, "dataset.update", target) as op:
        mine = op.session.get_one(Dataset, row.id, with_for_update=True)
        if mine.held is held:
            raise Refused(
                "TP-DATA-076", "the dataset is under a hold already" if held else "the dataset is under no hold"
            )
        mine.held = held
        op.record(held=held, reason=reason.strip()[:500])
