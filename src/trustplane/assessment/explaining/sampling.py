"""Contributions of any model, by asking it: Shapley values from sampled orders of the features, with how sure they are.

Each order is walked against one reference row: the features become those of the row explained one after the other, and each step's change of
the score is the step's feature's. An order is walked backwards too (antithetic; Mitchell, Cooper, Frank and Holmes 2022), which cancels
much of the chance. The contributions of each walk add up exactly, whatever the sample.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Floats, Matrix, Scorer

PAIRS = 64
"""Orders drawn; each is walked in both directions."""


@dataclass(frozen=True, slots=True)
class Walks:
    """The walks, the same for every row: ``start`` (walks, features) are reference rows, ``rank`` (walks, features) each feature's turn."""

    start: Matrix = field(repr=False)
    rank: npt.NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sampled:
    """``contributions`` and their standard ``errors`` have shape (rows, features)."""

    contributions: Floats = field(repr=False)
    errors: Floats = field(repr=False)


def walks(reference: Matrix, seed: int, pairs: int = PAIRS) -> Walks:
    """Draw walks from ``reference``, of shape (rows, features); each of its rows has its turn before one has a second."""
    random = np.random.default_rng(seed)
    features = reference.shape[1]
    orders = np.array([random.permutation(features) for _ in range(pairs)])
    orders = np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, features)
    drawn = random.permutation(max(len(reference), pairs))[:pairs] % len(reference)
    return Walks(np.repeat(reference[drawn], 2, axis=0), np.argsort(orders, axis=1))


def sample(score: Scorer, rows: Matrix, along: Walks) -> Sampled:
    """Explain the probability of each row; with the mean score of ``along.start`` its contributions add up to it."""
    count, features = along.rank.shape
    # known[o, s, f]: after s steps of the order o the feature f is known
    known = along.rank[:, None, :] < np.arange(features + 1)[:, None]
    found, errors = np.empty(rows.shape), np.empty(rows.shape)
    for number, row in enumerate(rows):
        mixed = np.where(known, row, along.start[:, None, :]).reshape(-1, features).astype(np.float32)
        steps = np.diff(score(mixed).reshape(count, features + 1), axis=1)
        each = np.take_along_axis(steps, along.rank, axis=1).reshape(count // 2, 2, features).mean(1)
        found[number] = each.mean(0)
        errors[number] = each.std(0, ddof=1) / np.sqrt(count // 2)
    return Sampled(found, errors)
