"""The optimal full-domain generalisation: every column at one level, the least loss of all nodes that hold, by exact search.

The loss of a node is the mean penalty of its cells, where a suppressed row counts as lost. The penalty without suppression is known for each
node beforehand and never falls on the way up; nodes are looked at in its order, so the search ends when it reaches the best loss found. Whoever merges classes that hold gets one that
holds, so below a node that fails all nodes fail: a binary search on a chain to the top finds high ones first, and what lies below is skipped.
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
    most = int(limit * rows + 1e-9)
    lattice = _Lattice(columns, base, model, most)
    for bound, node in _in_order(least):
        if best is not None and bound >= best[0] - 1e-15:
            break
        if lattice.fails(node):
            continue
        rolled, good, lost = lattice.at(node)
        loss = _loss(columns, node, rolled, good, rows)
        if best is None or (loss, node) < best[:2]:
            best = loss, node, lost
    if best is None:
        raise _unreachable(lattice.top, model, rows, most)
    classes = classes_at(columns, best[1], model, sensitive)
    return Generalised(best[1], classes, best[0], best[2], lattice.looked_at)


class _Lattice:
    """The nodes that were looked at, and what follows from them for those that were not."""

    def __init__(self, columns: Sequence[Column], base: _Rolled, model: Model, most: int) -> None:
        self._columns = columns
        self._model = model
        self._most = most
        self._heights = [c.height for c in columns]
        self._failing = np.zeros(self._heights, bool)
        self._known: dict[Node, tuple[_Rolled, Array, int]] = {}
        self._places: list[Node] = []
        self._keep((0,) * len(columns), base)

    @property
    def looked_at(self) -> int:
        """How many nodes were rolled up."""
        return len(self._known)

    @property
    def top(self) -> _Rolled:
        """The node at which all rows are alike."""
        return self.at(tuple(h - 1 for h in self._heights))[0]

    def at(self, node: Node) -> tuple[_Rolled, Array, int]:
        """The combinations at a node, which of them hold, and how many rows do not."""
        if node not in self._known:
            self._keep(node, self._rolled(node))
        return self._known[node]

    def fails(self, node: Node) -> bool:
        """Whether more rows than allowed do not hold at a node."""
        if self._failing[node]:
            return True
        path = list(_chain(node, self._heights))
        low, high = 0, len(path) - 1
        while low <= high:
            middle = (low + high) // 2
            if self._failing[path[middle]] or self.at(path[middle])[2] > self._most:
                self._failing[tuple(slice(level + 1) for level in path[middle])] = True
                low = middle + 1
            else:
                high = middle - 1
        return bool(self._failing[node])

    def _keep(self, node: Node, rolled: _Rolled) -> None:
        good = holds(self._model, rolled.sizes, rolled.sensitive)
        self._known[node] = rolled, good, int(rolled.sizes[~good].sum())
        self._places.append(node)

    def _rolled(self, node: Node) -> _Rolled:
        """The combinations at a node, from those of the smallest known node below it."""
        below = np.flatnonzero((np.array(self._places) <= np.array(node)).all(1))
        child = min((self._places[i] for i in below), key=lambda b: len(self._known[b][0].sizes))
        old = self._known[child][0]
        codes = old.codes.copy()
        for place, (was, now) in enumerate(zip(child, node, strict=True)):
            if was != now:
                codes[:, place] = _step(self._columns[place], was, now)[codes[:, place]]
        return _merge(codes, old.sizes, old.sensitive, None)


def _chain(node: Node, heights: Sequence[int]) -> Iterator[Node]:
    """From a node to the top, one level of one column at a time, turn by turn."""
    here = list(node)
    yield node
    while any(level + 1 < height for level, height in zip(here, heights, strict=True)):
        for place, height in enumerate(heights):
            if here[place] + 1 < height:
                here[place] += 1
                yield tuple(here)


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


def _step(column: Column, level: int, above: int) -> Array:
    """From the codes of one level to those of one above."""
    below, here = column.levels[level], column.levels[above]
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
