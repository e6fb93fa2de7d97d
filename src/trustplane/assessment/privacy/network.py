"""Networks of one hidden layer, many at once: each weight is a stack of as many matrices as there are networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
BATCH = 128
_RATE, _FIRST, _SECOND, _SMALL = 2e-3, 0.9, 0.999, 1e-8
_MOST = 30.0  # log-odds past which a probability is 0 or 1 in float32


@dataclass(slots=True)
class _Stack:
    """Weights of shape (networks, in, hidden), (networks, 1, hidden), (networks, hidden, 1), (networks, 1, 1)."""

    weights: list[Array]

    def said(self, rows: Array) -> Array:
        """Log-odds of shape (networks, rows); ``rows`` has shape (rows, features), or (networks, rows, features)."""
        first, bias, second, shift = self.weights
        odds: Array = (np.maximum(rows @ first + bias, 0) @ second + shift)[..., 0]
        return odds


def train_networks(features: Array, label: Any, inside: Any, width: int, epochs: Sequence[int], seed: int) -> list[Any]:
    """The probabilities of class 1, of shape (networks, rows), after each number of ``epochs``; network ``k`` learns from ``inside[k]``.

    Adam (Kingma and Ba 2015) on the logarithmic loss, no decay; every network takes as many steps of :data:`BATCH` rows as the others.
    """
    random = np.random.default_rng(seed)
    networks, columns = len(inside), features.shape[1]
    stack = _Stack(
        [
            random.normal(0, np.sqrt(2 / columns), (networks, columns, width)).astype(np.float32),
            np.zeros((networks, 1, width), np.float32),
            random.normal(0, np.sqrt(1 / width), (networks, width, 1)).astype(np.float32),
            np.zeros((networks, 1, 1), np.float32),
        ]
    )
    means, squares = ([np.zeros_like(w) for w in stack.weights] for _ in range(2))
    own = [np.flatnonzero(mask) for mask in inside]
    least = min(len(rows) for rows in own)
    batch, step, kept = min(BATCH, least), 0, []
    wanted = label.astype(np.float32)
    for epoch in range(1, max(epochs) + 1):
        order = np.stack([random.permutation(rows)[:least] for rows in own])
        for start in range(0, least - batch + 1, batch):
            at, step = order[:, start : start + batch], step + 1
            slopes = _slopes(stack, features[at], wanted[at])
            rate = _RATE * np.sqrt(1 - _SECOND**step) / (1 - _FIRST**step)
            for k, slope in enumerate(slopes):
                means[k] += (1 - _FIRST) * (slope - means[k])
                squares[k] += (1 - _SECOND) * (slope * slope - squares[k])
                stack.weights[k] -= (rate * means[k] / (np.sqrt(squares[k]) + _SMALL)).astype(np.float32)
        if epoch in epochs:
            kept.append(_probabilities(stack.said(features)))
    return kept


def _slopes(stack: _Stack, rows: Array, label: Array) -> list[Array]:
    first, bias, second, shift = stack.weights
    hidden = np.maximum(rows @ first + bias, 0)
    odds = (hidden @ second + shift)[..., 0]
    wrong = ((_probabilities(odds) - label) / rows.shape[1])[..., None].astype(np.float32)
    back = (wrong @ second.transpose(0, 2, 1)) * (hidden > 0)
    return [
        rows.transpose(0, 2, 1) @ back,
        back.sum(axis=1, keepdims=True),
        hidden.transpose(0, 2, 1) @ wrong,
        wrong.sum(axis=1, keepdims=True),
    ]


def _probabilities(odds: Array) -> Any:
    return 1 / (1 + np.exp(-np.clip(odds, -_MOST, _MOST)))
