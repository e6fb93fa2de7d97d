"""How much a sample says: shares of matching values, chance bounds, and one scale of confidence for all recognisers."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from trustplane.data.recognisers.contract import ColumnSample

Mask = npt.NDArray[np.bool_]

LEAST_SHARE = 0.05
"""Below this share of matching values, a column is not said to hold the kind of data."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the distinct values of a sample match.

    Distinct ones are counted, since a repeated value is no new evidence.
    """

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 for an empty sample."""
        return self.hits / self.of if self.of else 0.0

    @property
    def enough(self) -> bool:
        """Whether there is anything to speak of: :data:`LEAST_SHARE` and at least one match."""
        return self.hits > 0 and self.value >= LEAST_SHARE

    def __str__(self) -> str:
        return f"{self.hits} of {self.of} distinct values ({self.value:.0%})"


def matching(column: ColumnSample, pattern: str) -> Mask:
    """Which distinct values match the RE2 ``pattern``. RE2 takes linear time for every pattern and every input."""
    mask: Mask = pc.match_substring_regex(column.values, pattern=pattern).to_numpy(zero_copy_only=False)
    return mask.astype(np.bool_, copy=False)


def share(mask: Mask) -> Share:
    """The share of distinct values that a mask over them selects."""
    return Share(int(np.count_nonzero(mask)), len(mask))


def confidence(specificity: float, matched: Share, *, named: bool = False) -> float:
    """How sure one can be that a column holds what its values look like.

    ``specificity`` in [0, 1] says how rarely the form occurs in other data. A column of which few values match counts
    half of that, since a mixed column is personal data as well. A fitting column name (``named``) closes 60 % of the
    remaining doubt.
    """
    base = specificity * (0.5 + 0.5 * matched.value)
    return base + (1 - base) * 0.6 if named else base


def chance_bound(hits: int, trials: int, chance: float) -> float:
    """An upper bound of the probability that at least ``hits`` of ``trials`` independent values pass a check by chance.

    The Chernoff-Hoeffding bound exp(-n D(hits/n || chance)); Hoeffding (1963), theorem 1. It is 1 up to the expected
    number.
    """
    if trials == 0 or hits / trials <= chance:
        return 1.0
    seen = hits / trials
    divergence = seen * math.log(seen / chance)
    if seen < 1:
        divergence += (1 - seen) * math.log((1 - seen) / (1 - chance))
    return math.exp(-trials * divergence)
