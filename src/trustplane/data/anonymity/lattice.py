"""The optimal full-domain generalisation: every column at one level, the least loss of all nodes that hold, by exact search.

The loss of a node is the mean penalty of its cells, where a suppressed row counts as lost. The penalty without suppression is known for each
node beforehand and never falls on the way up; nodes are looked at in its order, so the search ends when it reaches the best loss found.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trustplane.data.anonymity.hierarchies import Column
from trustplane.data.anonymity.models import Model, holds
from trustplane.values.errors import BadInput

Node = tuple[int, ...]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Generalised:
    """A node that holds. ``classes[i]`` is the class of row i, -1 where it is suppressed; ``loss`` is 0 to 1."""

    node: Node
    classes: Array
    loss: float
    suppressed: int
    looked_at: int


@dataclass(frozen=True, slots=True)
class _Rolled:
    """Distinct combinations at a node: their codes (rows, columns), how many rows each has, and of which sensitive values."""

    codes: Array
    sizes: Array
    sensitive: Array | None


def search(columns: Sequence[Column], model: Model, *, limit: float, sensitive: Array | None = None) -> Generalised:
    """The node of least loss that holds with at most ``limit`` of the rows suppressed; raise :class:`BadInput` if there is none."""
    rows = len(columns[0].codes)
    base = _base(columns, sensitive)
    least = [_level_losses(column) for column in columns]
    best: tuple[float, Node, int] | None = None
    looked, most = 0, int(limit * rows + 1e-9)
    kept: dict[Node, _Rolled] = {(0,) * len(columns): base}
    for bound, node in _in_order(least):
        if best is not None and bound >= best[0] - 1e-15:
            break
        looked += 1
        rolled = _rolled(kept, columns, node)
        good = holds(model, rolled.sizes, rolled.sensitive)
        lost = int(rolled.sizes[~good].sum())
        if lost <= most:
            loss = _loss(columns, node, rolled, good, rows)
            if best is None or (loss, node) < best[:2]:
                best = loss, node, lost
    if best is None:
        raise _unreachable(kept[max(kept)], model, rows, most)
    return Generalised(best[1], classes_at(columns, best[1], model, sensitive), best[0], best[2], looked)


def classes_at(columns: Sequence[Column], node: Node, model: Model, sensitive: Array | None) -> Array:
    """The class of each row at a node, -1 where its class does not hold."""
    codes = np.stack([c.levels[level][c.codes] for c, level in zip(columns, node, strict=True)], axis=1)
    keys = _keys(codes)
    _, inverse, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    counts = None if sensitive is None else _table(inverse, sensitive, len(sizes))
    good = holds(model, sizes, counts)
    return np.where(good[inverse], inverse, -1)


def _in_order(least: Sequence[Array]) -> Iterator[tuple[float, Node]]:
    """All nodes by their penalty without suppression, the least first."""
    columns = len(least)
    start: Node = (0,) * columns

    def bound(node: Node) -> float:
        return float(sum(each[level] for each, level in zip(least, node, strict=True)) / columns)

    heap, seen = [(bound(start), start)], {start}
    while heap:
        at, node = heapq.heappop(heap)
        yield at, node
        for place in range(columns):
            if node[place] + 1 < len(least[place]):
                above = (*node[:place], node[place] + 1, *node[place + 1 :])
                if above not in seen:
                    seen.add(above)
                    heapq.heappush(heap, (bound(above), above))


def _base(columns: Sequence[Column], sensitive: Array | None) -> _Rolled:
    codes = np.stack([c.codes for c in columns], axis=1)
    return _merge(codes, np.ones(len(codes), np.int64), None, sensitive)


def _rolled(kept: dict[Node, _Rolled], columns: Sequence[Column], node: Node) -> _Rolled:
    """The combinations at a node, from those of its smallest child that is known."""
    if node in kept:
        return kept[node]
    below = [(*node[:place], node[place] - 1, *node[place + 1 :]) for place in range(len(node)) if node[place]]
    child = min((b for b in below if b in kept), key=lambda b: len(kept[b].sizes))
    place = next(i for i in range(len(node)) if child[i] != node[i])
    old = kept[child]
    codes = old.codes.copy()
    codes[:, place] = _step(columns[place], node[place])[codes[:, place]]
    kept[node] = _merge(codes, old.sizes, old.sensitive, None)
    return kept[node]


def _step(column: Column, level: int) -> Array:
    """From the codes of the level below to those of ``level``."""
    below, here = column.levels[level - 1], column.levels[level]
    step = np.zeros(int(below.max(initial=0)) + 1, np.int64)
    step[below] = here
    return step


def _merge(codes: Array, sizes: Array, counts: Array | None, values: Array | None) -> _Rolled:
    _, first, inverse = np.unique(_keys(codes), return_index=True, return_inverse=True)
    merged = np.bincount(inverse, weights=sizes, minlength=len(first)).astype(np.int64)
    if values is not None:
        counts = _table(inverse, values, len(first))
    elif counts is not None:
        folded = np.zeros((len(first), counts.shape[1]), np.int64)
        np.add.at(folded, inverse, counts)
        counts = folded
    return _Rolled(codes[first], merged, counts)


def _keys(codes: Array) -> Array:
    """One number for each combination of codes; combinations beyond 63 bits are numbered anew on the way."""
    keys = np.zeros(len(codes), np.int64)
    span = 1
    for place in range(codes.shape[1]):
        column = codes[:, place]
        width = int(column.max(initial=0)) + 1
        if span * width >= 1 << 62:
            known, keys = np.unique(keys, return_inverse=True)
            span = len(known)
        keys = keys * width + column
        span *= width
    return keys


def _table(inverse: Array, values: Array, classes: int) -> Array:
    width = int(values.max(initial=0)) + 1
    flat = np.bincount(inverse * width + values, minlength=classes * width)
    return flat.reshape(classes, width)


def _level_losses(column: Column) -> Array:
    """The mean penalty of a column's cells at each level."""
    weights = np.bincount(column.codes, minlength=len(column.levels[0]))
    total = max(int(weights.sum()), 1)
    return np.array([float((weights * loss).sum() / total) for loss in column.losses])


def _loss(columns: Sequence[Column], node: Node, rolled: _Rolled, good: Array, rows: int) -> float:
    """The mean penalty of all cells, those of suppressed rows counting as 1."""
    lost = int(rolled.sizes[~good].sum()) * len(columns)
    kept = 0.0
    for place, (column, level) in enumerate(zip(columns, node, strict=True)):
        penalty = np.zeros(int(column.levels[level].max(initial=0)) + 1)
        penalty[column.levels[level]] = column.losses[level]
        kept += float((penalty[rolled.codes[good, place]] * rolled.sizes[good]).sum())
    return (kept + lost) / max(rows * len(columns), 1)


def _unreachable(top: _Rolled, model: Model, rows: int, most: int) -> BadInput:
    """No node holds, not even the one at which all rows are alike."""
    could = [f"k is at most {rows}"]
    if top.sensitive is not None:
        could.append(f"l is at most {int((top.sensitive.sum(0) > 0).sum())}")
    what = f"k = {model.k}, l = {model.l}, t = {model.t:g} cannot be reached"
    return BadInput("TP-DATA-062", what, why=f"of {rows:,} rows at most {most:,} may be suppressed; {', '.join(could)}")
