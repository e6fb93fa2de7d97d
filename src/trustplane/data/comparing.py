"""What differs between two versions of a dataset: schema, rows, distributions. Counts leave, values do not."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy.orm import Session

from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.sketches import hashes_of_rows
from trustplane.data.statistics import distance
from trustplane.data.storage import read_columns, release_columns, schema_of
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.identity.scopes import find_project
from trustplane.kernel.operation import Operation
from trustplane.values.errors import BadInput, NotFound, nearest

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

Array = np.ndarray[Any, Any]


def compare(
    plane: "Plane",
    actor: "Actor",
    project: str,
    dataset: str,
    old: int | None = None,
    new: int | None = None,
    key: Sequence[str] = (),
) -> dict[str, Any]:
    """What differs from version ``old`` to ``new``, the last two without numbers. By the columns ``key``, which tell rows apart, also
    which rows changed. Memory: 8 bytes for each row, and with a key for each value."""
    with plane.database.read() as session:
        row = find_dataset(session, find_project(session, project).id, dataset)
        after = find_version(session, row, new)
        before = find_version(session, row, old) if old is not None else _before(session, row, after)
        target = dataset_target(session, row)
    schemas = {v.id: schema_of(v) for v in (before, after)}
    common = [n for n in schemas[before.id].names if n in schemas[after.id].names and schemas[before.id].field(n).type == schemas[after.id].field(n).type]  # fmt: skip
    for name in key:
        if name not in common:
            raise BadInput("TP-DATA-033", f"both versions have no column {name[:80]!r} of one type", why=nearest(name, common))  # fmt: skip
    with plane.operation(actor, "dataset.compare", target) as op:
        hashes = {v.id: _hashed(op, v, common, keep=bool(key)) for v in (before, after)}
        found: dict[str, Any] = {
            "old": before.number,
            "new": after.number,
            "schema": _schema(schemas[before.id], schemas[after.id]),
            "rows": _rows(hashes[before.id], hashes[after.id]),
            "columns": [_column(before, after, name) for name in common],
        }
        if key:
            changed, by_column = _changed(hashes[before.id], hashes[after.id], key)
            found["rows"] |= changed
            found["columns"] = [{**c, "changed": by_column[c["column"]]} for c in found["columns"]]
        op.record(old=before.id, new=after.id, columns=len(common), key=list(key), rows=found["rows"])
        op.refer(old=before.digest, new=after.digest)
    return found


def _before(session: Session, dataset: Dataset, after: DatasetVersion) -> DatasetVersion:
    if after.number == 1:
        raise NotFound(
            "TP-DATA-034", f"the dataset {dataset.name!r} has one version: there is nothing to compare it with"
        )
    return find_version(session, dataset, after.number - 1)


def _hashed(op: Operation, version: DatasetVersion, columns: Sequence[str], *, keep: bool) -> dict[str, Array]:
    """A hash of each row (``""``), and where asked of each value by column."""
    with op.plane.database.read() as session:
        keys = release_columns(op, session, version, columns)
    rows: list[Array] = []
    values: dict[str, list[Array]] = {name: [] for name in columns}
    for batch in read_columns(op.plane.blobs, version, columns, keys) if columns else ():
        whole, by_column = hashes_of_rows(batch, columns)
        if keep:
            for name in columns:
                values[name].append(by_column[name])
        rows.append(whole)
    empty = np.empty(0, np.uint64)
    made = {"": np.concatenate(rows) if rows else empty}
    return made | ({n: np.concatenate(parts) if parts else empty for n, parts in values.items()} if keep else {})


def _schema(old: Any, new: Any) -> dict[str, Any]:
    both = [n for n in old.names if n in new.names]
    return {
        "added": [n for n in new.names if n not in old.names],
        "gone": [n for n in old.names if n not in new.names],
        "changed": [{"column": n, "was": str(old.field(n).type), "is": str(new.field(n).type)} for n in both if old.field(n).type != new.field(n).type],
    }  # fmt: skip


def _rows(old: Mapping[str, Array], new: Mapping[str, Array]) -> dict[str, int]:
    before, counts = np.unique(old[""], return_counts=True)
    after, others = np.unique(new[""], return_counts=True)
    _, here, there = np.intersect1d(before, after, assume_unique=True, return_indices=True)
    same = int(np.minimum(counts[here], others[there]).sum())
    return {"old": len(old[""]), "new": len(new[""]), "same": same, "gone": len(old[""]) - same, "added": len(new[""]) - same}  # fmt: skip


def _changed(
    old: Mapping[str, Array], new: Mapping[str, Array], key: Sequence[str]
) -> tuple[dict[str, int], dict[str, int]]:
    """By key: rows that are in both and differ, and how many values of each column do."""
    keys = []
    for side, name in ((old, "old"), (new, "new")):
        whole = np.zeros(len(side[""]), np.uint64)
        with np.errstate(over="ignore"):
            for column in key:
                whole = (whole ^ side[column]) * np.uint64(0x9E3779B97F4A7C15)
        if len(np.unique(whole)) < len(whole):
            raise BadInput("TP-DATA-033", f"the key does not tell all rows of the {name} version apart")
        keys.append(whole)
    both, here, there = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    columns = {n: int((old[n][here] != new[n][there]).sum()) for n in old if n}
    changed = int((old[""][here] != new[""][there]).sum())
    return {"changed": changed, "gone": len(keys[0]) - len(both), "added": len(keys[1]) - len(both)}, columns


def _column(old: DatasetVersion, new: DatasetVersion, name: str) -> dict[str, Any]:
    """How the figures of a column moved, by the statistics of the versions."""
    was, now = old.statistics.get(name, {}), new.statistics.get(name, {})
    made: dict[str, Any] = {
        "column": name,
        "nulls": [_share(was), _share(now)],
        "distinct": [was.get("distinct"), now.get("distinct")],
    }
    if was.get("numeric") and now.get("numeric"):
        made |= {"mean": [was["numeric"]["mean"], now["numeric"]["mean"]], "ks": distance(was["numeric"], now["numeric"])}  # fmt: skip
    return made


def _share(known: Mapping[str, Any]) -> float:
    return round(known.get("nulls", 0) / known["rows"], 6) if known.get("rows") else 0.0
