"""Versions at rest: writing a table as one encrypted object with a key per column, and reading columns of it back.

The vault keeps a key per sensitivity class, which never leaves it; the keys of columns are derived from these.
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from trustplane.data.blind_index import NAME as INDEX
from trustplane.data.blind_index import IndexBuilder, subject_of_index
from trustplane.data.tables import DatasetVersion
from trustplane.kernel.operation import Operation
from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.keyring import PARTS, KeySpec, has_parts, mint, release, release_parts
from trustplane.kernel.vault.keys import SecretKey, derive
from trustplane.kernel.vault.parquet import FOOTER, EncryptedWriter, TableKeys, key_name, read
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.values.digests import Digest


@dataclass(frozen=True, slots=True)
class Stored:
    """A table that lies in the store; its rows are in no session yet."""

    blob: VaultBlob
    keys: tuple[VaultKey, ...]
    key_ids: dict[str, str]
    rows: int
    index: VaultBlob | None = None

    @property
    def all_rows(self) -> tuple[VaultKey | VaultBlob, ...]:
        """What is to be recorded with the version."""
        return (*self.keys, self.blob, *(() if self.index is None else (self.index,)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new version goes: under which key, in which project, as which version; and which columns people are found by."""

    project_key: SecretKey
    project_id: str
    version_id: str
    now: datetime
    indexed: tuple[str, ...] = ()


def subject_of(version_id: str) -> str:
    """How keys and objects name a version."""
    return f"dataset-version:{version_id}"


def has_keys(session: Session, version: DatasetVersion) -> bool:
    """Whether any key of a version is left."""
    wanted = select(VaultKey.id).where(VaultKey.id.in_(list(version.keys.values())), VaultKey.wrapped.is_not(None))
    return session.scalar(wanted.limit(1)) is not None


def store_table(
    blobs: BlobStore, place: Place, schema: Any, classes: Mapping[str, str], batches: Iterable[Any]
) -> Stored:
    """Encrypt a table under fresh keys, one for each column, from one for each class. Memory does not grow with the table."""
    subject = subject_of(place.version_id)
    rows, keys = [], {}
    for name in (FOOTER, *sorted(set(classes.values()))):
        sensitivity = None if name == FOOTER else name
        purpose = "table" if name == FOOTER else PARTS
        row, key = mint(place.project_key, KeySpec(purpose, subject, place.project_id, sensitivity), place.now)
        rows.append(row)
        keys[name] = key
    columns = {key_name(column): derive(keys[klass], column) for column, klass in classes.items()}
    table_keys, index = TableKeys({FOOTER: keys[FOOTER], **columns}), None
    if place.indexed:
        row, index_key = mint(place.project_key, KeySpec("index", subject, place.project_id, INDEX), place.now)
        rows.append(row)
        keys = {**keys, INDEX: index_key}
        index = IndexBuilder(index_key, place.indexed)
    count = 0
    with blobs.writer() as sink:
        with EncryptedWriter(sink, schema, classes, table_keys) as writer:
            for batch in batches:
                count += batch.num_rows
                writer.write(batch)
                if index is not None:
                    index.add(batch)
        digest = sink.commit()
        blob = VaultBlob(digest=digest, size=sink.size, subject=subject, created=place.now)
    kept = None if index is None else _keep_index(blobs, place, keys[INDEX], index)
    return Stored(blob, tuple(rows), {name: key.id for name, key in keys.items()}, count, kept)


def _keep_index(blobs: BlobStore, place: Place, key: SecretKey, index: IndexBuilder) -> VaultBlob:
    return seal(blobs, key, index.chunks(), subject_of_index(place.version_id), place.now).row


def release_columns(op: Operation, session: Session, version: DatasetVersion, columns: Iterable[str]) -> TableKeys:
    """The keys of ``columns``, and of no other column, released to ``op``.

    A version that was written before columns had keys of their own gives the keys of their classes.
    """
    store = op.plane.keystore
    by_class: dict[str, list[str]] = {}
    for column in columns:
        by_class.setdefault(version.classes[column], []).append(column)
    whole = [name for name in by_class if not has_parts(session, version.keys[name])]
    keys = release(op, session, store, [version.keys[name] for name in (FOOTER, *whole)])
    parts = release_parts(op, session, store, {version.keys[k]: c for k, c in by_class.items() if k not in whole})
    return TableKeys(
        {name: keys[version.keys[name]] for name in (FOOTER, *whole)}
        | {key_name(column): key for column, key in parts.items()}
    )


def read_columns(
    blobs: BlobStore, version: DatasetVersion, columns: Sequence[str], keys: TableKeys, packed: Collection[str] = ()
) -> Iterator[Any]:
    """Batches of the named columns; those ``packed`` come as Arrow dictionaries."""
    digest = Digest(version.digest)
    with closing(blobs.open(digest)) as opened:
        source = blobs.path(digest) or opened
        yield from read(source, columns, version.classes, keys, subject=subject_of(version.id), packed=packed)


def describe_schema(schema: Any) -> dict[str, Any]:
    """A schema as a version keeps it: readable types, and Arrow's own form."""
    bare = schema.remove_metadata()
    return {
        "types": {field.name: str(field.type) for field in bare},
        "arrow": base64.b64encode(bare.serialize().to_pybytes()).decode(),
    }


def schema_of(version: DatasetVersion) -> Any:
    """The Arrow schema of a version."""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(version.columns["arrow"])))
