"""The two games whose Shapley values explain a tree, leaf by leaf.

A leaf with value v and slots N gives a coalition S of known features v times the chance that a row reaches it: the known slots must be met
by the row explained, and the others by what stands in for it. So the game of a leaf is ``[S within the slots met] * weight(N - S)``, and only
``weight`` differs:

- against a reference (interventional): the share of reference rows that meet all slots of T;
- path-dependent (Lundberg, Erion and Lee 2018): the product over the slots of T of the shares of training rows that went the leaf's way.

That the value depends on which slots are met alone, is what lets it be tabled (Nadel and Wettenstein 2024; Yang 2021).
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Bools, Floats, Ints
from trustplane.assessment.explaining.forest import Forest, Paths, satisfied

_LEAST_SHARE = (
    1e-30  # of rows on a side that no training row took: an empty side has no say, and nothing is divided by zero
)


@dataclass(frozen=True, slots=True)
class Against:
    """The reference rows, of shape (rows, features), that stand in for what is not known."""

    rows: npt.NDArray[Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Along:
    """The rows that reached each node in training, of shape (nodes,)."""

    cover: Floats = field(repr=False)


Game = Against | Along


def weights(forest: Forest, leaves: Paths, game: Game) -> Floats:
    """``value * weight(T)`` for each set T of slots, as bits: shape (leaves, 2**width). All ``leaves`` have one width."""
    width = int(leaves.width[0])
    if isinstance(game, Against):
        met = masks(satisfied(forest, leaves, game.rows)[:, :width])
        at = np.arange(len(leaves.width))[:, None] * (1 << width) + met
        table = np.bincount(at.ravel(), minlength=len(leaves.width) << width).reshape(-1, 1 << width)
        found = table / len(game.rows)
        for bit in range(width):  # from "exactly these" to "at least these"
            halves = found.reshape(len(found), -1, 2, 1 << bit)
            halves[:, :, 0] += halves[:, :, 1]
    else:
        along = shares(forest, leaves, game.cover)[:, :width]
        found = np.ones((len(along), 1))
        for slot in range(width):
            found = np.concatenate([found, found * along[:, slot, None]], axis=1)
    return found * leaves.value[:, None]


def masks(met: Bools) -> Ints:
    """Slots met as bits: (leaves, slots, rows) to (leaves, rows)."""
    found = np.zeros((met.shape[0], met.shape[2]), np.int64)
    for slot in range(met.shape[1]):
        found |= met[:, slot].astype(np.int64) << slot
    return found


def shares(forest: Forest, leaves: Paths, cover: Floats) -> Floats:
    """The share of training rows that went a leaf's way, over the steps of each slot: shape (leaves, slots)."""
    found = np.ones((len(leaves.width), int(leaves.width.max(initial=0))))
    for step in range(leaves.node.shape[1]):
        on = np.flatnonzero(leaves.steps > step)
        node, says = leaves.node[on, step], leaves.says[on, step]
        child = np.where(says, forest.yes[node], forest.no[node])
        share = cover[child] / np.maximum(cover[node], _LEAST_SHARE)
        found[on, leaves.slot[on, step]] *= np.where(cover[node] > 0, share, 0.5)
    return np.maximum(found, _LEAST_SHARE)


def shapley(weight: Floats, width: int) -> Floats:
    """The Shapley value of each slot for each set of slots met: (leaves, 2**width) to (leaves, 2**width, width).

    A sum over the subsets of the slots met is taken for all sets at once, by the zeta transform.
    """
    leaves, sets = weight.shape
    number = np.arange(sets)
    size = np.array([int(n).bit_count() for n in number])
    prior = np.array([math.factorial(s) * math.factorial(width - s - 1) / math.factorial(width) for s in range(width)])
    without = weight[:, ::-1]  # of N - S, at S
    stays = _subset_sums(np.where(size < width, prior[np.minimum(size, width - 1)], 0.0) * without, width)
    found = np.empty((leaves, sets, width))
    for slot in range(width):
        bit = 1 << slot
        apart = (number & bit) == 0
        gain = np.zeros((leaves, sets))
        gain[:, apart] = prior[size[apart]] * (without[:, number[apart] | bit] - without[:, apart])
        gains = _subset_sums(gain, width)
        found[:, apart, slot] = -stays[:, apart]
        found[:, ~apart, slot] = gains[:, number[~apart] ^ bit]
    return found


def _subset_sums(of: Floats, width: int) -> Floats:
    found = of.copy()
    for bit in range(width):
        halves = found.reshape(len(found), -1, 2, 1 << bit)
        halves[:, :, 1] += halves[:, :, 0]
    return found
