"""Contributions of any model, by asking it: Shapley values from sampled orders of the features, with how sure they are.

Each order is walked against one reference row: the features become those of the row explained one after the other, and each step's change of
the score is the step's feature's. An order is walked backwards too (antithetic; Mitchell, Cooper, Frank and Holmes 2022), which cancels
much of the chance. The contributions of each walk add up exactly, whatever the sample.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.checks.contract import Floats, Scorer

PAIRS = 64
"""Orders drawn for each row; each is walked in both directions."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """``contributions`` and their standard ``errors`` have shape (rows, features)."""

    contributions: Floats = field(repr=False)
    errors: Floats = field(repr=False)


def sample(
    score: Scorer, rows: npt.NDArray[Any], reference: npt.NDArray[Any], seed: int, pairs: int = PAIRS
) -> Sampled:
    """Explain the probability of each row against ``reference``; the same for the same seed.

    Every row is given the same orders, and every reference row its turn.
    """
    random = np.random.default_rng(seed)
    features = rows.shape[1]
    orders = np.array([random.permutation(features) for _ in range(pairs)])
    orders = np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, features)
    drawn = random.permutation(max(len(reference), pairs))[:pairs] % len(reference)
    start = np.repeat(reference[drawn], 2, axis=0)
    rank = np.argsort(orders, axis=1)
    # known[o, s, f]: after s steps of the order o the feature f is known
    known = rank[:, None, :] < np.arange(features + 1)[:, None]
    found, errors = np.empty(rows.shape), np.empty(rows.shape)
    for number, row in enumerate(rows):
        mixed = np.where(known, row, start[:, None, :]).reshape(-1, features).astype(np.float32)
        steps = np.diff(score(mixed).reshape(len(orders), features + 1), axis=1)
        each = np.take_along_axis(steps, rank, axis=1).reshape(pairs, 2, features).mean(1)
        found[number] = each.mean(0)
        errors[number] = each.std(0, ddof=1) / np.sqrt(pairs)
    return Sampled(found, errors)
