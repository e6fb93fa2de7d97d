"""Versions at rest: writing a table as one encrypted object with a key per sensitivity class, and reading columns of it back."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from trustplane.data.blind_index import NAME as INDEX
from trustplane.data.blind_index import IndexBuilder, subject_of_index
from trustplane.data.tables import DatasetVersion
from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.keyring import KeySpec, mint
from trustplane.kernel.vault.keys import SecretKey
from trustplane.kernel.vault.parquet import FOOTER, EncryptedWriter, TableKeys, read
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


def store_table(
    blobs: BlobStore, place: Place, schema: Any, classes: Mapping[str, str], batches: Iterable[Any]
) -> Stored:
    """Encrypt a table under fresh keys, one for each class that it has. Memory does not grow with the table."""
    subject = subject_of(place.version_id)
    rows, keys = [], {}
    for name in (FOOTER, *sorted(set(classes.values()))):
        sensitivity = None if name == FOOTER else name
        row, key = mint(place.project_key, KeySpec("table", subject, place.project_id, sensitivity), place.now)
        rows.append(row)
        keys[name] = key
    table_keys, index = TableKeys(keys), None
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


def key_ids_for(version: DatasetVersion, columns: Sequence[str]) -> dict[str, str]:
    """The keys by name that reading ``columns`` needs."""
    names = (FOOTER, *sorted({version.classes[c] for c in columns}))
    return {name: version.keys[name] for name in names}


def read_columns(
    blobs: BlobStore, version: DatasetVersion, columns: Sequence[str], keys: Mapping[str, SecretKey]
) -> Iterator[Any]:
    """Batches of the named columns, by keys given by name."""
    with closing(blobs.open(Digest(version.digest))) as source:
        yield from read(source, columns, version.classes, TableKeys(keys), subject=subject_of(version.id))


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
