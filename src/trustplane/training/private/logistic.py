"""Logistic regression with a perturbed objective (Chaudhuri, Monteleoni and Sarwate 2011, algorithm 2): pure epsilon, no delta.

The noise is a random linear term of the objective, so it costs less than noise on the weights. The proof needs rows of norm 1 at most, and
that nothing else is learned from them: the bounds of the columns are given, never measured.
"""

import math
import secrets
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.private.claims import LOGISTIC, Claim
from trustplane.values.errors import BadInput

Floats = npt.NDArray[np.float64]
_CURVE = 0.25  # the greatest second derivative of the logistic loss
_STEPS, _EXACT = 200, 1e-12


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of the columns before anybody saw the rows: where each begins and ends, and how far a row may lie from the middle.

    Values outside are moved to the nearest end. ``norm`` holds rows, whose columns then lie from -1 to 1, to this Euclidean norm; without it no row
    is held back, at the price of more noise on many columns.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    norm: float | None = None


@dataclass(frozen=True, slots=True)
class PrivateLogistic:
    """``weights`` of shape (features,) and ``intercept``, for rows in their own units; the claim says what they cost."""

    weights: Floats = field(repr=False)
    intercept: float
    claim: Claim

    def predict_proba(self, features: Any) -> Floats:
        """The probability of class 1 of each row, of shape (rows,)."""
        odds = np.asarray(features, np.float64) @ self.weights + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700))), np.float64)


@dataclass(frozen=True, slots=True)
class Perturbation:
    """``strength`` is that of the ridge, with what had to be added; the noise has a norm of Gamma(columns, 1 / ``rate``)."""

    strength: float
    rate: float


def fit_logistic(
    features: Any,
    label: Any,
    epsilon: float,
    bounds: Bounds,
    regularisation: float = 1e-3,
    noise: np.random.Generator | None = None,
) -> PrivateLogistic:
    """Fit on rows of shape (rows, features) and labels 0 and 1; epsilon-differentially private for tables that differ in one row.

    ``noise`` comes from the operating system. A generator is for tests: the claim then says that the noise is predictable. The number of rows
    counts as known. Raises :class:`BadInput` (TP-RUN-052) for what cannot be fitted.
    """
    rows = np.asarray(features, np.float64)
    came = np.asarray(label)
    _check(rows, came, bounds, (epsilon, regularisation))
    held = scaled(rows, bounds)
    terms = perturbation(epsilon, len(rows), regularisation)
    found = minimum(held, came, drawn(held.shape[1], terms.rate, noise), terms.strength)
    norm = _norm(bounds, rows.shape[1])
    low, high = (np.asarray(ends, np.float64) for ends in (bounds.lower, bounds.upper))
    weights = found[:-1] / (norm * math.sqrt(2)) * 2 / (high - low)
    intercept = float(found[-1] / math.sqrt(2) - ((high + low) / 2) @ weights)
    parameters = {"strength": terms.strength, "noise_rate": terms.rate, "regularisation": regularisation, "norm": norm}
    return PrivateLogistic(
        weights,
        intercept,
        Claim(LOGISTIC, epsilon, 0.0, "one row replaced", len(rows), "theorem 9", parameters, noise is not None),
    )


def perturbation(epsilon: float, rows: int, regularisation: float) -> Perturbation:
    """Steps 1 and 2 of the algorithm: how strong the convex part must be, and what is left of epsilon for the noise."""
    curve = _CURVE / (rows * regularisation)
    left = epsilon - math.log1p(2 * curve + curve**2)
    if left > 0:
        return Perturbation(regularisation, left / 2)
    # the ridge takes half of epsilon, the noise the other: log(1 + c)^2 = epsilon / 2
    return Perturbation(_CURVE / (rows * math.expm1(epsilon / 4)), epsilon / 4)


def scaled(rows: Floats, bounds: Bounds) -> Floats:
    """Rows of norm 1 at most, the last column a constant for the intercept."""
    low, high = np.asarray(bounds.lower), np.asarray(bounds.upper)
    inside = 2 * (np.clip(rows, low, high) - low) / (high - low) - 1
    norm = _norm(bounds, rows.shape[1])
    long = np.maximum(np.linalg.norm(inside, axis=1) / norm, 1.0)
    return np.asarray(np.column_stack([inside / (norm * long[:, None]), np.ones(len(rows))]) / math.sqrt(2))


def drawn(columns: int, rate: float, noise: np.random.Generator | None) -> Floats:
    """A vector with a density that falls by e^(-rate) for each unit of its norm: a direction, and a length of Gamma(columns, 1 / rate)."""
    random = noise or np.random.Generator(np.random.PCG64(secrets.randbits(256)))
    direction = random.normal(size=columns)
    return np.asarray(direction / np.linalg.norm(direction) * random.gamma(columns, 1 / rate))


def minimum(rows: Floats, label: Any, noise: Floats, strength: float) -> Floats:
    """The weights that minimise mean loss + ``strength`` / 2 |w|^2 + noise w / rows, by Newton's steps, halved where they overshoot.

    The proof is of the exact minimum, so the gradient is driven to where rounding stops it.
    """
    signs, count = np.where(label == 1, 1.0, -1.0), len(rows)
    weights = np.zeros(rows.shape[1])

    def value(w: Floats) -> float:
        return float(np.logaddexp(0, -signs * (rows @ w)).mean() + strength / 2 * w @ w + noise @ w / count)

    for _ in range(_STEPS):
        wrong = 1 / (1 + np.exp(np.clip(signs * (rows @ weights), -700, 700)))
        slope = -(rows * (signs * wrong)[:, None]).mean(axis=0) + strength * weights + noise / count
        if np.linalg.norm(slope) <= _EXACT * (1 + float(np.linalg.norm(weights)) * strength):
            break
        bend = (rows * (wrong * (1 - wrong))[:, None]).T @ rows / count + strength * np.eye(len(weights))
        step, length, here = np.linalg.solve(bend, slope), 1.0, value(weights)
        while length > 1e-10 and value(weights - length * step) > here - 1e-4 * length * float(
            slope @ step
        ) + 1e-15 * abs(here):
            length /= 2
        weights = weights - length * step
    return weights


def _norm(bounds: Bounds, columns: int) -> float:
    return bounds.norm if bounds.norm is not None else math.sqrt(columns)


def _check(rows: Floats, label: Any, bounds: Bounds, positive: tuple[float, float]) -> None:
    ends = len(bounds.lower), len(bounds.upper)
    if rows.ndim != 2 or not len(rows) or ends != (rows.shape[1], rows.shape[1]) or label.shape != (len(rows),):
        raise BadInput("TP-RUN-052", "rows, labels and bounds do not have the same shape")
    if not np.isfinite(rows).all() or not np.isin(label, (0, 1)).all():
        raise BadInput("TP-RUN-052", "a value is missing, or a label is something else than 0 and 1")
    if any(
        not (math.isfinite(a) and math.isfinite(b) and a < b) for a, b in zip(bounds.lower, bounds.upper, strict=True)
    ):
        raise BadInput("TP-RUN-052", "a column ends before it begins")
    if any(not (math.isfinite(p) and p > 0) for p in (*positive, bounds.norm if bounds.norm is not None else 1.0)):
        raise BadInput("TP-RUN-052", "epsilon, the regularisation and the norm are above 0")
