"""How many questions it takes to have a copy of the model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.privacy.bounds import clopper_pearson
from trustplane.assessment.privacy.learners import standardised

Floats = npt.NDArray[np.float64]
SIZES = (100, 200, 500, 1000, 2000, 5000)
GOALS = (0.95, 0.99)
_LEAST, _RIDGE = 1e-3, 1.0


@dataclass(frozen=True, slots=True)
class Copied:
    """The agreement of the best surrogate with the model after so many questions, in the order asked; rows asked about are apart."""

    questions: tuple[int, ...]
    agreement: tuple[float, ...]

    def needed(self, goal: float) -> int | None:
        """How many questions it took to agree on the share ``goal`` of rows; ``None`` where more are needed than were tried."""
        return next((n for n, a in zip(self.questions, self.agreement, strict=True) if a >= goal), None)


def copy_cost(score: Callable[[Any], Floats], features: Any, threshold: float, seed: int) -> Copied:
    """Train surrogates on what the model says of ever more rows, and compare their decisions with its own on other rows.

    The attacker has rows like those of half of ``features``, mixes new ones of them column by column, and is told probabilities. Surrogates
    are a ridge regression and boosted trees on the log-odds. Agreement is judged on the other half.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(features))
    known, kept = features[order[: len(order) // 2]], features[order[len(order) // 2 :]]
    wanted = score(kept) >= threshold
    asked, odds = _mixed(random, known, SIZES[-1]), np.zeros(0)
    cut = float(np.log(threshold / (1 - threshold)))
    questions: list[int] = []
    agreement: list[float] = []
    for size in SIZES:
        odds = np.concatenate([odds, _odds(score(asked[len(odds) : size]))])
        both = standardised(np.concatenate([asked[:size], kept]))
        told = [surrogate(both[:size], odds, both[size:], seed) for surrogate in (_ridge, _trees)]
        questions.append(size)
        agreement.append(max(float(((said >= cut) == wanted).mean()) for said in told))
        if clopper_pearson(round(agreement[-1] * len(kept)), len(kept))[0] >= GOALS[-1]:
            break
    return Copied(tuple(questions), tuple(agreement))


def _mixed(random: np.random.Generator, rows: Any, wanted: int) -> Any:
    """The rows themselves, in a random order, then rows whose columns come from two of them."""
    if len(rows) >= wanted:
        return rows[:wanted]
    pairs = random.integers(0, len(rows), (2, wanted - len(rows)))
    swapped = random.random((wanted - len(rows), rows.shape[1])) < 0.5
    return np.concatenate([rows, np.where(swapped, rows[pairs[0]], rows[pairs[1]])])


def _odds(said: Floats) -> Floats:
    held = np.clip(said, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(held) - np.log1p(-held))


def _ridge(asked: Any, odds: Floats, kept: Any, _: int) -> Floats:
    rows = np.column_stack([asked, np.ones(len(asked))]).astype(np.float64)
    held = np.linalg.solve(rows.T @ rows + _RIDGE * np.eye(rows.shape[1]), rows.T @ odds)
    return np.asarray(kept @ held[:-1] + held[-1], np.float64)


def _trees(asked: Any, odds: Floats, kept: Any, seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    fitted = HistGradientBoostingRegressor(max_bins=64, early_stopping=False, random_state=seed).fit(asked, odds)
    return np.asarray(fitted.predict(kept), np.float64)
