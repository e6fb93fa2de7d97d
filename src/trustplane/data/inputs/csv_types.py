"""Types of CSV columns: inferred without loss, or given; and where exactly a record does not fit them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trustplane.data.inputs.csv_records import Chunk, fields_in, record_ends
from trustplane.values.errors import BadInput, nearest

TYPES: Mapping[str, Any] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
"""The types that a user may give a column."""

NULLS = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")
"""What stands for a missing value in numbers and dates; in text only the empty field does, since Null is a surname."""

# A number that is written in the one canonical way: what these miss is kept as text, so that no leading zero, plus sign
# or digit is lost.
_PLAIN_INTEGER = r"^[ \t]*-?(?:0|[1-9][0-9]*)[ \t]*$"
_PLAIN_DECIMAL = r"^[ \t]*-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?[ \t]*$"
_BEYOND_DOUBLE = r"^[ \t]*-?[0-9]{16,}[ \t]*$"
_REWRITTEN = r"^[ \t]*(?:\+|-?0[0-9xX])"


def given_types(
    names: Sequence[str], types: Mapping[str, str], known: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The Arrow types that a user gave by name; raise ``BadInput`` (TP-DATA-011) for unknown columns and types.

    ``known`` are those that columns had before, for the columns that are still there.
    """
    for column, name in types.items():
        if column not in names:
            raise BadInput(
                "TP-DATA-011", f"there is no column {column[:80]!r} to give a type to", why=nearest(column, list(names))
            )
        if name not in TYPES:
            all_types = ", ".join(TYPES)
            raise BadInput(
                "TP-DATA-011",
                f"{name[:80]!r} is not a type of a column",
                why=nearest(name, TYPES),
                fix=f"use one of {all_types}",
            )
    kept = {column: kind for column, kind in (known or {}).items() if column in names}
    return {column: TYPES[name] for column, name in {**kept, **types}.items()}


def parse(data: bytes, names: Sequence[str], types: Mapping[str, Any], only: Sequence[str] = ()) -> Any:
    """One record batch from whole records; columns without a type are inferred.

    Raises ``pyarrow.ArrowInvalid``, which may quote the data.
    """
    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        read_options=pyarrow.csv.ReadOptions(column_names=list(names), block_size=len(data) + 1),
        # In a table of one column a blank line is a record with an empty field.
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict(types), null_values=list(NULLS), check_utf8=False, include_columns=list(only) or None
        ),
    )
    return _as_batch(table)


def infer(chunk: Chunk, names: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The type of every column, from the first records. A column that reading as numbers would change stays text."""
    schema = parse(chunk.data, names, given).schema
    types = {field.name: pa.string() if pa.types.is_null(field.type) else field.type for field in schema}
    numbers = [name for name in names if name not in given and _is_number(types[name])]
    for name in changed_by_reading(chunk.data, names, {name: types[name] for name in numbers}, inferring=True):
        types[name] = pa.string()
    return types


def changed_by_reading(data: bytes, names: Sequence[str], numbers: Mapping[str, Any], *, inferring: bool) -> list[str]:
    """Which of the columns ``numbers`` hold numbers that would come back otherwise: ``007``, ``+4930``, ``0x1F``.

    When ``inferring``, also columns with anything that is not plainly a number, or too long for a double.
    """
    if not numbers:
        return []
    texts = parse(data, names, dict.fromkeys(numbers, pa.string()), only=list(numbers))
    return [name for name, kind in numbers.items() if _changes(texts[name], kind, inferring=inferring)]


def may_change(data: bytes) -> bool:
    """Whether a field starts like ``01``, ``-01``, ``0x`` or ``+``: a quick look that mostly spares the exact one."""
    signs = np.frombuffer(b"\n\n" + data + b"\n", np.uint8)
    zeros = np.flatnonzero(signs[2:-1] == ord("0")) + 2
    before, after = signs[zeros - 1], signs[zeros + 1]
    starts = _begins_field(before) | ((before == ord("-")) & _begins_field(signs[zeros - 2]))
    goes_on = ((after >= ord("0")) & (after <= ord("9"))) | (after == ord("x")) | (after == ord("X"))
    pluses = np.flatnonzero(signs == ord("+"))
    return bool(np.any(starts & goes_on) or np.any(_begins_field(signs[pluses - 1])))


def _begins_field(before: Any) -> Any:
    return (
        (before == ord(","))
        | (before == ord("\n"))
        | (before == ord('"'))
        | (before == ord(" "))
        | (before == ord("\t"))
    )


def explain(chunk: Chunk, names: Sequence[str], types: Mapping[str, Any], fits: Callable[[bytes], bool]) -> BadInput:
    """Why ``chunk`` cannot be read: its first record that does not fit, found by bisection, and what is wrong."""
    ends = record_ends(chunk.data)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        if fits(chunk.data[: ends[middle]]):
            low = middle + 1
        else:
            high = middle
    start = int(ends[low - 1]) if low else 0
    record, line = chunk.data[start : ends[low]], chunk.line_of(start)
    found = fields_in(record)
    if found != len(names):
        facts = {"line": line, "found": found, "expected": len(names)}
        return BadInput(
            "TP-DATA-003", f"line {line:,} has {found:,} fields, the header has {len(names):,}", facts=facts
        )
    for name in names:
        if not _fits(record, names, {**types, **{other: pa.string() for other in names if other != name}}):
            return _misfit(record, names, name, types[name], line)
        if _is_number(types[name]) and changed_by_reading(record, names, {name: types[name]}, inferring=False):
            return misfit(
                name, types[name], line, "string", why="as a number it would lose a leading zero, plus sign or prefix"
            )
    return BadInput("TP-DATA-009", f"line {line:,} is not well-formed CSV")


def misfit(name: str, arrow_type: Any, line: int, better: str, *, why: str = "") -> BadInput:
    """The error for a value that does not fit its column; it does not show the value."""
    return BadInput(
        "TP-DATA-008",
        f"column {name!r} is read as {arrow_type}, and the value on line {line:,} does not fit",
        why=why,
        fix=f"give the column a type: --type {name}={better}",
        facts={"column": name, "line": line},
    )


def _misfit(record: bytes, names: Sequence[str], name: str, arrow_type: Any, line: int) -> BadInput:
    wider = {name: pa.float64()}
    holds = pa.types.is_integer(arrow_type) and _fits(record, names, {**dict.fromkeys(names, pa.string()), **wider})
    exact = holds and not changed_by_reading(record, names, wider, inferring=True)
    return misfit(name, arrow_type, line, "float64" if exact else "string")


def _fits(data: bytes, names: Sequence[str], types: Mapping[str, Any]) -> bool:
    try:
        parse(data, names, types)
    except pa.ArrowInvalid:
        return False
    return True


def _changes(texts: Any, kind: Any, *, inferring: bool) -> bool:
    present = texts.filter(pc.invert(pc.is_in(texts, pa.array([*NULLS, None], pa.string()))))
    if not inferring:
        return _any(present, _REWRITTEN)
    plain = pc.match_substring_regex(present, pattern=_PLAIN_INTEGER if pa.types.is_integer(kind) else _PLAIN_DECIMAL)
    if not pc.all(plain, min_count=0).as_py():
        return True
    return bool(pa.types.is_floating(kind)) and _any(present, _BEYOND_DOUBLE)


def _any(texts: Any, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern=pattern)).as_py())


def _is_number(arrow_type: Any) -> bool:
    return bool(pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type))


def _as_batch(table: Any) -> Any:
    """The table as one batch, in which an empty text is a missing value."""
    arrays = []
    for column in table.columns:
        array = (
            column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays([pa.array([], column.type), *column.chunks])
        )
        if pa.types.is_string(array.type):
            empty = pc.equal(pc.binary_length(array), 0)
            array = pc.if_else(empty, None, array) if pc.any(empty).as_py() else array
        arrays.append(array)
    return pa.record_batch(arrays, names=table.column_names)
