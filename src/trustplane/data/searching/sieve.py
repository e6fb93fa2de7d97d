"""Many shapes tried at once: one bit each, and one table look-up for each sign (Baeza-Yates and Gonnet 1992)."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from trustplane.data.recognisers.codes import Shape, Signs
from trustplane.data.searching.batch import BEYOND, Places

Bits = npt.NDArray[np.uint64]

MOST = 64
_BLOCK = 65_536
"""Signs that are looked at in one go, so that what is made on the way stays in the cache."""


class Sieve:
    """Up to :data:`MOST` shapes. Of a long one the first signs count; ``not_after`` are signs that never stand before one."""

    def __init__(self, shapes: Sequence[Shape], not_after: Sequence[str] = ()) -> None:
        longest = min(BEYOND, max((shape.length for shape in shapes), default=0))
        self._every = np.uint64((1 << len(shapes)) - 1)
        self._tables = np.full((longest, 256), self._every)
        self._before = np.full(256, self._every)
        for at, shape in enumerate(shapes):
            bit = np.uint64(1 << at)
            for table, place in zip(self._tables, shape.places, strict=False):
                table[~np.isin(np.arange(256), list(place.encode("ascii")))] &= ~bit
        for at, signs in enumerate(not_after):
            self._before[list(signs.encode("ascii"))] &= ~np.uint64(1 << at)

    def rows(self, signs: Signs) -> Bits:
        """Which shapes each row of a matrix begins with, as bits."""
        bits = np.full(len(signs), self._every)
        for table, column in zip(self._tables, signs.T, strict=False):
            bits &= table[column]
        return bits

    def places(self, signs: Signs) -> tuple[Places, Bits]:
        """Where in a row of signs shapes stand, and which. The row ends in :data:`BEYOND` zeros."""
        end = len(signs) - BEYOND
        parts = [self._places(signs, at, min(at + _BLOCK, end)) for at in range(0, end, _BLOCK)]
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.uint64)
        at, bits = (np.concatenate(each) for each in zip(*parts, strict=True))
        return at, bits

    def _places(self, signs: Signs, start: int, end: int) -> tuple[Places, Bits]:
        bits = self._before[signs[np.arange(start - 1, end - 1)]]
        for ahead, table in enumerate(self._tables[:2]):
            bits &= table[signs[start + ahead : end + ahead]]
        at = np.flatnonzero(bits)
        bits, at = bits[at], at + start
        for ahead, table in enumerate(self._tables[2:], 2):
            if not len(at):
                break
            bits = bits & table[signs[at + ahead]]
            at, bits = at[bits != 0], bits[bits != 0]
        return at, bits


def bits_of(places: Sequence[int]) -> np.uint64:
    """The bits at these places."""
    return np.uint64(sum(1 << each for each in places))


def pieces(count: int) -> Iterator[slice]:
    """Slices of at most :data:`MOST` of so many things."""
    return (slice(at, at + MOST) for at in range(0, count, MOST))
