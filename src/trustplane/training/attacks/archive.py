"""What was found so far: for each row the nearest evasion that the validator let pass and the model fell for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import Score
from trustplane.training.attacks.space import Space, distances
from trustplane.training.threats.validator import validate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Archive:
    """``evasions`` and ``nearest`` have shape (rows, features): what counts, and the valid row of the lowest score, where to go on from."""

    space: Space = field(repr=False)
    origins: Floats = field(repr=False)
    threshold: float
    score: Score = field(repr=False)
    evasions: Floats = field(init=False, repr=False)
    distance: Floats = field(init=False, repr=False)
    nearest: Floats = field(init=False, repr=False)
    lowest: Floats = field(init=False, repr=False)
    invalid: int = field(init=False, default=0)
    open: bool = field(init=False, default=True)
    lock: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.evasions = self.origins.copy()
        self.nearest = self.origins.copy()
        self.distance = np.full(len(self.origins), np.inf)
        self.lowest = np.full(len(self.origins), np.inf)

    @property
    def found(self) -> Truths:
        """The rows for which there is an evasion."""
        return np.isfinite(self.distance)

    def offer(self, rows: Floats, of: Ints) -> None:
        """Judge ``rows`` made of ``origins[of]``, and keep those that count and are nearer than what is there."""
        rows, of = _sound(rows, of, self.origins.shape)
        away = distances(self.space, self.origins[of], rows)
        order = np.lexsort((away, of))
        first = order[np.unique(of[order], return_index=True)[1]]  # one offer for each row, the nearest
        first = first[away[first] < self.distance[of[first]]]
        if not len(first):
            return
        rows, of, away = rows[first], of[first], away[first]
        legal = validate(self.space.threat, self.space.names, self.origins[of], rows).valid
        scores = self.score(rows)
        with self.lock:
            if not self.open:
                return
            self.invalid += int((~legal).sum())
            counts = legal & (scores < self.threshold) & (away < self.distance[of])
            self.evasions[of[counts]], self.distance[of[counts]] = rows[counts], away[counts]
            closer = legal & (scores < self.lowest[of])
            self.nearest[of[closer]], self.lowest[of[closer]] = rows[closer], scores[closer]

    def close(self) -> None:
        """Take nothing more: what an attack that was left behind still offers comes too late."""
        with self.lock:
            self.open = False


def _sound(rows: Floats, of: Ints, shape: tuple[int, ...]) -> tuple[Floats, Ints]:
    """What can be judged at all: rows of the right width, of origins that there are."""
    rows, of = np.asarray(rows, np.float64), np.asarray(of, np.int64)
    if rows.ndim != 2 or rows.shape[1] != shape[1] or of.shape != (len(rows),):
        raise ValueError("an attack offers rows of shape (rows, features) and of which origin each is")
    good = np.isfinite(rows).all(axis=1) & (of >= 0) & (of < shape[0])
    return rows[good], of[good]


Offer = Callable[[Floats, Ints], None]
