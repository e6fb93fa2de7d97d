"""Training rows that lie in the model's file as they are: support vectors, the table of a nearest-neighbour model."""

from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
NEAR = 0.1
"""A stored row is a near copy where a training row is ten times nearer than any row that the model never saw."""
MOST = 2000


def verbatim(stored: Matrix, training: Matrix, holdout: Matrix) -> int:
    """How many distinct training rows are stored bit by bit; those that the hold-out holds too say nothing."""
    own, strange = _bytes(training), _bytes(holdout)
    return len((own - strange) & _bytes(stored))


def near_copies(stored: Matrix, training: Matrix, holdout: Matrix, seed: int) -> int:
    """How many of the stored rows are near copies of one training row; of at most :data:`MOST`, drawn evenly.

    The distance ratio is Euclid's, on columns in their standard deviation; both tables are drawn to one size, as the nearest of more rows is nearer.
    """
    random = np.random.default_rng(seed)
    size = min(len(training), len(holdout), 2 * MOST)
    if not len(stored) or not size:
        return 0
    spread = training.std(axis=0)
    scaled = [rows[:, spread > 0] / spread[spread > 0] for rows in (stored, training, holdout)]
    asked = scaled[0][random.permutation(len(stored))[:MOST]]
    own = _nearest(asked, scaled[1])
    strange = _nearest(asked, scaled[2])
    # the nearest of n rows in d columns lies n^(-1/d) away: the tables' sizes are made up for
    fair = (len(holdout) / len(training)) ** (1 / max(asked.shape[1], 1))
    return int((own < NEAR * fair * strange).sum())


def _nearest(asked: Any, rows: Any) -> Any:
    squares = (rows.astype(np.float64) ** 2).sum(axis=1)
    found = np.empty(len(asked))
    for start in range(0, len(asked), 500):
        part = asked[start : start + 500].astype(np.float64)
        apart = (part**2).sum(axis=1)[:, None] - 2 * part @ rows.T.astype(np.float64) + squares
        found[start : start + 500] = np.sqrt(np.maximum(apart.min(axis=1), 0))
    return found


def _bytes(rows: Matrix) -> set[bytes]:
    return {row.tobytes() for row in np.ascontiguousarray(rows + np.float32(0))}  # -0.0 becomes 0.0
