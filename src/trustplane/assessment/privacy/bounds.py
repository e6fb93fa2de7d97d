"""How sure a count makes a share, and what an attack's shares say of epsilon."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.values.errors import Unavailable

Floats = npt.NDArray[np.float64]
COVERAGE = 0.95
_GRID = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


def clopper_pearson(hits: int, of: int, coverage: float = COVERAGE) -> tuple[float, float]:
    """The exact interval of a share seen as ``hits`` of ``of`` (Clopper and Pearson 1934); the whole of [0, 1] where ``of`` is 0."""
    if of == 0:
        return 0.0, 1.0
    beta, tail = _beta(), (1 - coverage) / 2
    low = float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, of - hits)) if hits < of else 1.0
    return low, high


def _beta() -> Any:
    try:
        from scipy.stats import beta
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "scipy is not installed: it comes with trustplane[ml]") from error
    return beta


def threshold_at(outsiders: Floats, rate: float) -> float:
    """The score above which at most the share ``rate`` of outsiders lies; ties count against the attack."""
    allowed = int(rate * len(outsiders) + 1e-9)
    return float(np.sort(outsiders)[len(outsiders) - 1 - allowed])


def hits_at(members: Floats, outsiders: Floats, rate: float) -> int:
    """How many members are told apart where at most the share ``rate`` of outsiders is taken for one."""
    return int((members > threshold_at(outsiders, rate)).sum())


def epsilon_bound(members: Floats, outsiders: Floats, seed: int) -> float:
    """The epsilon that the training has at least, as sure as :data:`COVERAGE`; 0 where the attack shows none.

    Pure differential privacy keeps true positives below e^epsilon times false positives, and true negatives below e^epsilon times false
    negatives (Kairouz, Oh and Viswanath 2015). The threshold is chosen on one half of the rows and judged on the other. All rows share one
    training, so the rows are taken as if they had been included one by one (as Steinke, Nasr and Jagielski 2023 do).
    """
    random = np.random.default_rng(seed)
    members, outsiders = random.permutation(members), random.permutation(outsiders)
    half_in, half_out = len(members) // 2, len(outsiders) // 2
    if not half_in or not half_out:
        return 0.0
    best, chosen = 0.0, (math.inf, True)
    for rate in _GRID:
        for above in (True, False):
            sign = 1 if above else -1
            # the other end: whoever scores lowest is taken for an outsider
            first, second = (members, outsiders) if above else (outsiders, members)
            cut = threshold_at(sign * second[: len(second) // 2], rate)
            found = _ratio(sign * first[: len(first) // 2], sign * second[: len(second) // 2], cut)
            if found > best:
                best, chosen = found, (cut, above)
    cut, above = chosen
    if math.isinf(cut):
        return 0.0
    sign = 1 if above else -1
    first, second = (members, outsiders) if above else (outsiders, members)
    return _ratio(sign * first[len(first) // 2 :], sign * second[len(second) // 2 :], cut)


def _ratio(first: Floats, second: Floats, cut: float) -> float:
    """The logarithm of the least share of ``first`` above ``cut`` over the greatest share of ``second``; never below 0."""
    coverage = (1 + COVERAGE) / 2  # two one-sided errors, each of half of what is left
    low, _ = clopper_pearson(int((first > cut).sum()), len(first), coverage)
    _, high = clopper_pearson(int((second > cut).sum()), len(second), coverage)
    return max(math.log(low / high), 0.0) if low > 0 else 0.0
