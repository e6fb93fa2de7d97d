"""Confirming the classes of a version: the word of a data steward over the proposal of the recognisers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from trustplane.data.blind_index import indexed_columns
from trustplane.data.catalog import dataset_target, find_dataset, find_version, require_usable
from trustplane.data.classes import COUNTS_ONLY, SensitivityClass
from trustplane.data.ingestion import Ingested
from trustplane.data.storage import Place, read_columns, release_columns, schema_of, store_table
from trustplane.data.tables import DatasetVersion
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.keyring import release
from trustplane.values.errors import BadInput, nearest
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane


def confirm(
    plane: "Plane",
    actor: "Actor",
    project: str,
    dataset: str,
    changes: Mapping[str, str] | None = None,
    number: int | None = None,
) -> Ingested:
    """Confirm the classes of a version, the newest without a number, with ``changes`` to some columns.

    Where a class changes, the table is encrypted anew, each column under a key from that of its class, as a new version that is confirmed.
    """
    with plane.database.read() as session:
        project_row = find_project(session, project)
        row = find_dataset(session, project_row.id, dataset)
        version = find_version(session, row, number)
        require_usable(session, version)
        target = dataset_target(session, row)
    classes = {**version.classes, **_checked(changes or {}, version)}
    with plane.operation(actor, "dataset.classify", target) as op:
        if classes == version.classes:
            held = op.session.get_one(DatasetVersion, version.id)
        else:
            held = _encrypted_anew(op, project_row.id, project_row.key_id, version, classes)
        held.confirmed_by, held.confirmed_at = op.actor.answerable, plane.clock.now()
        op.record(
            version=held.id,
            number=held.number,
            changed=sorted(c for c in classes if classes[c] != version.classes[c]),
            as_proposed=sum(1 for c in classes if classes[c] == version.proposals[c]["klass"]),
        )
        op.made(held.id)
        return Ingested(row.id, held.id, held.number)


def _checked(changes: Mapping[str, str], version: DatasetVersion) -> dict[str, str]:
    for column, klass in changes.items():
        if column not in version.classes:
            raise BadInput(
                "TP-DATA-033", f"there is no column {column[:80]!r}", why=nearest(column, list(version.classes))
            )
        if klass not in set(SensitivityClass):
            raise BadInput(
                "TP-DATA-039", f"{klass[:40]!r} is no sensitivity class", why=nearest(klass, list(SensitivityClass))
            )
    return dict(changes)


def _encrypted_anew(
    op: Operation, project_id: str, project_key: str, version: DatasetVersion, classes: dict[str, str]
) -> DatasetVersion:
    plane = op.plane
    with plane.database.read() as session:
        project = release(op, session, plane.keystore, [project_key])[project_key]
        keys = release_columns(op, session, version, version.classes)
    indexed = indexed_columns(classes, version.proposals)
    place = Place(project, project_id, new_id(), plane.clock.now(), indexed)
    batches = read_columns(plane.blobs, version, list(version.classes), keys)
    stored = store_table(plane.blobs, place, schema_of(version), classes, batches)
    last = op.session.scalar(
        select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == version.dataset_id)
    )
    counts_only = {c for c, k in classes.items() if k in COUNTS_ONLY}
    made = DatasetVersion(
        id=place.version_id,
        dataset_id=version.dataset_id,
        number=(last or 0) + 1,
        digest=stored.blob.digest,
        size=stored.blob.size,
        rows=stored.rows,
        columns=version.columns,
        classes=classes,
        proposals=version.proposals,
        statistics={c: {**s, "numeric": None} if c in counts_only else s for c, s in version.statistics.items()},
        keys=stored.key_ids,
        confirmed_by=None,
        confirmed_at=None,
        created=place.now,
    )
    op.session.add_all((*stored.all_rows, made))
    op.refer(table=stored.blob.digest)
    return made
