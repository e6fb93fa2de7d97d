"""Arrow IPC from strangers, as a stream or as a file."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc

from trustplane.data.inputs.arrow_messages import MessageError, decoded_sizes
from trustplane.data.inputs.plain import plain, plain_schema
from trustplane.data.inputs.reader import Reader, check_names
from trustplane.values.errors import BadInput

_FILE = b"ARROW1"
_PADDED = 8
_ERRORS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError)


def read_arrow(stream: BinaryIO) -> Reader:
    """An Arrow stream or file, whose messages stand in the same order; ``stream`` is seekable.

    Raises ``BadInput`` (TP-DATA-001, 002, 004, 010, 012, 014, 015).
    """
    begin = _begin(stream)
    _check_messages(stream, begin)
    stream.seek(begin)
    opened = _opened(stream)
    schema = plain_schema(opened.schema)
    check_names(schema.names)
    batches = _batches(opened, schema)
    first = next(batches, None)
    if first is None:
        raise BadInput("TP-DATA-002", f"the file has {len(schema.names):,} columns and no rows")
    return Reader(schema, _chain(first, batches))


def _begin(stream: BinaryIO) -> int:
    stream.seek(0)
    head = stream.read(_PADDED)
    if not head:
        raise BadInput("TP-DATA-001", "the file is empty")
    if head.startswith(_FILE):
        return _PADDED
    if len(head) < _PADDED or head[:4] != b"\xff\xff\xff\xff":
        raise BadInput("TP-DATA-010", "the data is neither an Arrow stream nor an Arrow file")
    return 0


def _check_messages(stream: BinaryIO, begin: int) -> None:
    stream.seek(begin)
    try:
        for _ in decoded_sizes(stream):
            pass
    except MessageError as error:
        code = "TP-DATA-015" if "would have" in str(error) or "describes" in str(error) else "TP-DATA-012"
        raise BadInput(code, "the Arrow data cannot be read", why=str(error)) from None


def _opened(stream: BinaryIO) -> Any:
    try:
        opened = pa.ipc.open_stream(pa.PythonFile(stream, mode="r"), options=pa.ipc.IpcReadOptions(use_threads=False))
        plain_schema(opened.schema)  # its names may be no UTF-8
        return opened
    except _ERRORS:
        pass  # Arrow's error may quote the data
    raise BadInput("TP-DATA-012", "the Arrow data is damaged: its schema cannot be decoded")


def _batches(opened: Any, schema: Any) -> Iterator[Any]:
    while (batch := _next(opened, schema)) is not None:
        if batch.num_rows:
            yield batch


def _next(opened: Any, schema: Any) -> Any:
    try:
        try:
            batch = opened.read_next_batch()
        except StopIteration:
            return None
        batch.validate(full=True)  # offsets and UTF-8, which a hostile writer chooses freely
        return pa.record_batch(
            [plain(array, field) for array, field in zip(batch.columns, schema, strict=True)], schema=schema
        )
    except _ERRORS:
        pass  # Arrow's error may quote the data
    raise BadInput("TP-DATA-012", "the Arrow data is damaged: a batch cannot be decoded")


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest
