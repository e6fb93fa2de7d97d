"""The values worth trying for each column: either side of each threshold of the trees, or values that rows hold."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.space import Space

Floats = npt.NDArray[np.float64]
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
