"""Groups by two attributes together, each beside everybody else, with allowance for there being many of them.

The least and the greatest of many small groups lie apart by chance alone, so here no ratio of extremes is taken: each group's share of
favourable decisions is compared with that of all others, and the intervals hold for all groups at once (Bonferroni).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from trustplane.assessment.checks.contract import Floats, Ints
from trustplane.assessment.checks.group_counts import Groups, crossed

SHOWN, MOST = 5, 2000
_SURE = 0.95


@dataclass(frozen=True, slots=True)
class Intersections:
    """The groups large enough, the worst first: ``ratio`` of each group's share to that of the others, with ``low`` and ``high`` ends."""

    names: tuple[str, ...]
    rows: Ints = field(repr=False)
    ratio: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    too_small: int = 0

    def below(self, least: float) -> tuple[str, ...]:
        """The groups whose whole interval lies below ``least``."""
        return tuple(name for name, high in zip(self.names, self.high, strict=True) if high < least)


def intersections(columns: Mapping[str, Groups], said: Ints, min_rows: float) -> Intersections:
    """Compare groups by two of the ``columns``; ``said`` (rows,) is 1 where decided favourably."""
    names: list[str] = []
    inside, chosen = [], []
    for groups in crossed(columns).values():
        names += groups.names
        inside.append(groups.sizes)
        chosen.append(np.bincount(groups.place, said, len(groups.names)))
    rows, favourable = (np.concatenate([np.zeros(0), *p]) for p in (inside, chosen))
    large = np.flatnonzero((rows >= max(min_rows, 1)) & (len(said) - rows >= max(min_rows, 1)))[:MOST]
    ratio, low, high = _ratios(favourable[large], rows[large], float(said.sum()), float(len(said)))
    order = np.argsort(ratio, kind="stable")
    named = tuple(names[n] for n in large[order].tolist())
    return Intersections(
        named, rows[large][order].astype(np.int64), ratio[order], low[order], high[order], len(names) - len(large)
    )


def _ratios(favourable: Floats, rows: Floats, all_favourable: float, all_rows: float) -> tuple[Floats, Floats, Floats]:
    """Ratios of two shares with Katz's interval of the logarithm (1978), half a row added to each cell, as for shares of zero."""
    other, others = all_favourable - favourable, all_rows - rows
    ratio = np.divide(favourable / rows, other / others, out=np.ones(len(rows)), where=other > 0)
    a, b = favourable + 0.5, other + 0.5
    spread = np.sqrt(np.maximum(1 / a - 1 / (rows + 0.5) + 1 / b - 1 / (others + 0.5), 0.0))
    z = NormalDist().inv_cdf(1 - (1 - _SURE) / 2 / max(len(rows), 1))
    middle = np.log(a / (rows + 0.5)) - np.log(b / (others + 0.5))
    low, high = np.exp(middle - z * spread), np.exp(middle + z * spread)
    return ratio, np.minimum(low, ratio), np.maximum(high, ratio)
