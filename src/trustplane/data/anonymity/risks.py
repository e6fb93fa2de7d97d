"""Re-identification risk of a table whose rows fall into classes (El Emam, Guide to the De-Identification of Personal Health Information, 2013)."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

THRESHOLD = 0.2
BANDS = {"1": 1, "2 to 4": 2, "5 to 9": 5, "10 to 19": 10, "20 to 49": 20, "50 to 99": 50, "100 and more": 100}
"""Sizes of classes, by the least of each band."""


@dataclass(frozen=True, slots=True)
class Risk:
    """Probabilities of 0 to 1; ``sizes`` are the rows by the size of their class. The prosecutor knows that the person is in the table; the marketer wants as many as possible.

    The journalist knows no more than the prosecutor where the table is the whole population, as it is here: the figures are the same.
    """

    rows: int
    classes: int
    prosecutor_highest: float
    prosecutor_average: float
    at_risk: float
    marketer: float
    unique: float
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BANDS, 0))

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
        _bands(sizes),
    )


def _bands(sizes: np.ndarray[Any, Any]) -> dict[str, int]:
    held = np.bincount(np.searchsorted(list(BANDS.values()), sizes, "right") - 1, weights=sizes, minlength=len(BANDS))
    return {name: int(rows) for name, rows in zip(BANDS, held, strict=True)}
