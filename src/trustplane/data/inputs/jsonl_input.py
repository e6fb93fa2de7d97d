"""JSON Lines as a table: one object on each line, whose members are the fields of a row."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from trustplane.data.inputs.csv_types import given_types
from trustplane.data.inputs.reader import Reader, check_names
from trustplane.values.errors import BadInput

PIECE = 4 << 20
LONGEST_LINE = 16 << 20
_BOM = b"\xef\xbb\xbf"
_EXACT = 2**53
_SURE = {"string": (str,), "bool": (bool,), "double": (float,)}
"""The JSON types of which every value fits."""
_Cell = None | bool | int | float | str
_DECODER = msgspec.json.Decoder(dict[str, _Cell])


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows, and the number of the line that the first stands on."""

    rows: list[dict[str, Any]]
    lines: list[int]


def read_jsonl(
    stream: BinaryIO, types: Mapping[str, str] | None = None, known: Mapping[str, str] | None = None
) -> Reader:
    """A file of JSON Lines in UTF-8. The columns are the names that the first 4 MiB have, in order; a missing one and null are the same.

    ``types`` gives columns a type by name, ``known`` are those that columns had before. Raises ``BadInput`` (TP-DATA-001, 002, 004, 006, 008, 011, 014, 100).
    """
    pieces = _pieces(stream)
    first = next(pieces, None)
    if first is None:
        raise BadInput("TP-DATA-001", "the file is empty")
    names = list(dict.fromkeys(name for row in first.rows for name in row))
    if not names:
        raise BadInput("TP-DATA-002", "no line has a field")
    check_names(names)
    given = given_types(names, types or {}, known)
    schema = pa.schema([(name, given.get(name) or _inferred(name, first)) for name in names])
    return Reader(schema, _batches(first, pieces, schema, frozenset(types or {})))


def _pieces(stream: BinaryIO) -> Iterator[_Piece]:
    left, line = b"", 1
    more = _block(stream).removeprefix(_BOM)
    while True:
        following = _block(stream)
        data = left + more
        end = data.rfind(b"\n") + 1 if following else len(data)
        whole, left = data[:end], data[end:]
        if len(left) > LONGEST_LINE:
            at = line + whole.count(b"\n")
            raise BadInput("TP-DATA-006", f"line {at:,} has more than {LONGEST_LINE:,} bytes")
        if whole.strip():
            yield _decoded(whole, line)
        line += whole.count(b"\n")
        if not following:
            return
        more = following


def _block(stream: BinaryIO) -> bytes:
    """The next :data:`PIECE` bytes, fewer at the end alone."""
    parts, size = [], 0
    while size < PIECE and (part := stream.read(PIECE - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _decoded(data: bytes, first: int) -> _Piece:
    rows, lines = [], []
    for number, text in enumerate(data.split(b"\n"), first):
        if text.strip():
            rows.append(_row(text, number))
            lines.append(number)
    return _Piece(rows, lines)


def _row(text: bytes, line: int) -> dict[str, Any]:
    refused = BadInput("TP-DATA-100", f"line {line:,} is no JSON object (RFC 8259)")
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError as error:  # says where in the line and of what kind, not what
        if "[...]" in str(error) and "got `" in str(error):
            refused = BadInput("TP-DATA-014", f"line {line:,} has an object or a list inside of a field")
        elif "range" in str(error):
            refused = BadInput("TP-DATA-100", f"line {line:,} has a number beyond the range of a double")
    except UnicodeDecodeError:
        refused = BadInput("TP-DATA-007", f"line {line:,} is not in UTF-8")
    except (msgspec.DecodeError, RecursionError):
        pass
    raise refused  # out here, since the caught error would hold the data


def _inferred(name: str, piece: _Piece) -> Any:
    kinds = {type(row.get(name)) for row in piece.rows} - {type(None)}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    if kinds and kinds <= {int, float}:
        return pa.float64()
    if kinds <= {str}:
        return pa.string()
    raise BadInput("TP-DATA-008", f"the column {name[:80]!r} has values of several types", fix=f"say --type {name[:80]}:string, or correct the file")  # fmt: skip


def _batches(first: _Piece, rest: Iterator[_Piece], schema: Any, given: frozenset[str]) -> Iterator[Any]:
    names = frozenset(schema.names)
    yield _batch(first, schema, given)
    for piece in rest:
        for row, line in zip(piece.rows, piece.lines, strict=True):
            if not names.issuperset(row):
                strange = next(n for n in row if n not in names)
                what = f"line {line:,} has a field {strange[:80]!r} that the first {PIECE >> 20} MiB do not have"
                raise BadInput("TP-DATA-003", what, fix="put a line that has every field first")
        yield _batch(piece, schema, given)


def _batch(piece: _Piece, schema: Any, given: frozenset[str]) -> Any:
    columns = [_column([row.get(f.name) for row in piece.rows], f, piece.lines, f.name in given) for f in schema]
    return pa.record_batch(columns, schema=schema)


def _column(values: Sequence[Any], field: Any, lines: Sequence[int], given: bool) -> Any:
    if not set(map(type, values)) <= {*_SURE.get(str(field.type), ()), type(None)}:
        for value, line in zip(values, lines, strict=True):
            if value is not None and not (given and isinstance(value, str)) and not _fits(value, field.type):
                raise _misfit(field, line)
    try:
        if pa.types.is_string(field.type) or any(isinstance(v, str) for v in values):
            return pa.array([_text(v) for v in values], pa.string()).cast(field.type)
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError):
        pass  # Arrow's error quotes the value
    raise _misfit(field, next((at for v, at in zip(values, lines, strict=True) if not _casts(v, field.type)), lines[0]))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _fits(value: Any, kind: Any) -> bool:
    """Whether the value is of a JSON type that can become ``kind`` without loss. A text is a number only where a user said so."""
    if pa.types.is_string(kind):
        return True
    if pa.types.is_boolean(kind):
        return isinstance(value, bool)
    if pa.types.is_integer(kind):
        return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    if pa.types.is_floating(kind):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT
        return whole or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, str)


def _casts(value: Any, kind: Any) -> bool:
    try:
        pa.array([value], pa.string() if isinstance(value, str) else kind).cast(kind)
    except (pa.ArrowException, OverflowError):
        return False
    return True


def _misfit(field: Any, line: int) -> BadInput:
    return BadInput("TP-DATA-008", f"line {line:,}: the value of column {field.name[:80]!r} is no {field.type}")
