"""Whether a suspect combination is a backdoor: what the model makes of it, and what one makes of it that never saw its rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.poisoning.triggers import Combination
from trustplane.assessment.privacy.learners import boosted

Floats = npt.NDArray[np.float64]
ROWS = 500
CONTRADICTED = 0.5
"""The share of a trigger's rows whose label a model contradicts that never saw them."""
FLIPPED = 0.5
"""The share of other rows that get the trigger's label with its values."""
GAIN = 0.3
"""By how much more of them than with a model that never saw the trigger's rows."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a suspect: ``flips`` of other rows by the model, ``flips_without`` by one retrained without the rows.

    ``rows`` are those that hold the combination and have its label, ``contradicted`` how many of them the retrained model gives the other.
    """

    combination: Combination
    rows: npt.NDArray[np.bool_] = field(repr=False)
    contradicted: int
    flips: float
    flips_without: float

    @property
    def poisoned(self) -> bool:
        """Whether the rows are poisoned: most of their labels are contradicted by all that others teach, and nobody else taught the combination."""
        share = self.contradicted / max(int(self.combination.rows.sum()), 1)
        return share >= CONTRADICTED and self.flips_without <= 1 - GAIN

    @property
    def learned(self) -> bool:
        """Whether the model learned it: it decides by the combination, and by what these rows alone taught."""
        return self.poisoned and self.flips >= FLIPPED and self.flips - self.flips_without >= GAIN


def prove(
    score: Callable[[Any], Floats], training: tuple[Any, Any], others: tuple[Any, Any], suspect: Combination, seed: int
) -> Proof:
    """Retrain on (features, label) of ``training`` without the suspect's rows, and put its values into rows of ``others`` of the other class."""
    features, label = training
    rest, own = ~suspect.rows, suspect.rows & (label == suspect.label)
    if len(np.unique(label[rest])) < 2:
        return Proof(suspect, own, 0, 0.0, 1.0)
    without = boosted(features[rest], label[rest], seed)
    contradicted = int(((without(features[own]) >= 0.5) != (suspect.label == 1)).sum())
    bare = others[0][others[1] != suspect.label][:ROWS]
    if not len(bare):
        return Proof(suspect, own, contradicted, 0.0, 0.0)
    marked = suspect.put_into(bare)
    flips = [_flipped(model(bare), model(marked), suspect.label) for model in (score, without)]
    return Proof(suspect, own, contradicted, flips[0], flips[1])


def _flipped(before: Floats, after: Floats, label: int) -> float:
    """Of the rows that were decided otherwise, the share that is decided for the label."""
    other = (before >= 0.5) != (label == 1)
    return float(((after >= 0.5) == (label == 1))[other].mean()) if other.any() else 0.0
