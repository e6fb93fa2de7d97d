"""Exact contributions of a forest to one row in a fraction of a millisecond, by tables made once.

What a leaf contributes depends on which decisions on its way the row meets, and on nothing else of the row. So neighbouring leaves are
gathered into blocks whose decisions (the way to the block and those within it) are at most a byte or two, and for each block and each
outcome of its decisions the contributions of all its leaves are summed beforehand. A row is then compared with all nodes once, each block's
decisions are packed into a number, and one line of each block's table is added up by feature.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Floats, Ints
from trustplane.assessment.explaining.forest import Forest, Unexplained, Way, paths, ways
from trustplane.assessment.explaining.games import Game, shapley, weights

MOST_BYTES = 512 << 20
_BYTE, _MOST_BITS = 8, 12
_AT_ONCE = 1 << 22  # numbers in one table of leaves on its way into blocks


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a forest's blocks; see :func:`explain`.

    ``decisions`` (blocks, 8 or 16) are the nodes of each block, padded with a node beyond the last, ``first`` (blocks,) the line of ``table``
    where a block's begins, ``columns`` (blocks, width) the features of a line's numbers, padded with one beyond the last.
    """

    forest: Forest
    decisions: Ints = field(repr=False)
    first: Ints = field(repr=False)
    columns: Ints = field(repr=False)
    table: Floats = field(repr=False)
    base: float


@dataclass(frozen=True, slots=True)
class _Block:
    decisions: tuple[int, ...]
    leaves: tuple[Way, ...]
    features: tuple[int, ...]


def tabled(forest: Forest, game: Game) -> Tables:
    """Make the tables; raise :class:`Unexplained` where they would be too large."""
    blocks = [block for root in forest.roots.tolist() for block in _blocks(forest, root)]
    width = max((len(b.features) for b in blocks), default=0) or 1
    bits = max((len(b.decisions) for b in blocks), default=0)
    lines = np.array([1 << len(b.decisions) for b in blocks], np.int64)
    if bits > _MOST_BITS or int(lines.sum()) * width * 8 > MOST_BYTES:
        raise Unexplained("its trees are too deep for tables")
    first = np.cumsum(lines) - lines
    decisions = np.full((len(blocks), _BYTE if bits <= _BYTE else 2 * _BYTE), len(forest.yes))
    columns = np.full((len(blocks), width), forest.features)
    for number, block in enumerate(blocks):
        decisions[number, : len(block.decisions)] = block.decisions
        columns[number, : len(block.features)] = block.features
    table = np.zeros((int(lines.sum()), width))
    base = _fill(forest, game, blocks, first, table)
    return Tables(forest, decisions, first, columns, table, base)


def explain(tables: Tables, rows: npt.NDArray[Any]) -> Floats:
    """The contribution of each feature to the score of each row: (rows, features) to (rows, features). With ``base`` they add up to the score."""
    forest = tables.forest
    rows = forest.as_compared(rows)
    found = np.empty((len(rows), forest.features))
    said = np.zeros(len(forest.yes) + 1, bool)
    columns, wide = tables.columns.ravel(), tables.decisions.shape[1] > _BYTE
    for number, row in enumerate(rows):
        said[:-1] = forest.decisions(row)
        packed = np.packbits(said.take(tables.decisions), axis=1, bitorder="little")
        outcome = packed.view("<u2")[:, 0] if wide else packed[:, 0]
        lines = tables.table.take(tables.first + outcome, axis=0)
        found[number] = np.bincount(columns, lines.ravel(), forest.features + 1)[:-1]
    return found


def _blocks(forest: Forest, root: int) -> Iterator[_Block]:
    """A tree cut into subtrees of which each has few decisions, those on the way to it counted."""
    inner: dict[int, int] = {}

    def count(node: int) -> int:
        below, order = [node], []
        while below:
            at = below.pop()
            order.append(at)
            if forest.yes[at] >= 0:
                below += [int(forest.yes[at]), int(forest.no[at])]
        for at in reversed(order):
            is_inner = forest.yes[at] >= 0
            inner[at] = 1 + inner[int(forest.yes[at])] + inner[int(forest.no[at])] if is_inner else 0
        return inner[node]

    count(root)
    waiting: list[Way] = [(root, ())]
    while waiting:
        node, above = waiting.pop()
        if len(above) + inner[node] <= _BYTE or inner[node] <= 1:
            leaves = tuple((leaf, above + way) for leaf, way in ways(forest, node))
            decisions = tuple(dict.fromkeys(at for _, way in leaves for at, _ in way))
            features = tuple(dict.fromkeys(int(forest.feature[at]) for at in decisions))
            yield _Block(decisions, leaves, features)
        else:
            waiting.append((int(forest.no[node]), (*above, (node, False))))
            waiting.append((int(forest.yes[node]), (*above, (node, True))))


def _fill(forest: Forest, game: Game, blocks: list[_Block], first: Ints, table: Floats) -> float:
    """Add what each leaf contributes to the lines of its block; return the score before anything is known."""
    every = paths(forest)
    of_leaf = _places(forest, blocks)
    maps: dict[Any, Ints] = {}
    base = forest.base
    for width in np.unique(every.width).tolist():
        chosen = np.flatnonzero(every.width == width)
        if width == 0:
            base += float(every.value[chosen].sum())
            continue
        step = max(_AT_ONCE // (width << width), 1)
        for part in (chosen[at : at + step] for at in range(0, len(chosen), step)):
            leaves = every.of(part)
            weight = weights(forest, leaves, game)
            base += float(weight[:, -1].sum())
            for leaf, contributed in zip(part.tolist(), shapley(weight, width), strict=True):
                number, way = of_leaf[leaf]
                block = blocks[number]
                met = _met(forest, block, way, maps)
                columns = [block.features.index(f) for f in every.feature[leaf, :width].tolist()]
                table[first[number] : first[number] + len(met), columns] += contributed[met]
    return base


def _places(forest: Forest, blocks: list[_Block]) -> list[tuple[int, Way]]:
    """For each leaf, in the order of :func:`paths`, its block and its way."""
    place = {leaf: (number, (leaf, way)) for number, block in enumerate(blocks) for leaf, way in block.leaves}
    return [place[leaf] for root in forest.roots.tolist() for leaf, _ in ways(forest, root)]


def _met(forest: Forest, block: _Block, way: Way, maps: dict[Any, Ints]) -> Ints:
    """For each outcome of a block's decisions which slots of a leaf are met, as bits. Leaves of one form share the answer."""
    position = {node: bit for bit, node in enumerate(block.decisions)}
    slots: dict[int, int] = {}
    form = tuple((position[n], yes, slots.setdefault(int(forest.feature[n]), len(slots))) for n, yes in way[1])
    key = (len(block.decisions), form)
    if key not in maps:
        outcome = np.arange(1 << len(block.decisions))
        failed = np.zeros_like(outcome)
        for bit, yes, slot in form:
            failed |= (((outcome >> bit) & 1) != yes).astype(np.int64) << slot
        maps[key] = ((1 << len(slots)) - 1) & ~failed
    return maps[key]
