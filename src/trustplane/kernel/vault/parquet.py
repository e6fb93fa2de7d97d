"""Tables as Parquet with modular encryption: one key per column, the footer encrypted and signed.

A reader without the key of a column reads the others and cannot read that one. The key-wrapping interface that Parquet asks for is
answered from the keys that a decision released, and from nothing else. Tables of the first form, with a key per sensitivity class, are
read as well.
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
from pyarrow.fs import LocalFileSystem

from trustplane.kernel.vault.keys import SecretKey, unwrap, wrap
from trustplane.values.errors import BadInput, Denied, Tampered, TrustplaneError

FOOTER = "footer"
_SEPARATORS = ",:;"
ROW_GROUP = 131_072
LARGE = 8 << 20
"""Bytes from which on the row groups of a file are decoded side by side."""
BATCH = ROW_GROUP // 2
REPEATS = 4
"""A column has a dictionary where its values stand there so many times on average. In others, one costs time and space."""
_CONTEXT = b"trustplane/parquet/v1"


@dataclass(frozen=True, slots=True)
class TableKeys:
    """The keys of one table, as many as were released: ``footer``, and the names that :func:`key_name` gives columns.

    In a table of the first form keys have the names of sensitivity classes.
    """

    by_name: Mapping[str, SecretKey]


def key_name(column: str) -> str:
    """How a file names the key of a column. Any text may be the name of a column, and Parquet's list of keys has separators."""
    return f"column-{hashlib.sha256(column.encode()).hexdigest()[:32]}"


def _name_in_file(column: str) -> str:
    """A name that Parquet's list of keys and columns can hold: most are kept."""
    plain = column and column == column.strip() and not set(column) & set(_SEPARATORS)
    return column if plain else key_name(column)


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
        factory, connection = _factory(keys)
        config = pe.EncryptionConfiguration(
            footer_key=FOOTER,
            column_keys={key_name(column): [_name_in_file(column)] for column in schema.names},
            data_key_length_bits=256,
            plaintext_footer=False,
            encryption_algorithm="AES_GCM_V1",
        )
        self._properties = factory.file_encryption_properties(connection, config)
        self._given = schema
        self._schema = pa.schema([field.with_name(_name_in_file(field.name)) for field in schema])
        self._sink = pa.PythonFile(sink, mode="w")
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None and (self._waiting or self._writer is None):
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch; row groups are written as they fill."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._waiting, self._given).rename_columns(self._schema.names)
        if self._writer is None:  # how columns are laid out follows from the first rows
            self._writer = pq.ParquetWriter(
                self._sink,
                self._schema,
                compression="zstd",
                use_dictionary=_repeating(table),
                encryption_properties=self._properties,
            )
        self._writer.write_table(table, row_group_size=ROW_GROUP)
        self._waiting, self._rows = [], 0


def _repeating(table: pa.Table) -> list[str] | bool:
    """The columns of which a dictionary is worth its while. Parquet itself sees no more than whether a dictionary is large."""
    rows = table.slice(0, ROW_GROUP)
    named = [n for n in rows.schema.names if REPEATS * _distinct(rows.column(n)) <= rows.num_rows]
    return named or False


def _distinct(column: pa.ChunkedArray) -> int:
    try:
        return int(pc.count_distinct(column).as_py())
    except pa.ArrowNotImplementedError:  # nested, or a dictionary already
        return 0


def read(
    source: BinaryIO | Path,
    columns: Sequence[str],
    classes: Mapping[str, str],
    keys: TableKeys,
    *,
    subject: str,
    packed: Collection[str] = (),
) -> Iterator[pa.RecordBatch]:
    """The named columns in batches; raise :class:`Denied` for one whose key was not released, :class:`Tampered` where bytes were changed.

    Texts of the columns ``packed`` come as Arrow dictionaries, as they lie in the file: where they repeat, that is several times faster.
    """
    unknown = [c for c in columns if c not in classes]
    if unknown:
        raise BadInput("TP-VAULT-015", f"{subject} has no column {unknown[0]!r}")
    closed = [c for c in columns if key_name(c) not in keys.by_name and classes[c] not in keys.by_name]
    if closed:
        raise Denied(
            "TP-VAULT-016",
            f"the key of the column {closed[0]!r} was not released",
            why=f"its class is {classes[closed[0]]}",
        )
    yield from _guarded(_batches(source, columns, keys, packed), subject)


def _batches(
    source: BinaryIO | Path, columns: Sequence[str], keys: TableKeys, packed: Collection[str]
) -> Iterator[pa.RecordBatch]:
    names = {_name_in_file(c): c for c in columns}
    factory, texts = _factory(keys), [_name_in_file(c) for c in packed]
    if isinstance(source, Path) and source.stat().st_size >= LARGE:
        rows = _scan(source, list(names), factory, texts)
    else:
        rows = _walk(source, list(names), factory, texts)
    for batch in rows:
        yield batch.rename_columns([names.get(n, n) for n in batch.schema.names])


def _scan(path: Path, columns: list[str], factory: tuple[Any, Any], packed: list[str]) -> Iterator[pa.RecordBatch]:
    """A file of this machine: the next row groups are decoded while the caller works on this one."""
    import pyarrow.dataset as ds  # it loads pandas, which takes a second that no small file is worth

    made, connection = factory
    how = ds.ParquetDecryptionConfig(made, connection, pe.DecryptionConfiguration())
    options = ds.ParquetFragmentScanOptions(decryption_config=how, pre_buffer=False)
    form = ds.ParquetFileFormat(
        read_options=ds.ParquetReadOptions(dictionary_columns=packed), default_fragment_scan_options=options
    )
    part = form.make_fragment(str(path), filesystem=LocalFileSystem())
    yield from part.scanner(columns=columns, batch_size=BATCH, batch_readahead=1, fragment_readahead=1).to_batches()


def _walk(
    source: BinaryIO | Path, columns: list[str], factory: tuple[Any, Any], packed: list[str]
) -> Iterator[pa.RecordBatch]:
    """A small file, or one that Python reads, so that threads of Arrow's would wait for the interpreter."""
    made, connection = factory
    properties = made.file_decryption_properties(connection)
    with pq.ParquetFile(source, decryption_properties=properties, read_dictionary=packed) as file:
        yield from file.iter_batches(batch_size=BATCH, columns=columns)


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
