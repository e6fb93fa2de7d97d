"""The values worth trying for each column: either side of each threshold of the trees, or values that rows hold."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.space import Space

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST = 512


def levels_of(space: Space, background: Floats, cuts: Mapping[int, Floats] | None) -> dict[int, Floats]:
    """For each column that moves, ascending values within its bounds."""
    found = {}
    for column in space.moves.tolist():
        whole = bool(space.whole[column])
        if cuts is None:
            values = _thinned(np.unique(background[:, column]))
        else:
            values = _sides(cuts.get(column, np.zeros(0)), whole=whole)
        low, high = space.low[column], space.high[column]
        values = values[(values >= low) & (values <= high)]
        if whole and high - low <= 16:
            values = np.arange(np.ceil(low), high + 1)
        elif not len(values) and cuts is None:
            values = np.linspace(low, high, 17)
        found[column] = np.unique(values)
    return found


def _sides(cuts: Floats, *, whole: bool) -> Floats:
    """Either side of each threshold, whichever side the threshold itself belongs to."""
    if whole:
        return np.concatenate([np.ceil(cuts) - 1, np.floor(cuts), np.floor(cuts) + 1, np.ceil(cuts)])
    single = cuts.astype(np.float32)
    below, above = np.nextafter(single, np.float32(-np.inf)), np.nextafter(single, np.float32(np.inf))
    return np.concatenate([below, single, above]).astype(np.float64)


def _thinned(values: Floats) -> Floats:
    if len(values) <= MOST:
        return values
    return values[np.linspace(0, len(values) - 1, MOST).astype(np.int64)]


def drawn(levels: Floats, low: Floats, high: Floats, count: int, random: np.random.Generator) -> Floats:
    """``count`` levels for each row between its ``low`` and ``high``, spread evenly with chance; shape (rows, count). NaN where there is none."""
    first = np.searchsorted(levels, low, side="left")
    after = np.searchsorted(levels, high, side="right")
    room = (after - first)[:, None]
    place = first[:, None] + ((np.arange(count) + random.random((len(low), count))) / count * room).astype(np.int64)
    none = room <= 0
    safe = np.minimum(place, len(levels) - 1) if len(levels) else np.zeros_like(place)
    values = levels[safe] if len(levels) else np.zeros(place.shape)
    return np.where(none, np.nan, values)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The levels of all columns in one array, so that one search finds where many values of many columns stand.

    A level's key is the place of its column plus where it lies between the column's ends, below 1.
    """

    keys: Floats
    values: Floats
    first: Ints
    count: Ints
    low: Floats
    width: Floats

    def moved(self, column: Ints, value: Floats, random: np.random.Generator) -> Floats:
        """A level near ``value`` for each, or now and then any; the value itself where its column has none. ``column`` is the place in the ladder."""
        share = np.clip((value - self.low[column]) / self.width[column], 0.0, 0.999)
        at = np.searchsorted(self.keys, column + share) - self.first[column]
        near = at + random.integers(-4, 5, len(column))
        far = (random.random(len(column)) * self.count[column]).astype(np.int64)
        chosen = np.where(random.random(len(column)) < 0.7, near, far)
        place = self.first[column] + np.clip(chosen, 0, np.maximum(self.count[column] - 1, 0))
        return np.where(self.count[column] > 0, self.values[np.minimum(place, len(self.values) - 1)], value)


def ladder_of(levels: Mapping[int, Floats]) -> Ladder:
    """The ladder of the columns in the order of the mapping; a column without levels is a rung of none."""
    parts = list(levels.values())
    count = np.array([len(p) for p in parts], np.int64)
    low = np.array([p[0] if len(p) else 0.0 for p in parts])
    width = np.array([p[-1] - p[0] if len(p) and p[-1] > p[0] else 1.0 for p in parts])
    keys = [i + np.clip((p - a) / w, 0.0, 0.999) for i, (p, a, w) in enumerate(zip(parts, low, width, strict=True))]
    none = np.zeros(1)
    return Ladder(
        np.concatenate(keys) if count.sum() else none,
        np.concatenate(parts) if count.sum() else none,
        np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64),
        count,
        low,
        width,
    )
