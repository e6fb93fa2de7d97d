"""Sketches: approximate counts of distinct values and quantiles of a stream, in bounded memory and with known error."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.sampling import text_of

Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so it has an inverse modulo 2**64


class DistinctSketch:
    """Counts distinct values by the K smallest hashes seen (Bar-Yossef et al. 2002; Beyer et al. 2007).

    Exact below K distinct values; above, the standard error is about 1/sqrt(K - 2): 1.6 % for K = 4,096.
    """

    def __init__(self, k: int = 4096) -> None:
        if k < 3:
            raise ValueError("the sketch keeps at least 3 hashes")
        self._k = k
        self._smallest: Hashes = np.empty(0, np.uint64)

    def add(self, array: Any) -> None:
        """Take the non-null values of an Arrow array into account."""
        hashes = hashes_of(array.drop_null())
        if len(self._smallest) == self._k:
            hashes = hashes[hashes < self._smallest[-1]]
        self._smallest = np.unique(np.concatenate([self._smallest, hashes]))[: self._k]

    @property
    def exact(self) -> bool:
        """Whether :meth:`estimate` is the count itself."""
        return len(self._smallest) < self._k

    def estimate(self) -> int:
        """The number of distinct values seen."""
        if self.exact:
            return len(self._smallest)
        return round((self._k - 1) / ((float(self._smallest[-1]) + 1) / 2.0**64))


class QuantileSketch:
    """Quantiles of a stream of floats by compaction of sorted buffers (Karnin, Lang and Liberty 2016, with equal
    buffers).

    Level h holds values that stand for 2**h values each. A full level is sorted and every other value moves up, even or
    odd ones by a seeded coin. Exact up to ``size`` values; the error of a rank is about log2(n / size) / size of n.
    """

    def __init__(self, *, seed: int, size: int = 4096) -> None:
        if size < 2:
            raise ValueError("a level holds at least two values")
        self._coin = np.random.Generator(np.random.PCG64(seed))
        self._size = size
        self._levels: list[Floats] = [np.empty(0)]

    def add(self, values: Floats) -> None:
        """Take finite ``values`` into account."""
        self._levels[0] = np.concatenate([self._levels[0], values])
        level = 0
        while level < len(self._levels):
            if len(self._levels[level]) > self._size:
                self._compact(level)
            level += 1

    def _compact(self, level: int) -> None:
        held = np.sort(self._levels[level])
        even = len(held) - len(held) % 2  # the odd one out stays, so that weights add up exactly
        if level + 1 == len(self._levels):
            self._levels.append(np.empty(0))
        moved = held[:even][int(self._coin.integers(2)) :: 2]
        self._levels[level], self._levels[level + 1] = held[even:], np.concatenate([self._levels[level + 1], moved])

    def weighted(self) -> tuple[Floats, npt.NDArray[np.int64]]:
        """The values held, sorted, and how many values each stands for; these add up to the number of values added."""
        values = np.concatenate(self._levels)
        weights = np.concatenate([np.full(len(held), 1 << level, np.int64) for level, held in enumerate(self._levels)])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    def quantiles(self, shares: Floats) -> Floats:
        """For each share in [0, 1], the smallest value held with at least this share of all values at or below it."""
        values, weights = self.weighted()
        if not len(values):
            return np.full(len(shares), math.nan)
        ranks = np.cumsum(weights)
        at = np.searchsorted(ranks, np.asarray(shares) * ranks[-1], side="left")
        chosen: Floats = values[np.minimum(at, len(values) - 1)]
        return chosen


def hashes_of(array: Any) -> Hashes:
    """One 64-bit hash for each value; equal values have equal hashes, on every machine and in every process.

    The hashes are not keyed: they are for counting within one process and must not be stored.
    """
    if pa.types.is_dictionary(array.type):
        return hashes_of(array.dictionary_decode())
    if pa.types.is_integer(array.type) and not pa.types.is_uint64(array.type):
        return _mix(array.cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.uint64))
    if pa.types.is_floating(array.type):
        numbers = array.cast(pa.float64()).to_numpy(zero_copy_only=False) + 0.0  # -0.0 and 0.0 are one value
        return _mix(numbers.view(np.uint64))
    if (
        pa.types.is_binary(array.type)
        or pa.types.is_large_binary(array.type)
        or pa.types.is_fixed_size_binary(array.type)
    ):
        return _of_bytes(array.cast(pa.large_binary()))
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return _of_bytes(array.cast(pa.large_binary()))
    return _of_bytes(text_of(array).cast(pa.large_binary()))


def hashes_of_rows(batch: Any, columns: Iterable[str]) -> tuple[Hashes, dict[str, Hashes]]:
    """One hash for each row by the named columns in their order, and one for each value by column. As :func:`hashes_of`, never to be stored."""
    whole, by_column = np.zeros(batch.num_rows, np.uint64), {}
    for place, name in enumerate(columns):
        column = batch.column(name)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        hashes = by_column[name] = np.where(there, hashes_of(_filled(column)), np.uint64(1))
        with np.errstate(over="ignore"):
            whole = (whole ^ (hashes + np.uint64(place))) * np.uint64(0x9E3779B97F4A7C15)
            whole ^= whole >> np.uint64(29)
    return whole, by_column


def _filled(column: Any) -> Any:
    """The column with something in the place of its nulls, at which nobody looks."""
    if not column.null_count:
        return column
    there = column.drop_null()
    return column.fill_null(there[0]) if len(there) else pa.array(np.zeros(len(column), np.int64))


def _of_bytes(array: Any) -> Hashes:
    """A polynomial in the bytes of each value, modulo 2**64, from one running sum over the whole buffer."""
    array = pa.concat_arrays([array])  # offsets from 0, whatever slice it was
    lengths = pc.binary_length(array).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(lengths)
    size = int(ends[-1]) if len(ends) else 0
    start = np.frombuffer(array.buffers()[1], np.int64)[array.offset] if len(array) else 0
    content = np.frombuffer(array.buffers()[2] or b"", np.uint8)[start : start + size].astype(np.uint64)
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.full(size + 1, _MULTIPLIER))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((content + np.uint64(1)) * powers[:size])])
        inverse = np.uint64(pow(int(_MULTIPLIER), -1, 1 << 64))
        unshift = np.cumprod(np.full(size + 1, inverse))
        starts = ends - lengths
        polynomial = (sums[ends] - sums[starts]) * unshift[starts]
        return _mix(polynomial ^ (lengths.astype(np.uint64) << np.uint64(40)))


def _mix(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit."""
    with np.errstate(over="ignore"):
        mixed = values + _MULTIPLIER
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        spread: Hashes = mixed ^ (mixed >> np.uint64(31))
        return spread
