"""The three attacks of the Article 29 Working Party's opinion 05/2014, run against a table before and after its protection.

The attacker knows people by their quasi-identifiers as they were, and sees the table. *Singling out*: exactly one row fits the person.
*Linkability*: the attacker holds two lists of the same people, each with half of the quasi-identifiers, and matches them through the table.
*Inference*: the attacker guesses the sensitive value by what most of the rows say that fit. *Linkage* is a guess at the person's row. Each
stands beside what a guess without the table would do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trustplane.data.anonymity.hierarchies import Column

Array = np.ndarray[Any, Any]
TARGETS = 500
WORK = 100_000_000
"""So many comparisons of a person with a class are made at most; fewer people are attacked in a larger table."""
LEAST = 50
SEED = 29


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as it is seen: the class of each row (-1 for a row that is not there) and whether a value of a column may be in a class.

    ``fits(q, codes)`` is a matrix: people by classes.
    """

    classes: Array
    fits: Callable[[int, Array], Array]

    @property
    def sizes(self) -> Array:
        """The rows of each class."""
        return np.bincount(self.classes[self.classes >= 0], minlength=1)


def as_it_is(columns: Sequence[Column]) -> Shown:
    """A table before its protection."""
    return by_levels(columns, (0,) * len(columns), None)


def by_levels(columns: Sequence[Column], node: Sequence[int], there: Array | None) -> Shown:
    """A table in which each column stands at one level; ``there`` says which rows are left."""
    levels = np.stack([c.levels[level][c.codes] for c, level in zip(columns, node, strict=True)], axis=1)
    kept = np.ones(len(levels), bool) if there is None else there
    groups, inverse = np.unique(levels[kept], axis=0, return_inverse=True)
    classes = np.full(len(levels), -1)
    classes[kept] = inverse.ravel()

    def fits(place: int, codes: Array) -> Array:
        return np.asarray(columns[place].levels[node[place]][codes][:, None] == groups[:, place][None, :])

    return Shown(classes, fits)


def by_ranges(columns: Sequence[Column], classes: Array) -> Shown:
    """A table in which each class shows the range of its values."""
    count = int(classes.max(initial=-1)) + 1
    low = np.full((count, len(columns)), np.iinfo(np.int64).max)
    high = np.full((count, len(columns)), -1)
    for place, column in enumerate(columns):
        np.minimum.at(low[:, place], classes, column.codes)
        np.maximum.at(high[:, place], classes, column.codes)

    def fits(place: int, codes: Array) -> Array:
        return np.asarray((codes[:, None] >= low[:, place][None, :]) & (codes[:, None] <= high[:, place][None, :]))

    return Shown(classes, fits)


def attack(columns: Sequence[Column], before: Shown, after: Shown, sensitive: Array | None) -> dict[str, Any]:
    """The share of people for whom each attack succeeds, before and after, and what a guess without the table would do."""
    rows = len(before.classes)
    dice = np.random.default_rng(SEED)
    most = max(LEAST, WORK // max(len(before.sizes) * len(columns), 1))
    people = dice.choice(rows, size=min(TARGETS, rows, most), replace=False)
    said = {when: _run(columns, shown, people, sensitive, np.random.default_rng(SEED)) for when, shown in (("before", before), ("after", after))}  # fmt: skip
    blind = {"singling_out": 0.0, "linkage": 1 / rows, "linkability": 1 / len(people)}
    if sensitive is not None:
        blind["inference"] = float((sensitive[people] == np.bincount(sensitive).argmax()).mean())
    return {
        "people": len(people),
        **{name: {"before": said["before"][name], "after": said["after"][name], "without": round(blind[name], 6)} for name in blind},
    }  # fmt: skip


def _run(
    columns: Sequence[Column], shown: Shown, people: Array, sensitive: Array | None, dice: Any
) -> dict[str, float]:
    sizes, classes = shown.sizes, shown.classes[people]
    masks = [shown.fits(q, c.codes[people]) for q, c in enumerate(columns)]
    fitting = np.logical_and.reduce(masks)
    candidates = fitting @ sizes
    own = np.where(classes >= 0, classes, 0)
    right = (classes >= 0) & fitting[np.arange(len(people)), own]
    chance = np.where(right & (candidates > 0), 1 / np.maximum(candidates, 1), 0.0)
    found = {
        "singling_out": float((right & (candidates == 1)).mean()),
        "linkage": float((dice.random(len(people)) < chance).mean()),
        "linkability": _linked(masks, sizes, dice),
    }
    if sensitive is not None:
        there = shown.classes >= 0
        width = int(sensitive.max()) + 1
        counts = np.zeros((len(sizes), width))
        np.add.at(counts, (shown.classes[there], sensitive[there]), 1)
        guesses = (fitting @ counts + np.bincount(sensitive[there], minlength=width) * 1e-9).argmax(1)
        found["inference"] = float((guesses == sensitive[people]).mean())
    return {name: round(value, 6) for name, value in found.items()}


def _linked(masks: Sequence[Array], sizes: Array, dice: Any) -> float:
    """Match each person of one list with the person of the other whose fitting rows are shared most; ties are broken by chance."""
    if len(masks) < 2:
        return 1 / len(masks[0])
    middle = (len(masks) + 1) // 2
    one = np.logical_and.reduce(masks[:middle]) * sizes.astype(np.float64)
    other = np.logical_and.reduce(masks[middle:]).astype(np.float64)
    shared = one @ other.T / np.maximum(other @ sizes, 1)[None, :]
    best = shared >= shared.max(1, keepdims=True) - 1e-12
    ties = best.sum(1)
    hits = best[np.arange(len(best)), np.arange(len(best))] & (shared.max(1) > 0)
    return float((hits & (dice.random(len(best)) < 1 / ties)).mean())
