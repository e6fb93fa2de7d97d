"""Rows before and after a change: as a table that is kept sealed, and as what is shown of it. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BEFORE, AFTER = "before.", "after."
Floats = npt.NDArray[np.float64]


def changed_table(
    names: Sequence[str], before: Floats, after: Floats, said: Mapping[str, npt.NDArray[Any]]
) -> pa.Table:
    """Rows of shape (rows, features) before and after; ``said`` are columns of their own, which come first.

    Values are as the model computes with them, in the units of the table that it learned from.
    """
    columns: dict[str, Any] = {name: pa.array(values) for name, values in said.items()}
    for mark, rows in ((BEFORE, before), (AFTER, after)):
        columns |= {f"{mark}{name}": pa.array(rows[:, n].astype(np.float32)) for n, name in enumerate(names)}
    return pa.table(columns)


def changes_of(table: pa.Table, most: int | None = None) -> list[dict[str, Any]]:
    """The first rows of such a table: what was said of each, and ``changes``, the features that changed alone.

    A table of another form is given as it is.
    """
    some = table.slice(0, most)
    names = [n.removeprefix(BEFORE) for n in some.column_names if n.startswith(BEFORE)]
    if not names or any(AFTER + n not in some.column_names for n in names):
        return [dict(row) for row in some.to_pylist()]
    said = [n for n in some.column_names if not n.startswith((BEFORE, AFTER))]
    before, after = (np.column_stack([some[mark + n].to_numpy() for n in names]) for mark in (BEFORE, AFTER))
    shown = []
    for number, row in enumerate(some.select(said).to_pylist()):
        moved = np.flatnonzero(before[number] != after[number])
        changes = [
            {"feature": names[n], "before": _short(before[number, n]), "after": _short(after[number, n])} for n in moved
        ]
        shown.append({**row, "changes": changes})
    return shown


def _short(value: Any) -> float:
    """A number of single precision by the fewest digits that tell it from others."""
    return float(str(np.float32(value)))
