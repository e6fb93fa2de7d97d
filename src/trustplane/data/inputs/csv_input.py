"""CSV as a table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

import pyarrow as pa

from trustplane.data.inputs.csv_records import Chunk, chunks, fields_in, record_ends
from trustplane.data.inputs.csv_types import changed_by_reading, explain, given_types, infer, may_change, parse
from trustplane.data.inputs.reader import MOST_COLUMNS, Reader, check_names
from trustplane.values.errors import BadInput


def read_csv(
    stream: BinaryIO, types: Mapping[str, str] | None = None, known: Mapping[str, str] | None = None
) -> Reader:
    """A CSV file with a header row; ``types`` gives columns a type by name, the others are inferred from the first 4
    MiB.

    ``known`` are the types that columns had before. The stream need not be seekable. Raises ``BadInput`` with the codes TP-DATA-001 to 011.
    """
    pieces = chunks(stream)
    first = next(pieces)
    names, body = _header(first)
    given = given_types(names, types or {}, known)
    while not _has_rows(body, names):
        following = next(pieces, None)
        if following is None:
            raise BadInput("TP-DATA-002", f"the file has a header with {len(names):,} columns and no rows")
        body = following
    column_types = _inferred(body, names, given)
    schema = pa.schema([(name, column_types[name]) for name in names])
    return Reader(schema, _batches(body, pieces, names, column_types, frozenset(given)))


def _header(first: Chunk) -> tuple[list[str], Chunk]:
    """The names of the columns, and what follows the header."""
    end = int(record_ends(first.data)[0])
    record = first.data[:end]
    if not record.strip(b"\r\n"):
        raise BadInput("TP-DATA-004", "the first line is blank, the header must stand there")
    width = fields_in(record)
    if width > MOST_COLUMNS:
        raise BadInput("TP-DATA-004", f"the header has {width:,} fields, at most {MOST_COLUMNS:,} are read")
    places = [str(place) for place in range(width)]
    fields = parse(record, places, dict.fromkeys(places, pa.string()))
    names = [(fields[place][0].as_py() or "").strip() for place in places]
    for sign, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if width == 1 and sign in names[0]:
            what = f"the fields are separated by {word}, those of a CSV file are separated by commas (RFC 4180)"
            raise BadInput("TP-DATA-010", what)
    check_names(names)
    return names, Chunk(first.data[end:], first.line_of(end), first.offset + end)


def _inferred(body: Chunk, names: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return infer(body, names, given)
    except pa.ArrowInvalid:
        pass  # Arrow's error quotes the row, so it must not become the cause of ours
    texts = {name: given.get(name, pa.string()) for name in names}
    raise explain(body, names, texts, lambda data: _reads(data, names, texts, {}))


def _batches(
    body: Chunk, rest: Iterator[Chunk], names: Sequence[str], types: Mapping[str, Any], given: frozenset[str]
) -> Iterator[Any]:
    numbers = {
        name: kind
        for name, kind in types.items()
        if name not in given and (pa.types.is_integer(kind) or pa.types.is_floating(kind))
    }
    while True:
        if _has_rows(body, names):
            yield _read(body, names, types, numbers)
        following = next(rest, None)
        if following is None:
            return
        body = following


def _has_rows(chunk: Chunk, names: Sequence[str]) -> bool:
    """A blank line is no row, except in a table of one column."""
    return bool(chunk.data if len(names) == 1 else chunk.data.strip(b"\r\n"))


def _read(chunk: Chunk, names: Sequence[str], types: Mapping[str, Any], numbers: Mapping[str, Any]) -> Any:
    batch = None
    with suppress(pa.ArrowInvalid):  # explained below, without the row that Arrow's error quotes
        batch = parse(chunk.data, names, types)
    if batch is None or (may_change(chunk.data) and changed_by_reading(chunk.data, names, numbers, inferring=False)):
        raise explain(chunk, names, types, lambda data: _reads(data, names, types, numbers))
    return batch


def _reads(data: bytes, names: Sequence[str], types: Mapping[str, Any], numbers: Mapping[str, Any]) -> bool:
    try:
        parse(data, names, types)
    except pa.ArrowInvalid:
        return False
    return not changed_by_reading(data, names, numbers, inferring=False)
