"""Statistics of a dataset's columns from a stream of record batches, in bounded memory.

Of columns that are identifiers or special categories only counts come out
(:data:`trustplane.data.classes.COUNTS_ONLY`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from trustplane.data.classes import COUNTS_ONLY, SensitivityClass
from trustplane.data.sketches import DistinctSketch, Floats, QuantileSketch

BINS = 10
"""Bins of a histogram, each with about the same number of rows; fewer where values repeat."""
FEW = 32
"""Up to this many distinct values, each has a bin of its own and is counted exactly."""
_SAFE_INTEGER = 2**53
LARGEST = 1e140
"""Magnitude up to which sums of squares stay finite."""


@dataclass(frozen=True, slots=True)
class NumericStatistics:
    """Figures of the finite values of a numeric column.

    Values beyond :data:`LARGEST` count as infinite. ``deviation`` is the sample standard deviation, 0 for one value.
    ``counts[i]`` rows lie in ``edges[i] <= x < edges[i + 1]``, in the last bin up to and including its end. Edges and
    counts are exact for up to 4,096 values and within 1 % of the rows beyond; the counts add up to ``finite``.
    """

    finite: int
    minimum: float
    maximum: float
    mean: float
    deviation: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What is known of one column. ``numeric`` is ``None`` for columns that are not numeric or may show counts only."""

    column: str
    type: str
    rows: int
    nulls: int
    distinct: int
    distinct_exact: bool
    numeric: NumericStatistics | None


@dataclass(slots=True)
class _Moments:
    """Count, mean and sum of squared deviations, merged batch by batch (Chan, Golub and LeVeque 1983)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf

    def add(self, values: Floats) -> None:
        count = len(values)
        if not count:
            return
        mean = float(values.mean())
        squares = float(((values - mean) ** 2).sum())
        apart, total = mean - self.mean, self.count + count
        self.squares += squares + apart * apart * self.count * count / total
        self.mean += apart * count / total
        self.count = total
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))


class _Column:
    def __init__(self, field: Any, seed: int) -> None:
        self.field = field
        self.rows = 0
        self.nulls = 0
        self.distinct = DistinctSketch()
        self.moments = _Moments()
        self.quantiles = QuantileSketch(seed=seed)
        self.tally: dict[float, int] | None = {}
        self.numeric = _is_numeric(field.type)

    def add(self, array: Any) -> None:
        self.rows += len(array)
        self.nulls += array.null_count
        self.distinct.add(array)
        if self.numeric:
            numbers = array.drop_null().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            finite = numbers[np.abs(numbers) <= LARGEST]  # false for NaN
            self.moments.add(finite)
            self.quantiles.add(finite)
            self._count_values(finite)

    def result(self, klass: SensitivityClass) -> ColumnStatistics:
        shown = self.numeric and klass not in COUNTS_ONLY and self.moments.count > 0
        return ColumnStatistics(
            column=self.field.name,
            type=str(self.field.type),
            rows=self.rows,
            nulls=self.nulls,
            distinct=self.distinct.estimate(),
            distinct_exact=self.distinct.exact,
            numeric=self._numeric() if shown else None,
        )

    def _count_values(self, finite: Floats) -> None:
        if self.tally is None:
            return
        for value, count in zip(*(each.tolist() for each in np.unique(finite, return_counts=True)), strict=True):
            self.tally[value] = self.tally.get(value, 0) + count
            if len(self.tally) > FEW:
                self.tally = None
                return

    def _numeric(self) -> NumericStatistics:
        edges, counts = _bins_of_few(self.tally) if self.tally else _bins_of_many(self.moments, self.quantiles)
        count = self.moments.count
        return NumericStatistics(
            finite=count,
            minimum=self.moments.minimum,
            maximum=self.moments.maximum,
            mean=self.moments.mean,
            deviation=math.sqrt(self.moments.squares / (count - 1)) if count > 1 else 0.0,
            edges=edges,
            counts=counts,
        )


class StatisticsCollector:
    """Collects the statistics of every column of ``schema``. The same batches and seed give the same figures."""

    def __init__(self, schema: Any, *, seed: int) -> None:
        self._columns = [_Column(field, seed) for field in schema]

    def add(self, batch: Any) -> None:
        """Take one more record batch into account."""
        for column, array in zip(self._columns, batch.columns, strict=True):
            column.add(array)

    def result(self, classes: Mapping[str, SensitivityClass]) -> tuple[ColumnStatistics, ...]:
        """The statistics, in the order of the schema.

        Every column needs its class; raise ``KeyError`` for one without.
        """
        return tuple(column.result(classes[column.field.name]) for column in self._columns)


def statistics(
    batches: Iterable[Any], *, schema: Any, classes: Mapping[str, SensitivityClass], seed: int = 0
) -> tuple[ColumnStatistics, ...]:
    """The statistics of a whole stream of record batches."""
    collector = StatisticsCollector(schema, seed=seed)
    for batch in batches:
        collector.add(batch)
    return collector.result(classes)


def plain_statistics(statistics: Iterable[ColumnStatistics]) -> dict[str, Any]:
    """Statistics as a version keeps them."""
    return {s.column: plain(s) for s in statistics}


def plain(value: Any) -> Any:
    """Plain JSON whose integers every reader holds exactly (RFC 7493 section 2.2)."""
    return _within(msgspec.to_builtins(value))


def _within(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _within(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_within(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SAFE_INTEGER:
        return float(value)
    return value


def distance(was: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """The Kolmogorov-Smirnov distance of two histograms, values taken as even within a bin."""
    places = np.unique(np.concatenate([was["edges"], now["edges"]]))
    curves = []
    for each in (was, now):
        counts = np.array(each["counts"], float)
        total = max(counts.sum(), 1.0)
        curves.append(np.interp(places, each["edges"], np.concatenate([[0.0], np.cumsum(counts) / total])))
    return round(float(np.abs(curves[0] - curves[1]).max(initial=0.0)), 6)


Bins = tuple[tuple[float, ...], tuple[int, ...]]


def _bins_of_few(tally: Mapping[float, int]) -> Bins:
    values = sorted(tally)
    return (*values, values[-1]), tuple(tally[value] for value in values)


def _bins_of_many(moments: _Moments, sketch: QuantileSketch) -> Bins:
    inner = sketch.quantiles(np.arange(1, BINS) / BINS)
    edges = np.unique(np.concatenate([[moments.minimum], inner, [moments.maximum]]))
    values, weights = sketch.weighted()
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bins, weights=weights, minlength=len(edges) - 1)
    return tuple(edges.tolist()), tuple(map(int, counts.tolist()))


def _is_numeric(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
