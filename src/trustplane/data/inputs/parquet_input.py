"""Parquet from strangers: what the file claims of itself is checked before it is believed."""

import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from trustplane.data.inputs.parquet_footer import ColumnClaim, FooterClaims, FooterError, claims
from trustplane.data.inputs.plain import plain, plain_schema
from trustplane.data.inputs.reader import Reader, check_names
from trustplane.values.errors import BadInput

ROWS = 65_536
"""Rows of a batch."""
LARGEST_FOOTER = 16 << 20
LARGEST_COLUMN_CHUNK = 1 << 30
"""Bytes that one column of one row group may have when decoded; writers' defaults stay far below."""
_BUFFER = 4 << 20
_DECODING_ERRORS = (pa.ArrowException, OSError, ValueError)  # Arrow raises the last for names that are not UTF-8
_PLAIN, _ENCRYPTED = b"PAR1", b"PARE"


def read_parquet(stream: BinaryIO) -> Reader:
    """A Parquet file; the stream must be seekable, since the file's index stands at its end.

    Raises ``BadInput`` (TP-DATA-010, 012 to 016).
    """
    source = ParquetInput(stream)
    check_names(source.schema.names)
    if source.rows == 0:
        raise BadInput("TP-DATA-002", f"the file has {len(source.schema.names):,} columns and no rows")
    return Reader(source.schema, source.batches())


class ParquetInput:
    """An opened Parquet file. ``schema`` is of plain columns, without the metadata that the writer put there."""

    def __init__(self, stream: BinaryIO) -> None:
        said = _claims(_footer(stream))
        check_claims(said)
        self._file, arrow_schema = _opened(stream)
        self.rows = said.rows
        self.schema: Any = plain_schema(arrow_schema)

    def batches(self) -> Iterator[Any]:
        """The rows, validated, each page's checksum compared where it has one."""
        walk = self._file.iter_batches(batch_size=ROWS, use_threads=False)
        seen = 0
        while (batch := self._next(walk)) is not None:
            seen += batch.num_rows
            yield batch
        if seen != self.rows:
            raise BadInput("TP-DATA-012", f"the Parquet file says that it has {self.rows:,} rows, and has {seen:,}")

    def _next(self, walk: Iterator[Any]) -> Any:
        try:
            batch = next(walk, None)
            if batch is None:
                return None
            batch.validate(full=True)  # offsets and UTF-8, which a hostile writer chooses freely
            return pa.record_batch(
                [plain(array, field) for array, field in zip(batch.columns, self.schema, strict=True)],
                schema=self.schema,
            )
        except _DECODING_ERRORS:
            pass  # Arrow's error may quote the data
        raise BadInput("TP-DATA-012", "the Parquet file is damaged: its pages cannot be decoded")


def _footer(stream: BinaryIO) -> bytes:
    """The footer, after a look at the magic numbers and its length (Parquet format, section File Format)."""
    if not stream.seekable():
        raise BadInput("TP-DATA-016", "a Parquet file cannot be read from a pipe, since its index stands at its end")
    size = stream.seek(0, 2)
    if size == 0:
        raise BadInput("TP-DATA-001", "the file is empty")
    stream.seek(0)
    head = stream.read(4)
    stream.seek(max(0, size - 8))
    tail = stream.read(8)
    if head == _ENCRYPTED and tail[-4:] == _ENCRYPTED:
        raise BadInput("TP-DATA-013", "the Parquet file is encrypted, its footer included")
    if head != _PLAIN:
        raise BadInput("TP-DATA-010", "the data is not a Parquet file")
    if size < 12 or tail[-4:] != _PLAIN:
        raise BadInput("TP-DATA-012", "the Parquet file is truncated: its last four bytes are not PAR1")
    footer = struct.unpack("<I", tail[:4])[0]
    if footer > size - 12:
        raise BadInput(
            "TP-DATA-012", f"the Parquet file is damaged: its footer would have {footer:,} bytes, the file has {size:,}"
        )
    if footer > LARGEST_FOOTER:
        what = f"the footer of the Parquet file has {footer:,} bytes, at most {LARGEST_FOOTER:,} are read"
        raise BadInput("TP-DATA-015", what)
    stream.seek(size - 8 - footer)
    content = stream.read(footer)
    stream.seek(0)
    return content


def _opened(stream: BinaryIO) -> tuple[Any, Any]:
    """The file as Arrow sees it, and its Arrow schema."""
    try:
        file = pq.ParquetFile(
            pa.PythonFile(stream, mode="r"),
            buffer_size=_BUFFER,
            pre_buffer=False,
            thrift_string_size_limit=LARGEST_FOOTER,
            thrift_container_size_limit=1_000_000,
            page_checksum_verification=True,
            arrow_extensions_enabled=False,
        )
        return file, file.schema_arrow
    except _DECODING_ERRORS:
        pass  # Arrow's error may quote the file's metadata
    raise BadInput("TP-DATA-012", "the Parquet file is damaged: its footer cannot be decoded")


def _claims(footer: bytes) -> FooterClaims:
    try:
        return claims(footer)
    except FooterError as error:
        raise BadInput(
            "TP-DATA-012", "the Parquet file is damaged: its footer cannot be decoded", why=str(error)
        ) from None


def check_claims(said: FooterClaims) -> None:
    """Raise ``BadInput`` unless what the footer says is possible, readable and within the limits."""
    encrypted = sorted({at for _, columns in said.groups for at, column in enumerate(columns, 1) if column.encrypted})
    if encrypted or said.encrypted:
        which = f": columns {', '.join(map(str, encrypted[:20]))}" if encrypted else ""
        raise BadInput("TP-DATA-013", f"the Parquet file is encrypted{which}")
    counted = sum(rows for rows, _ in said.groups)
    if counted != said.rows or any(rows < 0 for rows, _ in said.groups):
        what = f"the Parquet file says that it has {said.rows:,} rows, its row groups have {counted:,}"
        raise BadInput("TP-DATA-012", what)
    for index, (_, columns) in enumerate(said.groups):
        for at, column in enumerate(columns, 1):
            _check_column(column, f"column {at} of row group {index}")


def _check_column(column: ColumnClaim, where: str) -> None:
    if column.elsewhere:
        raise BadInput("TP-DATA-012", f"{where} of the Parquet file would be in another file")
    if not column.described or min(column.values, column.decoded, column.encoded) < 0:
        raise BadInput("TP-DATA-012", f"the Parquet file is damaged: {where} has no or negative sizes")
    if column.decoded > LARGEST_COLUMN_CHUNK:
        what = f"{where} has {column.decoded:,} bytes when decoded, at most {LARGEST_COLUMN_CHUNK:,} are read"
        raise BadInput("TP-DATA-015", what)
