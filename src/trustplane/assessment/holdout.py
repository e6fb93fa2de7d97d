"""The hold-out of a run as checks see it: features, what came, and groups."""

import io
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trustplane.assessment.checks.contract import Ints, Rows, Texts
from trustplane.values.errors import BadInput

FEATURES, TRAINING, THREAT = "features.json", "training.parquet", "threat.toml"
"""What a run leaves beside its hold-out: its features, the rows it learned from, in the form of the hold-out, where checks may see them, and its threat model."""
MISSING = "(missing)"
AGES = (25, 35, 45, 55, 62)
"""Where bands of age begin. From 62 a person is elderly to credit law in the United States: 12 CFR 1002.2(o)."""
_FEW, _BANDS, _REPEATS = 12, 4, 20


class _Feature(msgspec.Struct, frozen=True):
    name: str


def feature_names(said: bytes) -> list[str]:
    """The names in ``features.json``, in the order of the model's input."""
    try:
        return [f.name for f in msgspec.json.decode(said, type=list[_Feature])]
    except msgspec.DecodeError as error:
        raise BadInput("TP-ASSESS-003", f"{FEATURES} cannot be read", why=str(error)) from None


def read_holdout(
    parquet: bytes, features: list[str], label: str = "", protected: tuple[str, ...] = (), time: str = ""
) -> Rows:
    """The hold-out from its Parquet file. ``label`` is its last column unless named; ``time`` a column of dates or numbers that orders the rows.

    Groups are the columns named ``protected``, and all beside features and label whose values repeat; what does not repeat
    identifies rows. Raises :class:`BadInput` (TP-ASSESS-003), which names columns and never a value.
    """
    try:
        table = pq.read_table(io.BytesIO(parquet))
    except pa.ArrowException as error:
        raise BadInput("TP-ASSESS-003", "the hold-out is no Parquet file that can be read") from error
    if not table.num_rows or not features:
        raise BadInput("TP-ASSESS-003", "the hold-out has no rows, or the model no features")
    label = label or table.column_names[-1]
    missing = [n for n in (*features, label, *protected, *([time] if time else [])) if n not in table.column_names]
    if missing or label in features:
        why = f"it lacks {', '.join(missing)[:300]}" if missing else f"{label!r} is a feature and the label"
        raise BadInput("TP-ASSESS-003", "the hold-out lacks columns", why=why)
    beside = [n for n in table.column_names if n not in features and n != label]
    chosen = [n for n in beside if n in protected or _repeats(table[n])]
    chosen += [n for n in protected if n not in chosen]
    groups = {name: _groups(name, table[name]) for name in chosen}
    matrix = np.column_stack([_numbers(name, table[name]) for name in features]).astype(np.float32)
    return Rows(matrix, _label(label, table[label]), groups, _time(time, table[time]) if time else None)


def _time(name: str, column: Any) -> npt.NDArray[np.float64]:
    """When each row was, on a scale of no unit."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    return _numbers(name, column)


def _repeats(column: Any) -> bool:
    """Whether a value stands there twenty times on average, or is a number of few kinds such as an age in years."""
    distinct = int(pc.count_distinct(column).as_py())
    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    return distinct > 0 and (distinct * _REPEATS <= len(column) or (number and distinct <= min(120, len(column) // 2)))


def _numbers(name: str, column: Any) -> npt.NDArray[np.float64]:
    try:
        numbers: npt.NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    except (pa.ArrowException, ValueError):
        raise BadInput("TP-ASSESS-003", f"the column {name[:80]!r} of the hold-out holds no numbers") from None
    if column.null_count:
        raise BadInput("TP-ASSESS-003", f"the column {name[:80]!r} of the hold-out has missing values")
    return numbers


def _label(name: str, column: Any) -> Ints:
    numbers = _numbers(name, column)
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise BadInput("TP-ASSESS-003", f"the label {name[:80]!r} holds something else than 0 and 1")
    return numbers.astype(np.int64)


def _groups(name: str, column: Any) -> Texts:
    """The group of each row: the value itself, or a band where the column holds many numbers."""
    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if not numeric or int(pc.count_distinct(column).as_py()) <= _FEW:
        texts = column.cast(pa.string()).fill_null(MISSING).to_pylist()
        return np.array([t[:64] for t in texts], dtype=np.str_)
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    known = np.isfinite(numbers)
    edges: list[float] = (
        [float(a) for a in AGES]
        if name.casefold() == "age"
        else np.unique(np.quantile(numbers[known], np.arange(1, _BANDS) / _BANDS)).tolist()
    )
    names = [f"below {edges[0]:g}"]
    names += [f"{low:g} to below {high:g}" for low, high in pairwise(edges)]
    names.append(f"from {edges[-1]:g}")
    bands = np.array(names)[np.searchsorted(edges, np.where(known, numbers, 0.0), side="right")]
    return np.where(known, bands, MISSING)
