"""Who was in the training: the attacks, and the shadows that the better two share.

A shadow is a model of the same kind as the one attacked, trained on a random half of all rows. Every row is in half of the shadows, so
what a model says of the row when it has seen it, and when it has not, is known from models that the attacker made.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.privacy.learners import Learner

Floats = npt.NDArray[np.float64]
_LEAST = 1e-4  # a forest says 0 and 1; past here its log-odds would be noise


@dataclass(frozen=True, slots=True)
class Shadows:
    """``inside`` and ``said`` have shape (shadows, rows): whether the row was learned from, and the probability given to its own label."""

    inside: npt.NDArray[np.bool_] = field(repr=False)
    said: Floats = field(repr=False)


def halves(shadows: int, rows: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows each shadow learns from, in pairs of a half and what it leaves: each row is in just half of the shadows."""
    random = np.random.default_rng(seed)
    inside = np.zeros((shadows, rows), bool)
    for k in range(0, shadows, 2):
        inside[k, random.permutation(rows)[: rows // 2]] = True
        inside[k + 1] = ~inside[k]
    return inside


def make_shadows(learner: Learner, features: Any, label: Any, shadows: int, seed: int) -> Shadows:
    """An even number of ``shadows``; deterministic in the seed."""
    inside = halves(shadows, len(label), seed)
    said = learner.train(features, label, inside, seed)
    return Shadows(inside, own_label(said, label))


def own_label(said: Floats, label: Any) -> Floats:
    """The probability given to each row's own label."""
    return np.asarray(np.where(label == 1, said, 1 - said), np.float64)


def by_loss(said: Floats) -> Floats:
    """The global threshold (Yeom et al. 2018): members are given a smaller loss. ``said`` is the probability of the own label."""
    return np.asarray(said, np.float64)


def rmia(said: Floats, shadows: Shadows) -> Floats:
    """How much likelier the model makes the row's label than a model that is as likely as not to have seen it (Zarifzadeh et al. 2024).

    The comparison with each row of a population, of which the attack counts those that the row passes, orders rows as the ratio does.
    """
    seen = (shadows.said * shadows.inside).sum(axis=0) / shadows.inside.sum(axis=0)
    unseen = (shadows.said * ~shadows.inside).sum(axis=0) / (~shadows.inside).sum(axis=0)
    return np.asarray(np.log(np.maximum(said, _LEAST)) - np.log(np.maximum((seen + unseen) / 2, _LEAST)))


def lira(said: Floats, shadows: Shadows) -> Floats:
    """The likelihood ratio of the row's log-odds between models that saw it and models that did not (Carlini et al. 2022, algorithm 1).

    Normal, with a mean of each row's own and one variance for all, as is best with few shadows (their section VI-B).
    """
    odds, asked = _odds(shadows.said), _odds(said)
    found = []
    for mask in (shadows.inside, ~shadows.inside):
        count = mask.sum(axis=0)
        mean = (odds * mask).sum(axis=0) / count
        variance = max(float((((odds - mean) ** 2) * mask).sum() / max(int((count - 1).sum()), 1)), 1e-6)
        found.append(-((asked - mean) ** 2) / (2 * variance) - np.log(variance) / 2)
    return np.asarray(found[0] - found[1])


def _odds(said: Floats) -> Floats:
    held = np.clip(said, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(held) - np.log1p(-held))
