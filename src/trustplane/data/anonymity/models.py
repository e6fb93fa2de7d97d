"""What a class of indistinguishable rows must be: k-anonymous, l-diverse, t-close."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from trustplane.values.errors import BadInput

Counts = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Model:
    """k (Sweeney 2002), and for one sensitive column distinct l (Machanavajjhala et al. 2007) and t with equal distance (Li et al. 2007).

    ``l = 1`` and ``t = 1`` ask nothing.
    """

    k: int
    l: int = 1  # noqa: E741 - the field's word
    t: float = 1.0

    def __post_init__(self) -> None:
        if self.k < 1 or self.l < 1 or not 0 <= self.t <= 1:
            raise BadInput("TP-DATA-061", "k and l are at least 1, and t lies between 0 and 1")


def holds(model: Model, sizes: Counts, sensitive: Counts | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which classes hold. ``sizes`` are their rows; ``sensitive[c, s]`` how many of them have the sensitive value s."""
    good = sizes >= model.k
    if sensitive is not None:
        if model.l > 1:
            good &= (sensitive > 0).sum(1) >= model.l
        if model.t < 1:
            good &= distances(sensitive) <= model.t + 1e-12
    return good


def distances(sensitive: Counts) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The distance of each class's sensitive values from those of all rows: half the sum of differences, 0 to 1."""
    total = sensitive.sum(0)
    whole = total / max(int(total.sum()), 1)
    sizes = np.maximum(sensitive.sum(1, keepdims=True), 1)
    found: np.ndarray[Any, np.dtype[np.float64]] = np.abs(sensitive / sizes - whole).sum(1) / 2
    return found
