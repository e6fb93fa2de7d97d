"""Figures of a two-class model over weighted rows, in one pass per set of weights."""

import math
from dataclasses import dataclass

import numpy as np

from trustplane.assessment.checks.contract import Floats, Ints

BINS = 10
_LEAST = 1e-15  # scores are clipped to here for the logarithm, as no model may lose without bound on one row


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows prepared for weighing: ``rank`` is the place of each row's score among the distinct scores, ``bin`` its tenth of [0, 1]."""

    y_true: Ints
    y_score: Floats
    y_pred: Ints
    rank: Ints
    bin: Ints

    @classmethod
    def of(cls, y_true: Ints, y_score: Floats, y_pred: Ints) -> "Scored":
        """Prepare rows; all arrays have shape (rows,)."""
        rank = np.unique(y_score, return_inverse=True)[1]
        return cls(y_true, y_score, y_pred, rank, np.minimum((y_score * BINS).astype(np.int64), BINS - 1))


def area(rows: Scored, weights: Floats) -> float:
    """The area under the receiver operating characteristic, ties counted half; NaN where one class has no weight."""
    ones = np.bincount(rows.rank, weights * rows.y_true)
    zeros = np.bincount(rows.rank, weights * (1 - rows.y_true))
    pairs = float(ones.sum() * zeros.sum())
    if pairs == 0:
        return math.nan
    return float(np.sum(ones * (np.cumsum(zeros) - zeros / 2))) / pairs


def accuracy(rows: Scored, weights: Floats) -> float:
    """The share of rows whose class is predicted rightly."""
    return float(weights[rows.y_true == rows.y_pred].sum() / weights.sum())


def f1(rows: Scored, weights: Floats) -> float:
    """The harmonic mean of precision and recall of class 1; 0 where nothing is predicted rightly."""
    hits = float(np.sum(weights * rows.y_true * rows.y_pred))
    said = float(np.sum(weights * rows.y_pred) + np.sum(weights * rows.y_true))
    return 2 * hits / said if said else 0.0


def brier(rows: Scored, weights: Floats) -> float:
    """The mean squared distance of the score from what came (Brier 1950, for two classes)."""
    return float(np.sum(weights * (rows.y_score - rows.y_true) ** 2) / weights.sum())


def log_loss(rows: Scored, weights: Floats) -> float:
    """The mean negative logarithm of the probability given to what came, in nats."""
    given = np.where(rows.y_true == 1, rows.y_score, 1 - rows.y_score)
    return float(-np.sum(weights * np.log(np.clip(given, _LEAST, 1.0))) / weights.sum())


def calibration_error(rows: Scored, weights: Floats) -> float:
    """Expected calibration error over ten bins of equal width: the mean distance of mean score and share of ones, by weight."""
    gaps = np.bincount(rows.bin, weights * (rows.y_score - rows.y_true), minlength=BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def prevalence(rows: Scored, weights: Floats) -> float:
    """The share of class 1."""
    return float(np.sum(weights * rows.y_true) / weights.sum())
