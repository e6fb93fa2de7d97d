"""Appending: a new version that has the rows of the last one first, and then those that came."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.catalog import quarantined
from trustplane.data.inputs.reader import Reader
from trustplane.data.storage import read_columns, release_columns, schema_of
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.parquet import TableKeys
from trustplane.values.errors import BadInput, Conflict, nearest

_SPELLED = {"string": "string", "int64": "int64", "double": "float64", "bool": "bool", "date32[day]": "date", "timestamp[us]": "timestamp"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """The version that is appended to, with its keys by name."""

    version: DatasetVersion
    keys: TableKeys


def base_of(op: Operation, version: DatasetVersion) -> Base:
    """``version`` with its keys, released to this operation."""
    with op.plane.database.read() as session:
        return Base(version, release_columns(op, session, version, version.classes))


def types_of(version: DatasetVersion) -> dict[str, str]:
    """The types of a version's columns, as users spell them: a file without types of its own is read with these."""
    return {name: _SPELLED[kind] for name, kind in version.columns["types"].items() if kind in _SPELLED}


def after(base: Base, reader: Reader, op: Operation) -> Reader:
    """The rows of the base and then those of ``reader``, whose columns may stand in another order.

    Raises ``BadInput`` (TP-DATA-101) where the columns or their types are not those of the base.
    """
    schema = schema_of(base.version)
    _require_columns(schema, reader.schema)
    old = read_columns(op.plane.blobs, base.version, schema.names, base.keys)
    return Reader(schema, chain(old, _ordered(reader, schema)))


def require_unchanged(session: Session, base: Base) -> None:
    """Raise ``Conflict`` (TP-DATA-075) unless the base is still the newest version, as it was read: else an erasure could be undone."""
    # Whoever erases or ingests takes the dataset's row first.
    session.get_one(Dataset, base.version.dataset_id, populate_existing=True, with_for_update=True)
    newest = session.scalar(
        select(DatasetVersion)
        .where(DatasetVersion.dataset_id == base.version.dataset_id, ~quarantined())
        .order_by(DatasetVersion.number.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if newest is None or newest.id != base.version.id:
        raise Conflict("TP-DATA-075", "the dataset has a newer version meanwhile")
    if newest.digest != base.version.digest or newest.keys != base.version.keys:
        raise Conflict("TP-DATA-075", "the dataset was written anew meanwhile")


def _require_columns(old: Any, new: Any) -> None:
    missing = [name for name in old.names if name not in new.names]
    strange = [name for name in new.names if name not in old.names]
    changed = [name for name in new.names if name in old.names and new.field(name).type != old.field(name).type]
    problems = [f"there is no column {name[:80]!r}" for name in missing]
    problems += [
        f"the column {n[:80]!r} is new" + (f"; {hint}" if (hint := nearest(n, missing)) else "") for n in strange
    ]
    problems += [f"{n[:80]!r} is {new.field(n).type}, not {old.field(n).type}" for n in changed]
    if problems:
        raise BadInput("TP-DATA-101", "the file has other columns than the last version", why="; ".join(problems[:10]))


def _ordered(reader: Reader, schema: Any) -> Iterator[Any]:
    for batch in reader.batches:
        yield batch.select(schema.names)
