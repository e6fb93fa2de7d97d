"""Do two samples of a feature come from the same population? Figures and a verdict; no I/O.

Population stability index: the symmetric Kullback-Leibler divergence over bins that end at the deciles of the reference; a value that is
more than one decile has a bin of its own, so that it is told from what lies below it. The limits 0.1 and 0.25 are a convention of credit
scoring, not a law. Kolmogorov-Smirnov: the two-sample test, with Holm's correction over the features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.values.outcomes import Failed, Inconclusive, Passed

Floats = npt.NDArray[np.float64]
BINS = 10
WATCH, DRIFTED = 0.1, 0.25
SIGNIFICANCE = 0.01
LEAST_ROWS = 200
"""Values of a feature, on either side, below which the index says more about chance than about drift."""


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """What was found of one feature. ``p_value`` is corrected for the number of features."""

    psi: float
    ks: float
    p_value: float


def population_stability(reference: Floats, served: Floats, bins: int = BINS) -> float:
    """The index, with half a row added to every bin that holds any, so that one which is empty on one side does not make it infinite."""
    deciles = np.sort(reference)[
        (len(reference) * np.arange(1, bins) - 1) // bins
    ]  # values that occur: nothing is interpolated
    edges, times = np.unique(deciles, return_counts=True)
    repeated = edges[times > 1]
    expected, found = (_counts(values, edges, repeated) for values in (reference, served))
    held = expected + found > 0
    expected, found = _shares(expected[held]), _shares(found[held])
    return float(np.sum((found - expected) * np.log(found / expected)))


def _counts(values: Floats, edges: Floats, repeated: Floats) -> Floats:
    """Rows in each bin, which is open below and closed above; the bin of a repeated edge holds that value alone."""
    at = np.searchsorted(edges, values, side="left") + np.searchsorted(repeated, values, side="left")
    at += np.isin(values, repeated)
    return np.bincount(at, minlength=len(edges) + len(repeated) + 1).astype(np.float64)


def _shares(counts: Floats) -> Floats:
    smoothed: Floats = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    return smoothed


def kolmogorov_smirnov(reference: Floats, served: Floats) -> tuple[float, float]:
    """The statistic and its p-value."""
    from scipy.stats import ks_2samp

    found = ks_2samp(reference, served, method="asymp")
    return float(found.statistic), float(found.pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction (1979): the corrected p-values, in the order given."""
    count, highest = len(p_values), 0.0
    corrected = {}
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, p * (count - rank)))
        corrected[name] = highest
    return {name: corrected[name] for name in p_values}


def compare(reference: Mapping[str, Any], served: Mapping[str, Any]) -> dict[str, FeatureDrift]:
    """The drift of every feature of which both samples hold :data:`LEAST_ROWS` finite numbers; others, such as missing ones, are left out."""
    found = {}
    for name in reference:
        before, now = _finite(reference[name]), _finite(served.get(name, ()))
        if min(len(before), len(now)) >= LEAST_ROWS:
            found[name] = (population_stability(before, now), *kolmogorov_smirnov(before, now))
    corrected = holm({name: p for name, (_, _, p) in found.items()})
    return {name: FeatureDrift(psi, ks, corrected[name]) for name, (psi, ks, _) in found.items()}


def _finite(values: Any) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):  # words, or dates
        return np.empty(0)
    return array[np.isfinite(array)]


def judge(
    features: Mapping[str, FeatureDrift], names: Sequence[str], served_rows: int
) -> Passed | Failed | Inconclusive:
    """Failed where a feature's index passes :data:`DRIFTED` and the test agrees; of both alone, one is noise or trifle.

    ``names`` are the features that the model takes. Where one of them could not be compared, nothing passes.
    """
    if served_rows < LEAST_ROWS:
        return Inconclusive(
            f"{served_rows:,} served rows are too few to compare", f"wait for at least {LEAST_ROWS} rows"
        )
    figures = {f"psi.{name}": f.psi for name, f in features.items()}
    drifted = [n for n, f in features.items() if f.psi > DRIFTED and f.p_value < SIGNIFICANCE]
    watched = [n for n, f in features.items() if n not in drifted and f.psi > WATCH and f.p_value < SIGNIFICANCE]
    if drifted:
        return Failed(
            f"{len(drifted)} of {len(features)} features have drifted: {', '.join(drifted[:5])}",
            "look for a change in the source of the inputs; retrain if the population has changed",
            figures,
        )
    missing = [name for name in names if name not in features]
    if missing or not features:
        return Inconclusive(
            f"{len(missing)} of {len(names)} features could not be compared: {', '.join(missing[:5])}",
            f"have the hold-out hold at least {LEAST_ROWS} numbers of each feature",
        )
    more = f"; to be watched: {', '.join(watched[:5])}" if watched else ""
    return Passed(f"no feature of {len(features)} has drifted{more}", figures)
