"""What the model tells of a column of its training rows to somebody who knows all the others and the label."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FEW = 10
"""Kinds of values of a column that can be tried one after the other."""
ROWS = 1000
COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Guessed:
    """How many values of a column the attack guessed rightly, of training rows and of rows that the model never saw."""

    column: int
    members: int
    of_members: int
    outsiders: int
    of_outsiders: int

    @property
    def advantage(self) -> float:
        """How much better training rows are guessed (Yeom et al. 2018, definition 5); what a column tells of itself cancels."""
        return self.members / self.of_members - self.outsiders / self.of_outsiders

    @property
    def error(self) -> float:
        """The standard error of the advantage; each share is moved a little to the middle, so that none has no error (Agresti and Caffo 2000)."""
        return float(np.sqrt(_variance(self.members, self.of_members) + _variance(self.outsiders, self.of_outsiders)))


def guess_attributes(
    score: Callable[[Any], Floats], members: tuple[Any, Any], outsiders: tuple[Any, Any], seed: int
) -> list[Guessed]:
    """Guess each column of few kinds, of (features, label) of members and outsiders, by the value that makes the label likeliest.

    A value counts by how often the outsiders hold it with the label, times the probability that the model gives to the label.
    """
    random = np.random.default_rng(seed)
    drawn = [_drawn(random, *rows) for rows in (members, outsiders)]
    found: list[Guessed] = []
    for column in range(members[0].shape[1]):
        kinds = np.unique(members[0][:, column])
        if 2 <= len(kinds) <= FEW and len(found) < COLUMNS:
            right = [_right(score, *rows, column, _prior(kinds, column, outsiders)) for rows in drawn]
            found.append(Guessed(column, right[0], len(drawn[0][1]), right[1], len(drawn[1][1])))
    return found


def _drawn(random: np.random.Generator, features: Any, label: Any) -> tuple[Any, Any]:
    chosen = random.permutation(len(label))[:ROWS]
    return features[chosen], label[chosen]


def _prior(kinds: Any, column: int, outsiders: tuple[Any, Any]) -> tuple[Any, Floats]:
    """The kinds, and the share of each among the outsiders with label 0 and 1, each counted once more."""
    features, label = outsiders
    counts = np.array([[((features[:, column] == kind) & (label == c)).sum() + 1 for kind in kinds] for c in (0, 1)])
    return kinds, np.asarray(counts / counts.sum(axis=1, keepdims=True), np.float64)


def _right(score: Callable[[Any], Floats], features: Any, label: Any, column: int, prior: tuple[Any, Floats]) -> int:
    kinds, shares = prior
    likely = np.empty((len(kinds), len(label)))
    changed = features.copy()
    for k, kind in enumerate(kinds):
        changed[:, column] = kind
        said = score(changed)
        likely[k] = np.where(label == 1, said, 1 - said) * shares[label, k]
    return int((kinds[likely.argmax(axis=0)] == features[:, column]).sum())


def _variance(hits: int, of: int) -> float:
    share = (hits + 1) / (of + 2)
    return share * (1 - share) / (of + 2)
