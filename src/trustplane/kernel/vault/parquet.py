"""Tables as Parquet with modular encryption: one key per sensitivity class, the footer encrypted and signed.

A reader without the key of a class reads the other columns and cannot read those. The key-wrapping interface that Parquet asks for is
answered from the keys that a decision released, and from nothing else.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from trustplane.kernel.vault.keys import SecretKey, unwrap, wrap
from trustplane.values.errors import BadInput, Denied, Tampered, TrustplaneError

FOOTER = "footer"
ROW_GROUP = 131_072
_CONTEXT = b"trustplane/parquet/v1"


@dataclass(frozen=True, slots=True)
class TableKeys:
    """The keys of one table by name: ``footer`` and one per sensitivity class, as many as were released."""

    by_name: Mapping[str, SecretKey]


class _Released(pe.KmsClient):  # type: ignore[misc]
    """Answers Parquet's key requests from released keys."""

    def __init__(self, keys: TableKeys) -> None:
        super().__init__()
        self._keys = keys

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
        return base64.b64encode(wrap(self._keys.by_name[master_key_identifier], key_bytes, _CONTEXT)).decode()

    def unwrap_key(self, wrapped_key: str, master_key_identifier: str) -> bytes:
        if master_key_identifier not in self._keys.by_name:
            raise KeyError(master_key_identifier)
        return unwrap(self._keys.by_name[master_key_identifier], base64.b64decode(wrapped_key), _CONTEXT)


def _factory(keys: TableKeys) -> tuple[Any, Any]:
    return pe.CryptoFactory(lambda _config: _Released(keys)), pe.KmsConnectionConfig()


class EncryptedWriter:
    """Writes record batches to a sink as one encrypted Parquet file; use as a context manager."""

    def __init__(self, sink: Any, schema: pa.Schema, classes: Mapping[str, str], keys: TableKeys) -> None:
        if set(schema.names) != set(classes):
            raise ValueError("every column needs a sensitivity class: one without would be written as plaintext")
        columns: dict[str, list[str]] = {}
        for name in schema.names:
            columns.setdefault(classes[name], []).append(name)
        factory, connection = _factory(keys)
        config = pe.EncryptionConfiguration(
            footer_key=FOOTER,
            column_keys=columns,
            data_key_length_bits=256,
            plaintext_footer=False,
            encryption_algorithm="AES_GCM_V1",
        )
        properties = factory.file_encryption_properties(connection, config)
        self._schema = schema
        self._writer = pq.ParquetWriter(
            pa.PythonFile(sink, mode="w"), schema, compression="zstd", encryption_properties=properties
        )
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch; row groups are written as they fill."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema), row_group_size=ROW_GROUP)
            self._waiting, self._rows = [], 0


def read(
    source: BinaryIO, columns: Sequence[str], classes: Mapping[str, str], keys: TableKeys, *, subject: str
) -> Iterator[pa.RecordBatch]:
    """The named columns in batches; raise :class:`Denied` for one whose key was not released, :class:`Tampered` where bytes were changed."""
    unknown = [c for c in columns if c not in classes]
    if unknown:
        raise BadInput("TP-VAULT-015", f"{subject} has no column {unknown[0]!r}")
    closed = [c for c in columns if classes[c] not in keys.by_name]
    if closed:
        raise Denied(
            "TP-VAULT-016",
            f"the key of the column {closed[0]!r} was not released",
            why=f"its class is {classes[closed[0]]}",
        )
    yield from _guarded(_batches(source, columns, keys), subject)


def _batches(source: BinaryIO, columns: Sequence[str], keys: TableKeys) -> Iterator[pa.RecordBatch]:
    factory, connection = _factory(keys)
    properties = factory.file_decryption_properties(connection)
    with pq.ParquetFile(source, decryption_properties=properties) as file:
        yield from file.iter_batches(batch_size=ROW_GROUP // 2, columns=list(columns))


def _guarded(batches: Iterable[pa.RecordBatch], subject: str) -> Iterator[pa.RecordBatch]:
    """Arrow's words may quote what it read; only ours go on."""
    try:
        yield from batches
    except TrustplaneError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError):
        raise Tampered(
            "TP-VAULT-017",
            f"the rows of {subject} do not decrypt",
            why="the file was changed, or is not under these keys",
        ) from None
