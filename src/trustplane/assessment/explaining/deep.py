"""Exact contributions of forests too deep for tables: slower, with no limit but 63 distinct features on one path."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Bools, Floats
from trustplane.assessment.explaining.forest import Forest, Paths, Unexplained, paths, satisfied
from trustplane.assessment.explaining.games import Along, Game, masks, shares

MOST_SLOTS = 63
_AT_ONCE = 8  # rows


@dataclass(frozen=True, slots=True)
class Deep:
    """A forest with what is the same for all rows. ``against`` (leaves, reference rows) are the slots met as bits; ``along`` shares of rows."""

    forest: Forest
    leaves: Paths = field(repr=False)
    against: npt.NDArray[np.int64] | None = field(repr=False)
    along: Floats | None = field(repr=False)
    base: float


def deep(forest: Forest, game: Game) -> Deep:
    """Prepare a forest; raise :class:`Unexplained` where a path has too many features."""
    leaves = paths(forest)
    if leaves.width.max(initial=0) > MOST_SLOTS:
        raise Unexplained(f"a path has more than {MOST_SLOTS} features")
    if isinstance(game, Along):
        along = shares(forest, leaves, game.cover)
        inside = np.where(np.arange(along.shape[1]) < leaves.width[:, None], along, 1.0)
        return Deep(forest, leaves, None, inside, forest.base + float((inside.prod(1) * leaves.value).sum()))
    base = float(forest.predict(game.rows).mean())
    return Deep(forest, leaves, masks(_own(leaves, satisfied(forest, leaves, game.rows))), None, base)


def explain_deep(prepared: Deep, rows: npt.NDArray[Any]) -> Floats:
    """The contribution of each feature to the score of each row: (rows, features) to (rows, features)."""
    parts = [_some(prepared, rows[at : at + _AT_ONCE]) for at in range(0, len(rows), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros((0, prepared.forest.features))


def _some(prepared: Deep, rows: npt.NDArray[Any]) -> Floats:
    met = _own(prepared.leaves, satisfied(prepared.forest, prepared.leaves, rows))
    one = _along if prepared.along is not None else _against
    return np.array([one(prepared, met[:, :, number]) for number in range(len(rows))])


def _own(leaves: Paths, met: Bools) -> Bools:
    """``met`` without the slots beyond each leaf's own."""
    return met & (np.arange(met.shape[1]) < leaves.width[:, None])[:, :, None]


def _against(prepared: Deep, met: Bools) -> Floats:
    """Pairs of the row and a reference row share a leaf's slots out among them, or it says nothing of the pair.

    Those met by the row alone (a of them) must be known, those met by the other alone (b) must not: each of the first gains
    ``(a-1)! b! / (a+b)!``, each of the second loses ``a! (b-1)! / (a+b)!``.
    """
    assert prepared.against is not None
    leaves = prepared.leaves
    mine = masks(met[:, :, None])[:, 0]
    full = (np.int64(1) << leaves.width) - 1
    leaf, other = np.nonzero((mine[:, None] | prepared.against) == full[:, None])
    here, there = mine[leaf] & ~prepared.against[leaf, other], prepared.against[leaf, other] & ~mine[leaf]
    a, b = np.bitwise_count(here).astype(np.int64), np.bitwise_count(there).astype(np.int64)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, MOST_SLOTS + 2)))])  # of factorials
    value = leaves.value[leaf] / prepared.against.shape[1]
    gain = np.where(a > 0, np.exp(logs[np.maximum(a - 1, 0)] + logs[b] - logs[a + b]), 0.0) * value
    loss = np.where(b > 0, np.exp(logs[a] + logs[np.maximum(b - 1, 0)] - logs[a + b]), 0.0) * value
    found = np.zeros(prepared.forest.features + 1)
    for slot in range(met.shape[1]):
        mark = np.int64(1) << slot
        given = np.where(here & mark, gain, 0.0) - np.where(there & mark, loss, 0.0)
        found += np.bincount(leaves.feature[leaf, slot] % len(found), given, len(found))
    return found[:-1]


def _along(prepared: Deep, met: Bools) -> Floats:
    """The Shapley value of a product game is an integral of a polynomial of degree ``width - 1``, exact by Gauss-Legendre quadrature."""
    assert prepared.along is not None
    leaves, along = prepared.leaves, prepared.along
    slots = along.shape[1]
    inside = np.arange(slots) < leaves.width[:, None]
    nodes, share = np.polynomial.legendre.leggauss(slots // 2 + 1)
    found = np.zeros(prepared.forest.features + 1)
    for t, w in zip((nodes + 1) / 2, share / 2, strict=True):
        factor = np.where(inside, along * (1 - t) + t * met, 1.0)
        product = factor.prod(1) * leaves.value * w
        given = np.where(inside, product[:, None] / factor * (met - along), 0.0)
        found += np.bincount((leaves.feature[:, :slots] % len(found)).ravel(), given.ravel(), len(found))
    return found[:-1]
