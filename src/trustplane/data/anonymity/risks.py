"""Re-identification risk of a table whose rows fall into classes (El Emam, Guide to the De-Identification of Personal Health Information, 2013)."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

THRESHOLD = 0.2


@dataclass(frozen=True, slots=True)
class Risk:
    """Probabilities of 0 to 1. The prosecutor knows that the person is in the table; the marketer wants as many as possible.

    The journalist knows no more than the prosecutor where the table is the whole population, as it is here: the figures are the same.
    """

    rows: int
    classes: int
    prosecutor_highest: float
    prosecutor_average: float
    at_risk: float
    marketer: float
    unique: float

    def facts(self) -> dict[str, Any]:
        """As plain figures."""
        return asdict(self)


def risk_of(classes: np.ndarray[Any, Any], threshold: float = THRESHOLD) -> Risk:
    """The risk of the rows that are in a class; -1 stands for a suppressed row, which is not there."""
    there = classes[classes >= 0]
    if not len(there):
        return Risk(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
    _, sizes = np.unique(there, return_counts=True)
    rows = len(there)
    return Risk(
        rows,
        len(sizes),
        float(1 / sizes.min()),
        float(len(sizes) / rows),
        float(sizes[1 / sizes > threshold].sum() / rows),
        float(len(sizes) / rows),
        float((sizes == 1).sum() / rows),
    )
