"""Blocks of rows that follow each other and hold what the rest of the table does not: a batch that somebody put in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.poisoning.signs import Sign, surprising
from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.statistics import ColumnStatistics

BLOCKS = 200
LEAST = 100
"""Rows of a block: a table has at most :data:`BLOCKS` of them, and none is shorter."""
FAR = 3.0
"""A number is out of domain beyond so many widths of the middle 80 % from its ends (Tukey's fences, wider)."""
LARGER = 5.0
"""A block is a sign where it holds so many times the share of the rest."""
MOST_KINDS = 200
SORTED = 0.95

Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class _Column:
    low: float = -np.inf
    high: float = np.inf
    kinds: Any = None
    hits: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    seen: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    sums: Array = field(default_factory=lambda: np.zeros(0))
    runs: int = 0

    def room(self, blocks: int) -> None:
        more = blocks - len(self.hits)
        if more > 0:
            self.hits, self.seen = np.pad(self.hits, (0, more)), np.pad(self.seen, (0, more))
            self.sums = np.pad(self.sums, (0, more))

    def grouped(self) -> bool:
        """Whether the rows are ordered by this column: then its ends lie together by themselves."""
        if self.kinds is not None:
            return bool(self.runs < 0.02 * self.seen.sum())
        inside = self.seen - self.hits
        full = inside > 0
        _, order = np.unique(self.sums[full] / inside[full], return_inverse=True)
        if order.max(initial=0) < 3:
            return False
        return bool(abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) > SORTED)


class Blocks:
    """Counts, block by block, the values that lie out of the domain of their column."""

    def __init__(self, statistics: Sequence[ColumnStatistics], samples: Sequence[ColumnSample], rows: int) -> None:
        self.size = max(LEAST, -(-rows // BLOCKS))
        self._columns: dict[str, _Column] = {}
        self._rows = 0
        for known, sample in zip(statistics, samples, strict=True):
            domain = _domain(known, sample)
            if domain is not None:
                self._columns[known.column] = domain

    def add(self, batch: Any) -> None:
        """Look at one more record batch."""
        at = (self._rows + np.arange(batch.num_rows)) // self.size
        self._rows += batch.num_rows
        for name, column in self._columns.items():
            values = batch.column(name)
            there = values.is_valid().to_numpy(zero_copy_only=False)
            column.room(int(at[-1]) + 1 if len(at) else 0)
            length = len(column.hits)
            if column.kinds is None:
                numbers = pc.fill_null(values.cast(pa.float64(), safe=False), 0.0).to_numpy(zero_copy_only=False)
                out = there & ~((numbers >= column.low) & (numbers <= column.high))
                calm = np.where(there & np.isfinite(numbers) & ~out, numbers, 0.0)
                column.sums += np.bincount(at, weights=calm, minlength=length)
            else:
                inside = pc.fill_null(pc.is_in(values, value_set=column.kinds), True).to_numpy(zero_copy_only=False)
                out = there & ~inside
                codes = pc.fill_null(pc.index_in(values, value_set=column.kinds), -1).to_numpy(zero_copy_only=False)
                column.runs += int((codes[1:] != codes[:-1]).sum())
            column.hits += np.bincount(at[out], minlength=length)
            column.seen += np.bincount(at[there], minlength=length)

    def result(self) -> tuple[dict[str, float], list[Sign]]:
        """Figures, and a sign for each column with blocks that hold far more strangers than the rest."""
        looks = sum(len(c.hits) for c in self._columns.values())
        signs = []
        for name, column in self._columns.items():
            if column.grouped():
                continue
            hits, seen = int(column.hits.sum()), int(column.seen.sum())
            found = [
                b
                for b in np.flatnonzero(column.hits).tolist()
                if _apart(int(column.hits[b]), int(column.seen[b]), hits, seen, looks)
            ]
            for first, last in _together(found):
                here, of = int(column.hits[first : last + 1].sum()), int(column.seen[first : last + 1].sum())
                bounds = first * self.size + 1, min((last + 1) * self.size, self._rows)
                said = (
                    f"{here:,} of {of:,} values in the rows {bounds[0]:,} to {bounds[1]:,} lie out of the column's domain, "
                    f"{hits - here:,} of {seen - of:,} in all others"
                )
                signs.append(Sign("blocks", said, name, *bounds, figures={"out": here, "of": of}))
        return {"blocks": -(-self._rows // self.size) if self._rows else 0, "columns": len(self._columns)}, signs


def _apart(hits: int, of: int, all_hits: int, all_of: int, looks: int) -> bool:
    rest = (all_hits - hits + 1) / (all_of - of + 2)
    return hits >= LARGER * rest * of and surprising(hits, of, rest, looks)


def _together(found: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for block in found:
        if runs and runs[-1][1] == block - 1:
            runs[-1] = runs[-1][0], block
        else:
            runs.append((block, block))
    return runs


def _domain(known: ColumnStatistics, sample: ColumnSample) -> _Column | None:
    if known.numeric is not None:
        return _fences(known.numeric.edges, known.numeric.counts)
    if known.type not in {"string", "large_string"} or not 2 <= sample.distinct <= MOST_KINDS:
        return None
    if sample.sampled < 20 * sample.distinct:
        return None
    kinds = sample.values.filter(pa.array(sample.counts >= max(2, sample.sampled // 1000)))
    return _Column(kinds=kinds.cast(pa.large_string() if known.type == "large_string" else pa.string()))


def _fences(edges: Sequence[float], counts: Sequence[int]) -> _Column | None:
    """Where the domain of a number ends, by a histogram whose bins have about the same number of rows each."""
    shares = np.cumsum(counts) / max(sum(counts), 1)
    first, last = int(np.searchsorted(shares, 0.08)), int(np.searchsorted(shares, 0.88))
    if edges[-1] == edges[-2]:  # each value has a bin of its own
        low, high = edges[first], edges[last]
    else:
        low = edges[first + 1] if shares[first] <= 0.12 else edges[first]
        high = edges[last + 1] if last + 1 < len(edges) - 1 else edges[last]
    if high <= low:
        return None
    return _Column(low - FAR * (high - low), high + FAR * (high - low))
