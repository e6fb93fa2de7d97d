"""Adversarial training of networks: each batch is attacked by gradient steps within the threat model before it is learned (Madry et al. 2018)."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.gradient import walked
from trustplane.training.attacks.networks import of_torch
from trustplane.training.attacks.space import Space, repaired, space_of
from trustplane.training.hardening.standing import Table
from trustplane.training.threats.model import ThreatModel

Floats = npt.NDArray[np.float64]
EPOCHS, BATCH, STEPS, RATE = 12, 256, 4, 3e-3


def trained(
    module: Any, table: Table, threat: ThreatModel, seed: int, *, adversarial: bool, epochs: int = EPOCHS
) -> Any:
    """A copy of a PyTorch module trained by Adam on the log-odds; with ``adversarial`` rows of the attacked class also as an attack leaves them."""
    import torch

    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    fresh = copy.deepcopy(module)
    space = space_of(threat, table.names)
    optimiser = torch.optim.Adam(fresh.parameters(), lr=RATE, weight_decay=1e-5)
    loss = torch.nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        order = random.permutation(len(table.labels))
        for begin in range(0, len(order), BATCH):
            part = table.taken(order[begin : begin + BATCH])
            rows, labels = part.features, part.labels
            if adversarial:
                attacked = _attacked(fresh, space, part, threat)
                rows = np.concatenate([rows, attacked])
                labels = np.concatenate([labels, np.full(len(attacked), threat.goal.start)])
            fresh.train()
            optimiser.zero_grad()
            odds = _odds(fresh, torch.from_numpy(rows.astype(np.float32)))
            loss(odds, torch.from_numpy(labels.astype(np.float32))).backward()
            optimiser.step()
    return fresh.eval()


def _odds(module: Any, rows: Any) -> Any:
    out = module(rows)
    return out[:, 1] - out[:, 0] if out.ndim == 2 and out.shape[1] == 2 else out.reshape(-1)


def _attacked(module: Any, space: Space, part: Table, threat: ThreatModel) -> Floats:
    gradient: Callable[[Floats], Floats] = of_torch(module, 0.5).gradient  # type: ignore[assignment]
    sign = 1.0 if threat.goal.start == 1 else -1.0
    origins = part.features[part.labels == threat.goal.start].astype(np.float32).astype(np.float64)
    walk = origins.copy()
    for step in range(STEPS):
        walk = walked(space, lambda rows: sign * gradient(rows), origins, walk, 1.0 - step / STEPS)
    made, good = repaired(space, origins, walk)
    return np.where(good[:, None], made, origins)


def blinded(module: Any, columns: list[int], width: int) -> Any:
    """A module that does not look at some columns of its input."""
    import torch

    class Blind(torch.nn.Module):
        """Sets columns to 0 before the module sees them."""

        def __init__(self) -> None:
            super().__init__()
            mask = torch.ones(width)
            mask[columns] = 0.0
            self.register_buffer("mask", mask)
            self.inner = copy.deepcopy(module)

        def forward(self, rows: Any) -> Any:
            return self.inner(rows * self.mask)

    return Blind()
