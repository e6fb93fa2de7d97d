"""Tree ensembles as flat arrays, whatever format they came in, and the path to each of their leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Bools, Floats, Ints

MOST_NODES = 4_000_000


class Unexplained(Exception):
    """Why a model has no exact explanation; another way is taken then."""


class Scale(StrEnum):
    """What contributions add up to."""

    LOG_ODDS = "log-odds"
    PROBABILITY = "probability"


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees whose sum is the model's score of class 1 on ``scale``; all arrays have shape (nodes,), ``roots`` (trees,).

    A row goes to ``yes`` where its ``feature`` is at most ``threshold`` (or equal to it, where ``equal``), else to ``no``; both are -1 at
    a leaf, which adds ``value``. What is missing goes to ``yes`` where ``missing_yes``. The type of ``threshold`` is the one that the model
    compares in. ``cover`` are the training rows that reached a node, or their weights, where the format tells them.
    """

    feature: Ints = field(repr=False)
    threshold: npt.NDArray[Any] = field(repr=False)
    yes: Ints = field(repr=False)
    no: Ints = field(repr=False)
    missing_yes: Bools = field(repr=False)
    equal: Bools = field(repr=False)
    value: Floats = field(repr=False)
    roots: Ints = field(repr=False)
    base: float
    features: int
    scale: Scale
    cover: Floats | None = field(default=None, repr=False)

    def decisions(self, row: npt.NDArray[Any]) -> Bools:
        """Which nodes a row answers with yes; ``row`` has shape (features,) and the type of ``threshold``."""
        said: Bools = row.take(self.feature) <= self.threshold
        if self.equal.any():
            said = np.where(self.equal, row.take(self.feature) == self.threshold, said)
        missing = np.isnan(row)
        return said | (missing.take(self.feature) & self.missing_yes) if missing.any() else said

    def as_compared(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows of shape (rows, features) in the type that the model compares in."""
        return np.ascontiguousarray(rows, self.threshold.dtype)

    def predict(self, rows: npt.NDArray[Any]) -> Floats:
        """The score of each row on ``scale``; ``rows`` has shape (rows, features)."""
        rows = self.as_compared(rows)
        at, found = np.arange(len(rows)), np.full(len(rows), self.base)
        for root in self.roots.tolist():
            place = np.full(len(rows), root)
            while (inner := self.yes[place] >= 0).any():
                value = rows[at, self.feature[place]]
                limit = self.threshold[place]
                yes = np.where(self.equal[place], value == limit, value <= limit)
                yes |= np.isnan(value) & self.missing_yes[place]
                place = np.where(inner, np.where(yes, self.yes[place], self.no[place]), place)
            found += self.value[place]
        return found

    def probability(self, score: Floats) -> Floats:
        """The probability of class 1 that a score on ``scale`` stands for."""
        if self.scale is Scale.PROBABILITY:
            return score
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-score))


@dataclass(frozen=True, slots=True)
class Paths:
    """The way to each leaf: ``node`` and ``says`` (whether by yes) have shape (leaves, depth), -1 beyond the leaf's own depth.

    The distinct features on a way are its slots: ``slot`` (leaves, depth) says of each step which, ``feature`` (leaves, slots) which feature
    a slot is, -1 beyond ``width`` (leaves,). ``steps`` (leaves,) is each leaf's depth.
    """

    node: Ints = field(repr=False)
    says: Bools = field(repr=False)
    slot: Ints = field(repr=False)
    feature: Ints = field(repr=False)
    width: Ints = field(repr=False)
    steps: Ints = field(repr=False)
    value: Floats = field(repr=False)

    def of(self, leaves: Ints) -> "Paths":
        """The paths of some leaves alone."""
        return Paths(
            self.node[leaves],
            self.says[leaves],
            self.slot[leaves],
            self.feature[leaves],
            self.width[leaves],
            self.steps[leaves],
            self.value[leaves],
        )


Way = tuple[int, tuple[tuple[int, bool], ...]]
"""A leaf, and the inner nodes above it with what each was answered."""


def ways(forest: Forest, start: int) -> Iterator[Way]:
    """The leaves under a node with their ways from it; raise :class:`Unexplained` where the nodes are no tree."""
    yes, no = forest.yes, forest.no
    waiting: list[Way] = [(start, ())]
    seen = 0
    while waiting:
        node, above = waiting.pop()
        seen += 1
        if seen > len(yes):
            raise Unexplained("its nodes are no trees")
        if yes[node] < 0:
            yield node, above
        else:
            waiting.append((int(no[node]), (*above, (node, False))))
            waiting.append((int(yes[node]), (*above, (node, True))))


def paths(forest: Forest) -> Paths:
    """The paths of all leaves, those of each tree from left to right."""
    found = [way for root in forest.roots.tolist() for way in ways(forest, root)]
    depth = max((len(above) for _, above in found), default=0)
    shape = (len(found), max(depth, 1))
    node, slot, feature = np.full(shape, -1), np.full(shape, -1), np.full(shape, -1)
    says, width = np.zeros(shape, bool), np.zeros(len(found), np.int64)
    of_node = forest.feature.tolist()
    for leaf, (_, above) in enumerate(found):
        slots: dict[int, int] = {}
        for step, (inner, yes) in enumerate(above):
            node[leaf, step], says[leaf, step] = inner, yes
            slot[leaf, step] = slots.setdefault(of_node[inner], len(slots))
        feature[leaf, : len(slots)] = list(slots)
        width[leaf] = len(slots)
    steps = np.array([len(above) for _, above in found], np.int64)
    return Paths(node, says, slot, feature, width, steps, forest.value[[leaf for leaf, _ in found]])


def satisfied(forest: Forest, ways_to: Paths, rows: npt.NDArray[Any]) -> Bools:
    """Whether rows meet all conditions of a path on each of its slots: shape (leaves, slots, rows)."""
    said = np.array([forest.decisions(row) for row in forest.as_compared(rows)]).T
    slots = int(ways_to.width.max(initial=0))
    met = np.ones((len(ways_to.width), slots, said.shape[1]), bool)
    for step in range(ways_to.node.shape[1]):
        leaves = np.flatnonzero(ways_to.steps > step)
        agrees = said[ways_to.node[leaves, step]] == ways_to.says[leaves, step, None]
        met[leaves, ways_to.slot[leaves, step]] &= agrees
    return met


def covers(forest: Forest, rows: npt.NDArray[Any]) -> Floats:
    """How many of ``rows`` reach each node: shape (nodes,)."""
    said = np.array([forest.decisions(row) for row in forest.as_compared(rows)])
    reached = np.zeros((len(forest.yes), len(said)), bool)
    reached[forest.roots] = True
    waiting = forest.roots.tolist()
    while waiting:
        node = waiting.pop()
        if forest.yes[node] >= 0:
            reached[forest.yes[node]] = reached[node] & said[:, node]
            reached[forest.no[node]] = reached[node] & ~said[:, node]
            waiting += [int(forest.yes[node]), int(forest.no[node])]
    counted: Floats = reached.sum(1).astype(np.float64)
    return counted
