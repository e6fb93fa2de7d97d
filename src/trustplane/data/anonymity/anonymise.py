"""A recipe carried out on a table, recounted by other means than it was made by, and measured before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from trustplane.data.anonymity.attacks import as_it_is, attack, by_levels, by_ranges
from trustplane.data.anonymity.hierarchies import ALL, Column, encode
from trustplane.data.anonymity.lattice import classes_at, search
from trustplane.data.anonymity.models import Model
from trustplane.data.anonymity.mondrian import everything_holds, partition
from trustplane.data.anonymity.recipes import Recipe
from trustplane.data.anonymity.risks import risk_of
from trustplane.values.errors import BadInput, Tampered, nearest

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Anonymised:
    """The table, which of the rows it has, in their order, and what is known of it: ``figures`` are plain numbers and hold no value."""

    table: Any
    kept: Array
    figures: dict[str, Any]


def anonymise(table: Any, recipe: Recipe) -> Anonymised:
    """Carry out a recipe on an Arrow table; raise :class:`BadInput` where it cannot be (TP-DATA-060 to 062)."""
    _require_columns(table, recipe)
    columns = [encode(q, table[q], recipe.hierarchies.get(q)) for q in recipe.quasi_identifiers]
    sensitive = None if recipe.sensitive is None else encode(recipe.sensitive, table[recipe.sensitive]).codes
    if table.num_rows == 0 or not everything_holds(table.num_rows, recipe.model, sensitive):
        distinct = 0 if sensitive is None or not len(sensitive) else int(sensitive.max()) + 1
        why = f"there are {table.num_rows:,} rows" + (f" with {distinct} sensitive values" if recipe.sensitive else "")
        m = recipe.model
        raise BadInput("TP-DATA-062", f"k = {m.k}, l = {m.l}, t = {m.t:g} cannot be reached", why=why)
    before = risk_of(classes_at(columns, (0,) * len(columns), Model(1), None))
    node: dict[str, int] | None = None
    if recipe.method == "mondrian":
        classes = partition(columns, recipe.model, sensitive)
        shown, loss = _ranges(columns, classes)
        seen = by_ranges(columns, classes)
    else:
        found = search(columns, recipe.model, limit=recipe.suppression, sensitive=sensitive)
        classes, loss = found.classes, found.loss
        node = {c.name: level for c, level in zip(columns, found.node, strict=True)}
        shown = [_at_level(c, level) for c, level in zip(columns, found.node, strict=True)]
        seen = by_levels(columns, found.node, classes >= 0)
    kept = np.flatnonzero(classes >= 0)
    rest = [name for name in recipe.columns if name not in recipe.quasi_identifiers]
    made = pa.table(
        {**{c.name: values.take(pa.array(kept)) for c, values in zip(columns, shown, strict=True)}, **{n: table[n].take(pa.array(kept)) for n in rest}}
    )  # fmt: skip
    reached = recount(made, recipe)
    after = risk_of(classes)
    figures = {
        "recipe": recipe.digest,
        "method": recipe.method,
        "quasi_identifiers": list(recipe.quasi_identifiers),
        "asked": {"k": recipe.model.k, "l": recipe.model.l, "t": recipe.model.t},
        "reached": reached,
        "suppressed": int((classes < 0).sum()),
        "loss": round(loss, 6),
        "discernibility": _discernibility(classes, table.num_rows),
        "before": before.facts(),
        "after": after.facts(),
        "attacks": attack(columns, as_it_is(columns), seen, sensitive),
    }
    return Anonymised(made, kept, figures if node is None else {**figures, "levels": node})


def recount(table: Any, recipe: Recipe) -> dict[str, Any]:
    """k, l and t of a table as it is, by grouping its rows; raise :class:`Tampered` where that is less than the recipe asks for."""
    names = list(recipe.quasi_identifiers)
    sizes = (
        table.group_by(names).aggregate([([], "count_all")])["count_all"].to_numpy()
        if table.num_rows
        else np.array([0])
    )
    reached: dict[str, Any] = {"k": int(sizes.min())}
    short = table.num_rows > 0 and reached["k"] < recipe.model.k
    if recipe.sensitive is not None and table.num_rows:
        reached |= _recount_sensitive(table, names, recipe.sensitive)
        short = short or reached["l"] < recipe.model.l or reached["t"] > recipe.model.t + 1e-9
    if short:
        raise Tampered("TP-DATA-063", "the recount does not find what was to be reached")
    return reached


def _recount_sensitive(table: Any, names: list[str], sensitive: str) -> dict[str, Any]:
    pairs = table.group_by([*names, sensitive]).aggregate([([], "count_all")])
    whole = {
        v["values"]: v["counts"] / table.num_rows for v in table[sensitive].combine_chunks().value_counts().to_pylist()
    }
    classes: dict[tuple[Any, ...], dict[Any, int]] = {}
    for row in pairs.to_pylist():
        classes.setdefault(tuple(row[n] for n in names), {})[row[sensitive]] = row["count_all"]
    worst = 0.0
    for held in classes.values():
        size = sum(held.values())
        worst = max(worst, sum(abs(held.get(v, 0) / size - share) for v, share in whole.items()) / 2)
    return {"l": min(len(held) for held in classes.values()), "t": round(worst, 9)}


def _require_columns(table: Any, recipe: Recipe) -> None:
    names = table.column_names
    for name in recipe.columns:
        if name not in names:
            raise BadInput("TP-DATA-060", f"the table has no column {name[:80]!r}", why=nearest(name, names))


def _at_level(column: Column, level: int) -> Any:
    labels = pa.array(column.labels[level], pa.string())
    return labels.take(pa.array(column.levels[level][column.codes]))


def _ranges(columns: Sequence[Column], classes: Array) -> tuple[list[Any], float]:
    """What each cell is shown as where classes are ranges of values, and the mean penalty."""
    count = int(classes.max()) + 1
    shown, penalty = [], 0.0
    for column in columns:
        low = np.full(count, np.iinfo(np.int64).max)
        high = np.full(count, -1)
        np.minimum.at(low, classes, column.codes)
        np.maximum.at(high, classes, column.codes)
        words = column.labels[0]
        labels = [_range(words, int(a), int(b)) for a, b in zip(low, high, strict=True)]
        shown.append(pa.array(labels, pa.string()).take(pa.array(classes)))
        penalty += float(((high - low) / max(len(words) - 1, 1))[classes].mean())
    return shown, penalty / len(columns)


def _range(words: Sequence[str | None], low: int, high: int) -> str | None:
    if low == high:
        return words[low]
    if high - low + 1 == len(words):
        return ALL
    first, last = words[low], words[high]
    return f"{first} to {last}" if last is not None else f"{first} and above, or nothing"


def _discernibility(classes: Array, rows: int) -> int:
    """The sum of squared class sizes; a suppressed row counts as one that all rows are mixed with (Bayardo and Agrawal 2005)."""
    sizes = np.bincount(classes[classes >= 0]) if (classes >= 0).any() else np.array([0])
    return int((sizes.astype(object) ** 2).sum()) + int((classes < 0).sum()) * rows
