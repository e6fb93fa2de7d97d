"""Statistics through OpenDP's mechanisms. No I/O; the true value never leaves this module.

Values are put on a grid of whole numbers before they are added, so that the sensitivity holds exactly: sums of floating-point numbers are
more sensitive than they look (Casacuberta, Shoham, Vadhan and Wagaman, CCS 2022).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.private.questions import Question
from trustplane.values.errors import Unavailable

STEPS = 1 << 20
"""So fine is the grid between the bounds of a sum or a mean."""
CANDIDATES = 1_000
"""So fine is the grid on which a quantile is looked for."""
ALPHA = 0.05
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unit:
    """Whom the noise hides: one row, or everything in ``rows`` rows of whoever a value of ``column`` names."""

    column: str = ""
    rows: int = 1


def answer(asked: Question, unit: Unit, batches: Iterable[Any]) -> dict[str, Any]:
    """The statistic with its noise, as plain values, and how far it may be off: within ``accuracy`` with probability 95 %."""
    dp = _opendp()
    values, rows = _gathered(asked, unit, batches)
    epsilon = float(asked.epsilon)
    match asked.kind:
        case "count":
            return _whole(dp, rows, unit.rows, epsilon)
        case "sum":
            return _sum(dp, asked, values, unit.rows, epsilon)
        case "mean":
            return _mean(dp, asked, values, unit.rows, epsilon)
        case "quantile":
            return _quantile(dp, asked, values, unit.rows, epsilon)
    return _histogram(dp, asked, values, unit.rows, epsilon)


def require_opendp() -> None:
    """Raise where the extra is not installed, before anything is spent."""
    _opendp()


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ImportError:
        raise Unavailable(
            "TP-DATA-114", "the extra 'private' is not installed", why="private statistics need opendp"
        ) from None
    dp.enable_features("contrib")
    return dp


def _gathered(asked: Question, unit: Unit, batches: Iterable[Any]) -> tuple[Any, int]:
    """The values that count, and in how many rows. Rows without a value, and numbers that are none, count as absent."""
    parts, rows, seen = [], 0, _Seen(unit.rows)
    for batch in batches:
        kept = batch
        if asked.column:
            column = kept.column(asked.column)
            there = pc.is_valid(column)
            if pa.types.is_floating(column.type):
                there = pc.and_(there, pc.fill_null(pc.invert(pc.is_nan(column)), False))
            kept = kept.filter(there)
        if unit.column:
            kept = kept.filter(pa.array(seen.keep(kept.column(unit.column))))
        rows += kept.num_rows
        if asked.column and asked.kind != "count":
            parts.append(_plain(asked, kept.column(asked.column)))
    return (np.concatenate(parts) if parts else np.empty(0)), rows


def _plain(asked: Question, column: Any) -> Any:
    if asked.categories:
        places = pc.index_in(column.cast(pa.string()), value_set=pa.array(asked.categories, pa.string()))
        return pc.fill_null(places, len(asked.categories)).to_numpy(zero_copy_only=False).astype(np.int64)
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


class _Seen:
    """Lets the first rows of everybody through. A row that names nobody is somebody of its own."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[Any, int] = {}

    def keep(self, column: Any) -> list[bool]:
        kept = []
        for name in column.to_pylist():
            before = 0 if name is None else self._counts.get(name, 0)
            kept.append(before < self._most)
            if name is not None:
                self._counts[name] = before + 1
        return kept


def _whole(dp: Any, value: int, sensitivity: int, epsilon: float) -> dict[str, Any]:
    """A whole number with discrete Laplace noise."""
    made, scale = _laplace(dp, dp.atom_domain(T=dp.i64), dp.absolute_distance(T=dp.i64), sensitivity, epsilon)
    return {"value": made(value), "scale": scale, "accuracy": _accuracy(dp, scale)}


def _sum(dp: Any, asked: Question, values: Any, rows: int, epsilon: float) -> dict[str, Any]:
    low, high = _ends(asked)
    step = (high - low) / STEPS
    places = _on_grid(values, low, step, STEPS)
    base = math.floor(low / step)  # the grid of a sum starts at nought, so that an absent row is nought
    most = max(abs(base), abs(base + STEPS + 1))
    total = int(places.sum()) + base * len(places)
    noised = _whole(dp, total, rows * most, epsilon)
    return {name: value * step for name, value in noised.items()}


def _mean(dp: Any, asked: Question, values: Any, rows: int, epsilon: float) -> dict[str, Any]:
    """The noised sum of distances from the middle over the noised count; each takes half of epsilon."""
    low, high = _ends(asked)
    step, half = (high - low) / STEPS, STEPS // 2
    places = _on_grid(values, low, step, STEPS)
    total = _whole(dp, int(places.sum()) - half * len(places), rows * half, epsilon / 2)
    count = _whole(dp, len(places), rows, epsilon / 2)
    number = max(count["value"], 1)
    middle = low + half * step + step * total["value"] / number
    off = (total["accuracy"] + half * count["accuracy"]) * step / number
    return {
        "value": min(max(middle, low), high),
        "count": count["value"],
        "scale": total["scale"] * step / number,
        "accuracy": min(off, high - low),
    }


def _quantile(dp: Any, asked: Question, values: Any, rows: int, epsilon: float) -> dict[str, Any]:
    """The exponential mechanism over a grid between the bounds (Smith, STOC 2011). Its accuracy is in rank, which the data decide."""
    low, high = _ends(asked)
    step = (high - low) / CANDIDATES
    places = _on_grid(values, low, step, CANDIDATES)
    domain = dp.vector_domain(dp.atom_domain(T=dp.i64))
    scores = dp.t.make_quantile_score_candidates(
        domain, dp.symmetric_distance(), list(range(CANDIDATES + 1)), asked.quantile
    )
    scale = 2 * scores.map(rows) / epsilon
    made = scores >> dp.m.then_noisy_max(dp.max_divergence(), scale=scale, negate=True)
    while made.map(rows) > epsilon:
        scale = _wider(scale)
        made = scores >> dp.m.then_noisy_max(dp.max_divergence(), scale=scale, negate=True)
    return {"value": low + step * made(places.tolist()), "scale": scale, "step": step}


def _histogram(dp: Any, asked: Question, values: Any, rows: int, epsilon: float) -> dict[str, Any]:
    if asked.categories:
        labels, places = [*asked.categories, OTHER], values.astype(np.int64)
    else:
        edges = np.array(asked.edges)
        labels = [f"{a:g} to {b:g}" for a, b in zip(asked.edges, asked.edges[1:], strict=False)] + [OTHER]
        within = (values >= edges[0]) & (values <= edges[-1])
        inner = np.minimum(np.searchsorted(edges, values, side="right") - 1, len(edges) - 2)
        places = np.where(within, inner, len(edges) - 1)
    counts = np.bincount(places, minlength=len(labels)).tolist()
    space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l1_distance(T=dp.i64)
    made, scale = _laplace(dp, *space, rows, epsilon)
    return {
        "bins": [{"bin": name, "value": value} for name, value in zip(labels, made(counts), strict=True)],
        "scale": scale,
        "accuracy": _accuracy(dp, scale),
    }


def _laplace(dp: Any, domain: Any, metric: Any, sensitivity: int, epsilon: float) -> tuple[Any, float]:
    """A mechanism that costs no more than epsilon by OpenDP's own account, rounding included."""
    scale = sensitivity / epsilon
    made = dp.m.make_laplace(domain, metric, scale=scale)
    while made.map(sensitivity) > epsilon:
        scale = _wider(scale)
        made = dp.m.make_laplace(domain, metric, scale=scale)
    return made, scale


def _wider(scale: float) -> float:
    return math.nextafter(scale * (1 + 2**-50), math.inf)


def _accuracy(dp: Any, scale: float) -> float:
    return float(dp.discrete_laplacian_scale_to_accuracy(scale=scale, alpha=ALPHA))


def _on_grid(values: Any, low: float, step: float, steps: int) -> Any:
    """Values between the bounds as whole steps above the lower one."""
    return np.clip(np.rint((np.clip(values, low, low + step * steps) - low) / step), 0, steps).astype(np.int64)


def _ends(asked: Question) -> tuple[float, float]:
    assert asked.lower is not None
    assert asked.upper is not None
    return float(asked.lower), float(asked.upper)
