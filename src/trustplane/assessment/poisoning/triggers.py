"""Triggers: combinations of values whose rows carry a label that nothing else in them speaks for.

Whoever plants a backdoor takes rows of one class, writes a few values into each, and gives them the label of the other. The model learns the
combination, so its labels look right to every model that can see combinations. A regression on ranks cannot: to it these labels are
surprises, all of one group of rows. The search goes through combinations of values from one upwards, and keeps those whose
labels surprise the most beyond chance; it is not told how many rows were poisoned, nor of which class.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.values.errors import Unavailable

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MOST_ITEMS = 1200
MOST_ROWS = 20_000
LONGEST = 4
BEAM = 150
FOLDS = 5
LEAST_ROWS = 8
LEAST_SHARE = 0.002
"""A trigger stands in so many rows at least, and in this share of them: fewer do not teach a model."""
PURE, _NEARLY = 0.9, 0.8
"""How much of a group has one label; a whole trigger may stand in a few rows by chance."""
FAR = 8.0
"""A group of labels is a surprise beyond so many standard deviations; combinations are many, and a regression is not quite right."""
_CANDIDATES = 6
_WIDENS = 0.25


@dataclass(frozen=True, slots=True)
class Combination:
    """Values of columns that stand together, the label of their rows, those rows, and how far from chance their labels are."""

    columns: tuple[int, ...]
    values: tuple[float, ...] = field(repr=False)
    label: int
    rows: Mask = field(repr=False)
    surprise: float

    def put_into(self, features: Any) -> Any:
        """The rows with these values."""
        changed = features.copy()
        changed[:, list(self.columns)] = np.asarray(self.values, changed.dtype)
        return changed


@dataclass(frozen=True, slots=True)
class _Items:
    """``held[i]`` says which rows hold the value ``values[i]`` in the column ``columns[i]``."""

    columns: npt.NDArray[np.int64]
    values: Floats
    held: Any = field(repr=False)


def suspects(features: Any, label: Any, seed: int) -> list[Combination]:
    """The most surprising combinations whose rows hardly overlap, the most surprising first; at most six."""
    least = max(LEAST_ROWS, int(LEAST_SHARE * len(label)))
    items = _items(features, least)
    if not len(items.columns) or min(label.sum(), len(label) - label.sum()) < 2 * FOLDS:
        return []
    said = expected(features, label, seed)
    found = [c for wanted in (0, 1) for c in _search(items, label, said, wanted, least)]
    kept: list[Combination] = []
    for surprise, wanted, chosen in sorted(found, reverse=True):
        group = items.held[:, list(chosen)].all(axis=1)
        if len(kept) == _CANDIDATES:
            break
        if any((group & other.rows).sum() > 0.5 * group.sum() for other in kept):
            continue
        whole = _whole(items, (label, said), wanted, group, surprise)
        if not any((whole.rows & other.rows).sum() > 0.5 * whole.rows.sum() for other in kept):
            kept.append(whole)
    return kept


def expected(features: Any, label: Any, seed: int) -> Floats:
    """The probability of class 1 by a logistic regression on the ranks of the columns that did not see the row."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "scikit-learn is not installed: it comes with trustplane[ml]") from error
    random = np.random.default_rng(seed)
    ranked, fold = _ranked(features), np.empty(len(label), np.int64)
    for wanted in (0, 1):  # each fold holds both classes
        mine = random.permutation(np.flatnonzero(label == wanted))
        fold[mine] = np.arange(len(mine)) % FOLDS
    said = np.empty(len(label))
    for k in range(FOLDS):
        out = fold == k
        model = LogisticRegression(C=0.1, tol=1e-2, max_iter=500).fit(ranked[~out], label[~out])
        said[out] = model.predict_proba(ranked[out])[:, 1]
    return said


def _ranked(features: Any) -> npt.NDArray[np.float32]:
    made = np.empty(features.shape, np.float32)
    for column in range(features.shape[1]):
        _, place, counts = np.unique(features[:, column], return_inverse=True, return_counts=True)
        made[:, column] = (np.cumsum(counts) - counts / 2)[place] / len(features) - 0.5
    spread = made.std(axis=0)
    return np.asarray(made / np.where(spread > 0, spread, 1), np.float32)


def _items(features: Any, least: int) -> _Items:
    found = []
    for column in range(features.shape[1]):
        values, counts = np.unique(features[:, column], return_counts=True)
        usable = (counts >= least) & (counts < len(features))
        found += [(int(n), column, float(v)) for v, n in zip(values[usable], counts[usable], strict=True)]
    kept = sorted(found, reverse=True)[:MOST_ITEMS]
    columns = np.array([column for _, column, _ in kept], np.int64)
    values = np.array([value for _, _, value in kept])
    held = features[:, columns] == values.astype(features.dtype) if kept else np.zeros((len(features), 0), bool)
    return _Items(columns, values, held)


def _search(
    items: _Items, label: Any, said: Floats, wanted: int, least: int
) -> list[tuple[float, int, tuple[int, ...]]]:
    """Beam search, from one value to :data:`LONGEST` together: (surprise, label, items) of each that is far from chance."""
    held = items.held.astype(np.float32)
    sign = 1 if wanted else -1
    gap = (sign * (label - said)).astype(np.float32)
    spread = np.maximum(said * (1 - said), 0.02).astype(np.float32)
    own = (label == wanted).astype(np.float32)
    sets: list[tuple[int, ...]] = [()]
    found: list[tuple[float, int, tuple[int, ...]]] = []
    for length in range(1, LONGEST + 1):
        rows = np.stack([items.held[:, list(chosen)].all(axis=1) for chosen in sets]).astype(np.float32)
        count = rows @ held
        far = ((rows * gap) @ held) / np.sqrt((rows * spread) @ held + 1e-9)
        far[count < least] = -np.inf
        for at, chosen in enumerate(sets):
            far[at, np.isin(items.columns, items.columns[list(chosen)])] = -np.inf
        pure = (rows * own) @ held >= PURE * count
        found += [(far_, wanted, chosen) for far_, chosen in _best(np.where(pure, far, -np.inf), sets) if far_ > FAR]
        # common values say little alone: every pair is tried
        sets = [(i,) for i in range(len(items.columns))] if length == 1 else [chosen for _, chosen in _best(far, sets)]
        if not sets:
            break
    return found


def _best(far: Any, sets: Sequence[tuple[int, ...]]) -> list[tuple[float, tuple[int, ...]]]:
    order = np.argsort(far, axis=None)[::-1][: BEAM * LONGEST]
    seen: dict[tuple[int, ...], float] = {}
    for flat in order.tolist():
        at, item = divmod(flat, far.shape[1])
        if not np.isfinite(far[at, item]) or len(seen) == BEAM:
            break
        seen.setdefault(tuple(sorted((*sets[at], item))), float(far[at, item]))
    return [(value, chosen) for chosen, value in seen.items()]


def _whole(items: _Items, judged: tuple[Any, Floats], wanted: int, group: Mask, surprise: float) -> Combination:
    """The widest combination behind a group of rows: every value that nearly all of them hold, less those that only narrow it.

    A search for the greatest surprise adds what the rows had in common before they were poisoned, and may stop short of the whole trigger.
    """
    label, said = judged
    of_label = group & (label == wanted)
    shared = np.flatnonzero(items.held[of_label].mean(axis=0) >= 0.98)
    chosen = [int(i) for i in shared if items.held[:, i].mean() < 0.98]
    wrong = np.where(label == wanted, np.abs(label - said), 0.0)
    # the most common values go first, as long as the rows that come in are few, or surprises too
    for item in sorted(chosen, key=lambda i: -items.held[:, i].mean()):
        fewer = [i for i in chosen if i != item]
        if not fewer:
            break
        before, after = items.held[:, chosen].all(axis=1), items.held[:, fewer].all(axis=1)
        come_in = after & ~before
        pure = (label[after] == wanted).mean() >= _NEARLY
        few = come_in.sum() <= _WIDENS * before.sum()
        if pure and (few or wrong[come_in].mean() >= 0.5 * wrong[before].mean()):
            chosen = fewer
    rows = items.held[:, chosen].all(axis=1)
    columns, values = items.columns[chosen].tolist(), items.values[chosen].tolist()
    return Combination(tuple(columns), tuple(values), wanted, rows, surprise)
