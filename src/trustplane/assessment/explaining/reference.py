"""Whom a decision is explained against, and which features speak of one thing.

An applicant who is refused is told what sets them apart from people who were not: so the reference are rows that the model decides
favourably about.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Floats, Matrix

MOST_REFERENCE, MOST_COMPARED = 256, 2000
CORRELATED = 0.9
"""From this rank correlation on two features are one reason: which of them a model happens to use is chance."""
_CATEGORY = re.compile(r"(.+?)(?:__|=|_|\.)[^_=.]+\Z")
_FEWEST = 20  # rows, below which a correlation says nothing


def favourable_rows(features: Matrix, scores: Floats, threshold: float, favourable: int) -> Matrix:
    """Rows that are decided favourably about, at most 256 evenly over their scores; the same for the same rows. Shape (chosen, features)."""
    said = (scores >= threshold).astype(np.int64)
    chosen = np.flatnonzero(said == favourable)
    in_order = chosen[np.argsort(scores[chosen], kind="stable")]
    return features[in_order[_evenly(len(in_order), MOST_REFERENCE)]]


def together(names: Sequence[str], features: Matrix, said: Iterable[Sequence[str]] = ()) -> tuple[tuple[int, ...], ...]:
    """Which features are one reason: those ``said`` to be, the categories of one column, and those that rise and fall as one.

    Every feature stands in one group. ``features`` are rows to look at, of shape (rows, features).
    """
    place = {name: n for n, name in enumerate(names)}
    fixed = [tuple(place[name] for name in group) for group in said]
    settled = {n for group in fixed for n in group}
    some = features[_evenly(len(features), MOST_COMPARED)]
    owner = list(range(len(names)))
    for one, other in (*_categories(names, some), *_correlated(some)):
        if one not in settled and other not in settled:
            _unite(owner, one, other)
    found: dict[int, list[int]] = {}
    for n in range(len(names)):
        if n not in settled:
            found.setdefault(_root(owner, n), []).append(n)
    return tuple(sorted([*fixed, *map(tuple, found.values())], key=min))


def _evenly(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)) if count else np.arange(0)


def _categories(names: Sequence[str], rows: Matrix) -> list[tuple[int, int]]:
    """Pairs of columns of 0 and 1 with one stem, of which no row has two."""
    stems: dict[str, list[int]] = {}
    for n in np.flatnonzero(np.isin(rows, (0.0, 1.0)).all(0)).tolist() if len(rows) else []:
        if match := _CATEGORY.match(names[n]):
            stems.setdefault(match[1], []).append(n)
    alone = [group for group in stems.values() if len(group) > 1 and (rows[:, group].sum(1) <= 1).all()]
    return [pair for group in alone for pair in combinations(group, 2)]


def _correlated(rows: Matrix) -> list[tuple[int, int]]:
    if len(rows) < _FEWEST:
        return []
    alike = np.abs(rank_correlations(rows.astype(np.float64)))
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(np.triu(alike >= CORRELATED, 1)), strict=True)]


def rank_correlations(rows: npt.NDArray[Any]) -> Floats:
    """Spearman's correlations of the columns, ties by their mean rank; 0 where a column has one value. What is missing ranks last."""
    ranks = np.column_stack([mean_ranks(rows[:, n]) for n in range(rows.shape[1])])
    apart = ranks - ranks.mean(0)
    spread = np.sqrt((apart**2).sum(0))
    apart = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
    found: Floats = apart.T @ apart
    return found


def mean_ranks(values: npt.NDArray[Any]) -> Floats:
    """The rank of each value, ties by their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Floats = (last - (counts - 1) / 2)[place]
    return found


def _root(owner: list[int], n: int) -> int:
    while owner[n] != n:
        n = owner[n]
    return n


def _unite(owner: list[int], one: int, other: int) -> None:
    a, b = sorted((_root(owner, one), _root(owner, other)))
    owner[b] = a
