"""Linear models: the Shapley value of a feature is its weight times its distance from the mean of the reference."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.explaining.arrays import Floats
from trustplane.assessment.explaining.forest import Scale


@dataclass(frozen=True, slots=True)
class Linear:
    """``weight`` has shape (features,); the score on ``scale`` is ``start`` and the weighted sum of the features."""

    weight: Floats = field(repr=False)
    start: float
    scale: Scale

    def predict(self, rows: npt.NDArray[Any]) -> Floats:
        """The score of each row on ``scale``."""
        found: Floats = rows.astype(np.float64) @ self.weight + self.start
        return found

    def probability(self, score: Floats) -> Floats:
        """The probability of class 1 that a score on ``scale`` stands for."""
        with np.errstate(over="ignore"):
            return score if self.scale is Scale.PROBABILITY else 1 / (1 + np.exp(-score))

    def explain(self, rows: npt.NDArray[Any], reference: npt.NDArray[Any]) -> Floats:
        """The contribution of each feature to the score of each row, against the mean of ``reference``."""
        found: Floats = (rows.astype(np.float64) - reference.astype(np.float64).mean(0)) * self.weight
        return found
