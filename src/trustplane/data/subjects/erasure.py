"""Erasing a person: every version that holds them is written anew without their rows, and the keys of what it was are destroyed.

One dataset is one operation and one transaction, so a crash leaves each dataset as it was or done; the job goes on with the next one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.blind_index import NAME as INDEX
from trustplane.data.blind_index import indexed_columns, look_up, subject_of_index
from trustplane.data.catalog import dataset_target
from trustplane.data.classes import SensitivityClass
from trustplane.data.statistics import StatisticsCollector, plain_statistics
from trustplane.data.storage import Place, Stored, read_columns, release_columns, schema_of, store_table, subject_of
from trustplane.data.subjects.holders.registry import take_out_copies
from trustplane.data.subjects.keepers.contract import Kept
from trustplane.data.subjects.other_names import other_names
from trustplane.data.subjects.records import erase_records, find_records
from trustplane.data.subjects.requests import CLOSED, find_request, identifiers_of, require_verified
from trustplane.data.tables import Dataset, DatasetVersion, SubjectRequest
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.jobs.context import JobContext
from trustplane.kernel.jobs.registry import job
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.artifacts import unseal
from trustplane.kernel.vault.destruction import destroy, settle
from trustplane.kernel.vault.keyring import hold_root, release, unwrap_chain
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.parquet import TableKeys
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.values.digests import Digest
from trustplane.values.errors import Conflict, Refused, TrustplaneError
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

JOB = "data.erase"
_TRIES = 5
Found = dict[str, dict[str, dict[str, int]]]
"""Datasets by id: ``{versions: {version: rows}}``."""


@dataclass(frozen=True, slots=True)
class Search:
    """Where a person stands: in rows of versions, and in records such as the answers of models."""

    datasets: Found
    records: Sequence[Kept]


def search(plane: "Plane", actor: "Actor", project: str, request: str, cause: str | None = None) -> Search:
    """In how many rows of which versions the person stands, and in which records. Indices are asked; nothing is decrypted."""
    with plane.database.read() as session:
        scope = find_project(session, project)
        row = find_request(session, scope, request)
        versions = live_versions(session, scope.id)
    require_verified(row)
    with plane.operation(actor, "request.search", project_target(scope), cause=cause) as op:
        rows = find_rows(op, row, versions)
        found: Found = {}
        for version in versions:
            if rows.get(version.id):
                found.setdefault(version.dataset_id, {"versions": {}})["versions"][version.id] = len(rows[version.id])
        with plane.database.read() as session:
            records = find_records(op, session, row)
        op.record(
            request=row.id,
            searched=len(versions),
            records={kept.place: len(kept.ids) for kept in records},
            found=sum(len(each["versions"]) for each in found.values()),
            not_indexed=sum(1 for v in versions if INDEX not in v.keys),
        )
    return Search(found, records)


def find_rows(
    op: Operation, request: SubjectRequest, versions: list[DatasetVersion]
) -> dict[str, dict[int, tuple[str, ...]]]:
    """The rows in which the person stands, by version, each with the columns that say so."""
    plane = op.plane
    indexed = [v for v in versions if INDEX in v.keys]
    with plane.database.read() as session:
        keys = release(op, session, plane.keystore, [request.key_id, *(v.keys[INDEX] for v in indexed)])
        blobs = {v.id: _index_of(session, v.id) for v in indexed}
        others = other_names(op, session, request.project_id, indexed)
    identifiers = identifiers_of(request, keys[request.key_id])
    return {
        v.id: look_up(
            keys[v.keys[INDEX]],
            unseal(plane.blobs, keys[v.keys[INDEX]], blobs[v.id].digest, subject_of_index(v.id)),
            [*identifiers, *others(v, identifiers)],
        )
        for v in indexed
    }


def start_erasure(plane: "Plane", actor: "Actor", project: str, request: str) -> str:
    """Begin to erase the person of a request; return the id of the job."""
    with plane.database.read() as session:
        scope = find_project(session, project)
        found = find_request(session, scope, request)
    with plane.operation(actor, "request.update", project_target(scope)) as op:
        row = op.session.get_one(SubjectRequest, found.id, with_for_update=True)
        require_verified(row)
        if row.kind not in {"erasure", "objection"}:
            raise Refused("TP-DATA-073", f"the person asked for {row.kind}, not for erasure")
        if row.state == "working":
            raise Refused("TP-DATA-073", "the erasure is going on already")
        row.state, row.job_id = "working", new_id()
        asked = {"actor": actor.id, "scopes": list(actor.scopes), "cause": op.id}
        row.found = {"asked": asked}
        op.record(request=row.id, state=row.state)
        job_id = row.job_id
    plane.start_job(JOB, job_id, {"request": found.id, **asked})
    return job_id


def resume_erasures(plane: "Plane") -> int:
    """Ask again for the jobs of erasures that were begun: a crash may have fallen in between. Returns their number."""
    with plane.database.read() as session:
        waiting = [
            (r.id, r.job_id, r.found["asked"])
            for r in session.scalars(select(SubjectRequest).where(SubjectRequest.state == "working"))
            if "asked" in r.found
        ]
    for request_id, job_id, asked in waiting:
        plane.start_job(JOB, job_id, {"request": request_id, **asked})
    return len(waiting)


@job(JOB)
def erase(ctx: JobContext, *, request: str, actor: str, scopes: list[str], cause: str) -> dict[str, Any]:
    """Find the person, take them out of one dataset after the other, and remove what was replaced."""
    plane: Plane = ctx.plane
    try:
        who = plane.stand_in(actor, scopes)
        asked = ctx.step("search", _search, plane, who, request, cause)
        found: Found = asked["datasets"]
        for done, dataset in enumerate(found):
            ctx.progress(done, len(found) + 1, f"dataset {done + 1} of {len(found)}")
            ctx.step(f"erase {dataset}", _retrying, erase_from, plane, who, request, dataset, cause)
        if asked["records"]:
            ctx.step("erase records", _retrying, erase_records, plane, who, request, cause)
        ctx.progress(len(found), len(found) + 1, "removing what was replaced")
        ctx.step("sweep", sweep_replaced, plane, request)
        ctx.step("end", _end, plane, request, ctx.job_id, "")
    except TrustplaneError as error:
        ctx.step("sweep after a failure", sweep_replaced, plane, request)
        ctx.step("fail", _end, plane, request, ctx.job_id, str(error))
        raise
    ctx.progress(len(found) + 1, len(found) + 1, "done")
    return {"datasets": len(found)}


def erase_from(
    plane: "Plane", actor: "Actor", request_id: str, dataset_id: str, cause: str | None = None
) -> str | None:
    """Write the versions of one dataset anew without the person; return the event's id, None if they are in none of them."""
    with plane.database.read() as session:
        request = session.get_one(SubjectRequest, request_id)
        project = session.get_one(Project, request.project_id)
        dataset = session.get_one(Dataset, dataset_id)
        target = dataset_target(session, dataset)
        versions = [v for v in live_versions(session, project.id) if v.dataset_id == dataset_id]
    if request.state in CLOSED or dataset_id in request.erased:
        return None
    written: list[_Rewritten] = []
    try:
        with plane.operation(actor, "dataset.erase", target, cause=cause) as op:
            rows = find_rows(op, request, versions)
            touched = [v for v in versions if rows.get(v.id)]
            with plane.database.read() as session:
                under = release(op, session, plane.keystore, [project.key_id])[project.key_id]
                keys = {v.id: release_columns(op, session, v, v.classes) for v in touched}
            for version in touched:
                place = Place(
                    under,
                    project.id,
                    version.id,
                    plane.clock.now(),
                    indexed_columns(version.classes, version.proposals),
                )
                gone = np.array(sorted(rows[version.id]), np.int64)
                written.append(_rewrite(plane, place, version, keys[version.id], gone))
            _replace(op, request, dataset_id, written, under)
    except BaseException:
        for each in written:
            _forget(plane, each.stored)
        raise
    settle(plane.database, plane.keystore)
    return op.id


@dataclass(frozen=True, slots=True)
class _Rewritten:
    version: DatasetVersion
    stored: Stored
    statistics: dict[str, Any]
    removed: int


def _rewrite(plane: "Plane", place: Place, version: DatasetVersion, keys: TableKeys, gone: Any) -> _Rewritten:
    schema = schema_of(version)
    collector = StatisticsCollector(schema, seed=0)

    def kept() -> Iterator[Any]:
        start = 0
        for batch in read_columns(plane.blobs, version, list(version.classes), keys):
            here = gone[np.searchsorted(gone, start) : np.searchsorted(gone, start + batch.num_rows)] - start
            mask = np.ones(batch.num_rows, bool)
            mask[here] = False
            start += batch.num_rows
            left = batch.filter(pa.array(mask)) if len(here) else batch
            if left.num_rows:
                collector.add(left)
                yield left

    stored = store_table(plane.blobs, place, schema, version.classes, kept())
    statistics = plain_statistics(collector.result({c: SensitivityClass(k) for c, k in version.classes.items()}))
    return _Rewritten(version, stored, statistics, len(gone))


def _replace(
    op: Operation, request: SubjectRequest, dataset_id: str, written: list[_Rewritten], project_key: SecretKey
) -> None:
    """Put the new tables in the place of the old ones, destroy the old keys, and say so; all in the operation's transaction."""
    session, plane, now = op.session, op.plane, op.plane.clock.now()
    hold_root(session)
    held = session.get_one(Dataset, dataset_id, populate_existing=True, with_for_update=True)
    if held.held:
        raise Refused("TP-DATA-076", "the dataset is under a legal hold")
    mine = session.get_one(SubjectRequest, request.id, populate_existing=True, with_for_update=True)
    if mine.state != "working":
        raise Refused("TP-DATA-073", f"the request is {mine.state}")
    if unwrap_chain(session, plane.keystore, project_key.id, anew=True).material != project_key.material:
        raise Conflict("TP-DATA-075", "the keys of the project were renewed meanwhile")
    doomed: list[VaultKey] = []
    replaced: list[str] = []
    for each in written:
        row = session.get_one(DatasetVersion, each.version.id, populate_existing=True)
        if row.digest != each.version.digest or row.keys != each.version.keys:
            raise Conflict("TP-DATA-075", "the dataset was written anew meanwhile")
        doomed += session.scalars(select(VaultKey).where(VaultKey.id.in_(list(row.keys.values())))).all()
        for blob in session.scalars(
            select(VaultBlob).where(VaultBlob.subject.in_([subject_of(row.id), subject_of_index(row.id)]))
        ):
            replaced.append(blob.digest)
            session.delete(blob)
        session.flush()
        session.add_all(each.stored.all_rows)
        row.digest, row.size, row.rows = each.stored.blob.digest, each.stored.blob.size, each.stored.rows
        row.keys, row.statistics = each.stored.key_ids, each.statistics
    session.flush()
    copies, objects = take_out_copies(session, held.project_id, {e.version.id: e.stored.blob.digest for e in written})
    doomed, replaced = [*doomed, *copies], [*replaced, *objects]
    certificate = destroy(session, plane.keystore, doomed, f"erasure by request {request.id}", now)
    versions = {each.version.id: {"number": each.version.number, "rows": each.removed} for each in written}
    mine.erased = {**mine.erased, dataset_id: {"event": op.id, "versions": versions, "replaced": replaced}}
    op.record(**certificate.facts(), request=request.id, versions=versions, replaced=replaced)
    op.refer(**{f"version-{each.version.number}": each.stored.blob.digest for each in written})


def sweep_replaced(plane: "Plane", request_id: str) -> int:
    """Remove the objects that an erasure replaced; their keys are gone already. Returns how many."""
    with plane.database.read() as session:
        row = session.get_one(SubjectRequest, request_id)
        digests = [d for each in row.erased.values() for d in each["replaced"]]
        known = set(session.scalars(select(VaultBlob.digest).where(VaultBlob.digest.in_(digests))))
    for digest in digests:
        if digest not in known:
            plane.blobs.delete(Digest(digest))
    return len(digests)


def _search(plane: "Plane", who: "Actor", request_id: str, cause: str) -> dict[str, Any]:
    with plane.database.read() as session:
        project = session.get_one(SubjectRequest, request_id).project_id
    found = search(plane, who, project, request_id, cause)
    return {"datasets": found.datasets, "records": sum(len(kept.ids) for kept in found.records)}


def _retrying(erase: Callable[..., str | None], *of: Any) -> str | None:
    for _ in range(_TRIES - 1):
        try:
            return erase(*of)
        except Conflict:
            continue  # somebody else wrote the dataset anew or renewed a key: look again
    return erase(*of)


def _end(plane: "Plane", request_id: str, job_id: str, failure: str) -> str:
    with plane.operation(PLANE_ACTOR, "job.finish", plane.job_target(PLANE_ACTOR, job_id)) as op:
        row = op.session.get_one(SubjectRequest, request_id, with_for_update=True)
        if row.state == "working":
            row.state = "verified"
        row.found = {"failure": failure[:500]} if failure else {}
        op.session.flush()
        op.record(request=request_id, failed=bool(failure), datasets=len(row.erased))
    return row.state


def live_versions(session: Session, project_id: str) -> list[DatasetVersion]:
    """The versions of a project that still can be read, the oldest first."""
    rows = session.scalars(
        select(DatasetVersion)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(Dataset.project_id == project_id)
        .order_by(DatasetVersion.dataset_id, DatasetVersion.number)
    ).all()
    ids = {k for v in rows for k in v.keys.values()}
    live = set(session.scalars(select(VaultKey.id).where(VaultKey.id.in_(ids), VaultKey.wrapped.is_not(None))))
    return [v for v in rows if live.issuperset(v.keys.values())]


def _index_of(session: Session, version_id: str) -> VaultBlob:
    return session.scalars(select(VaultBlob).where(VaultBlob.subject == subject_of_index(version_id))).one()


def _forget(plane: "Plane", stored: Stored) -> None:
    """Remove what was written for nothing; what was recorded after all stays."""
    digests = [blob.digest for blob in (stored.blob, stored.index) if blob is not None]
    with plane.database.read() as session:
        known = set(session.scalars(select(VaultBlob.digest).where(VaultBlob.digest.in_(digests))))
    for digest in digests:
        if digest not in known:
            plane.blobs.delete(Digest(digest))
