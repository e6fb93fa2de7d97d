"""Adversarial training by rounds: attack the model, add what evaded it under its true label, and fit anew.

For any model that can be fitted; trees have no gradient to train against (Kantchelian, Tygar and Joseph 2016, section 6, do it likewise).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.engine import Effort, attack
from trustplane.training.attacks.models import open_model
from trustplane.training.attacks.space import repaired, space_of
from trustplane.training.hardening.standing import Table
from trustplane.training.threats.model import ThreatModel

Floats = npt.NDArray[np.float64]
MOST_ROWS = 600


def adversarial_rounds(
    fit: Callable[[Table], Any], model: Any, table: Table, threat: ThreatModel, effort: Effort, rounds: int
) -> Any:
    """The model after ``rounds`` of attack and fitting; what evaded earlier ones stays in the rows."""
    random = np.random.default_rng(effort.seed)
    start = threat.goal.start
    own, others = table.features[table.labels == start], table.features[table.labels != start]
    grown = table
    for number in range(rounds):
        some = own[random.permutation(len(own))[:MOST_ROWS]]
        harder = replace(effort, seed=effort.seed + number, near=False)
        outcome = attack(open_model(model), threat, table.names, some, others, harder)
        if not outcome.evaded.any():
            break
        grown = _joined(grown, outcome.evasions[outcome.evaded], start)
        model = fit(grown)
    return model


def smoothed(table: Table, threat: ThreatModel, names: Sequence[str], seed: int, copies: int = 2) -> Table:
    """The rows and random neighbours of each row of the attacked class within the threat model, under the same label."""
    space, random = space_of(threat, names), np.random.default_rng(seed)
    own = np.repeat(table.features[table.labels == threat.goal.start], copies, axis=0)
    moved = own.copy()
    drawn = random.normal(size=(len(own), len(space.moves)))
    drawn *= (
        threat.budget.distance
        * random.random((len(own), 1))
        / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-12)
    )
    moved[:, space.moves] += drawn * space.scale[space.moves]
    made, good = repaired(space, own, moved)
    return _joined(table, made[good], threat.goal.start)


def _joined(table: Table, rows: Floats, label: int) -> Table:
    return Table(
        table.names,
        np.concatenate([table.features, rows]),
        np.concatenate([table.labels, np.full(len(rows), label, table.labels.dtype)]),
    )
