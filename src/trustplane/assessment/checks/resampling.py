"""Percentile bootstrap: how far figures move when the rows are drawn again with replacement."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from trustplane.assessment.checks.contract import Floats

COVERAGE = 0.95
_DEFINED = 0.8  # of the resamples; an interval over fewer would say little of those in which the figure is undefined


def row_intervals(
    figures: Callable[[Floats], Mapping[str, float]], rows: int, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % intervals of ``figures``, a function of each row's weight; a draw of rows gives each its number of times drawn.

    A resample in which a figure is not finite does not count for it; a figure that is undefined in too many has no interval.
    """
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        weights = np.bincount(random.integers(0, rows, rows), minlength=rows).astype(np.float64)
        for name, value in figures(weights).items():
            drawn.setdefault(name, []).append(value)
    return intervals(drawn)


def intervals(drawn: Mapping[str, ArrayLike]) -> dict[str, tuple[float, float]]:
    """The middle 95 % of the finite values of each figure."""
    found = {}
    for name, values in drawn.items():
        every = np.asarray(values, np.float64)
        finite = every[np.isfinite(every)]
        if len(finite) and len(finite) >= _DEFINED * len(every):
            low, high = np.quantile(finite, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
            found[name] = (float(low), float(high))
    return found
