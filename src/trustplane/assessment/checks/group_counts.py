"""Rows counted once by group, what came and what was said. All that compares groups is made of these counts.

Resampling the counts (multinomial) is the same in law as resampling the rows, and costs the same for ten rows and for ten million.
Measures are those of fairlearn by the same definitions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trustplane.assessment.checks.contract import Floats, Ints, Texts

RESAMPLES = 1000
BINS = 10
_BUCKETS = 16  # bits of a hash


@dataclass(frozen=True, slots=True)
class Groups:
    """``names`` of the groups in order, and the place (rows,) of each row's among them."""

    names: tuple[str, ...]
    place: Ints = field(repr=False)

    @property
    def sizes(self) -> Ints:
        """How many rows each group has."""
        return np.bincount(self.place, minlength=len(self.names))


def grouped(texts: Texts) -> Groups:
    """The groups of rows. Few groups, as is usual, are told apart by a hash, which is checked against the texts; sorting takes ten times as long."""
    width = texts.dtype.itemsize // 4
    if len(texts) and width:
        letters = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), width)
        factors = np.random.default_rng(0).integers(1, 2**63, width, dtype=np.uint64) | np.uint64(1)
        hashed = letters[:, 0] * factors[0]
        for column in range(1, width):
            hashed += letters[:, column] * factors[column]
        bucket = (hashed >> np.uint64(64 - _BUCKETS)).astype(np.int64)
        first = np.full(1 << _BUCKETS, -1)
        first[bucket[::-1]] = np.arange(len(texts) - 1, -1, -1)
        found = np.flatnonzero(first >= 0)
        if (letters[first[bucket]] == letters).all():
            names = texts[first[found]]
            order = np.argsort(names)
            place = np.empty(1 << _BUCKETS, np.int64)
            place[found[order]] = np.arange(len(found))
            return Groups(tuple(names[order].tolist()), place[bucket])
    values, at = np.unique(texts, return_inverse=True)
    return Groups(tuple(values.tolist()), at)


def counts(came: Ints, said: Ints, groups: Ints, number: int) -> Ints:
    """How often each (group, came, said) is there: shape (groups, 2, 2)."""
    return np.bincount(groups * 4 + came * 2 + said, minlength=number * 4).reshape(number, 2, 2)


def redrawn(table: Ints, seed: int) -> Floats:
    """The table of the rows drawn again with replacement, many times: shape (resamples, *table.shape)."""
    rows = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(rows, (table / rows).ravel(), RESAMPLES)
    return drawn.reshape(-1, *table.shape).astype(np.float64)


def rates(table: Floats) -> dict[str, Floats]:
    """The rates of each group of tables (..., groups, 2, 2): shape (..., groups), NaN where there are no rows for one."""
    with np.errstate(invalid="ignore", divide="ignore"):
        said, rows = table[..., 1].sum(-1), table.sum((-1, -2))
        right = table[..., 1, 1]
        return {
            "selection_rate": said / rows,
            "true_positive_rate": right / table[..., 1, :].sum(-1),
            "false_positive_rate": table[..., 0, 1] / table[..., 0, :].sum(-1),
            "precision": right / said,
            "accuracy": (right + table[..., 0, 0]) / rows,
        }


def measures(table: Floats) -> dict[str, Floats]:
    """The measures between groups of tables (..., groups, 2, 2): shape (...), NaN where a share has no rows."""
    of = rates(table)
    selected, right, wrong = (of[n] for n in ("selection_rate", "true_positive_rate", "false_positive_rate"))
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = [rate.max(-1) - rate.min(-1) for rate in (right, wrong)]
        ratios = [rate.min(-1) / rate.max(-1) for rate in (right, wrong)]
        return {
            "parity_ratio": selected.min(-1) / selected.max(-1),
            "parity_difference": selected.max(-1) - selected.min(-1),
            "odds_difference": np.maximum(*spread),
            "odds_ratio": np.minimum(*ratios),
            "equal_opportunity_difference": spread[0],
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """Rows by (group, tenth of the score, class): their ``count``, and the mean ``score`` in each; both (groups, 10, 2)."""

    count: Ints = field(repr=False)
    score: Floats = field(repr=False)

    def of(self, groups: Ints) -> "Calibration":
        """Some groups alone."""
        return Calibration(self.count[groups], self.score[groups])


def calibration(y_true: Ints, y_score: Floats, groups: Ints, number: int) -> Calibration:
    """Count rows for :func:`calibration_measures`."""
    tenth = np.minimum((y_score * BINS).astype(np.int64), BINS - 1)
    cell, shape = (groups * BINS + tenth) * 2 + y_true, (number, BINS, 2)
    count = np.bincount(cell, minlength=number * BINS * 2)
    total = np.bincount(cell, y_score, minlength=len(count))
    return Calibration(count.reshape(shape), (total / np.maximum(count, 1)).reshape(shape))


def calibration_measures(count: Floats, score: Floats) -> dict[str, Floats]:
    """How scores and shares of class 1 part by group, for counts of shape (..., groups, 10, 2).

    ``calibration_spread``: the widest distance between two groups of (share of class 1 less mean score). ``calibration_error``: the expected
    calibration error over tenths, of the worst group.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = count[..., 1] - (count * score).sum(-1)
        rows = count.sum((-1, -2))
        gap, error = apart.sum(-1) / rows, np.abs(apart).sum(-1) / rows
    return {"calibration_spread": gap.max(-1) - gap.min(-1), "calibration_error": error.max(-1)}


def crossed(columns: Mapping[str, Groups]) -> dict[str, Groups]:
    """The groups of each two columns together, those alone that have rows."""
    names, found = list(columns), {}
    for n, one in enumerate(names):
        for other in names[n + 1 :]:
            first, second = columns[one], columns[other]
            cell = first.place * len(second.names) + second.place
            there = np.flatnonzero(np.bincount(cell, minlength=len(first.names) * len(second.names)))
            place = np.zeros(len(first.names) * len(second.names), np.int64)
            place[there] = np.arange(len(there))
            called = (divmod(int(c), len(second.names)) for c in there)
            found[f"{one} and {other}"] = Groups(
                tuple(f"{one}={first.names[a]}, {other}={second.names[b]}" for a, b in called), place[cell]
            )
    return found
