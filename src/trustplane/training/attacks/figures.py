"""What an attack says of a model: robust accuracy with its interval, success by distance, which features give way, and the nearest evasions."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trustplane.training.attacks.engine import Outcome

Z = 1.959963984540054  # the 97.5th percentile of the normal distribution
POINTS = 11


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); all of [0, 1] where there is nothing to count."""
    if of == 0:
        return 0.0, 1.0
    share, spread = hits / of, Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Weakness:
    """How evasions use a feature: the share that changes it, and by how much of its scale in the median where they do, with its sign."""

    feature: str
    share: float
    move: float


def curve(outcome: Outcome) -> list[tuple[float, float]]:
    """The share of rightly decided rows that are evaded within each distance, from 0 to the budget."""
    budget, right = outcome.space.threat.budget.distance, max(1, int(outcome.right.sum()))
    reached = outcome.distance[outcome.evaded]
    return [(float(d), float((reached <= d * (1 + 1e-9)).sum() / right)) for d in np.linspace(0, budget, POINTS)]


def weaknesses(outcome: Outcome) -> list[Weakness]:
    """The features that evasions change, the one that most of them change first."""
    moved = (outcome.evasions - outcome.origins)[outcome.evaded] / outcome.space.scale
    found = []
    for column, name in enumerate(outcome.space.names):
        changes = moved[:, column][moved[:, column] != 0]
        if len(changes):
            found.append(Weakness(name, len(changes) / len(moved), float(np.median(changes))))
    return sorted(found, key=lambda w: (-w.share, w.feature))


def nearest_evasions(outcome: Outcome, count: int = 5) -> list[dict[str, Any]]:
    """The evasions with the least distance: what each changed, before and after. These are values of rows: governed content."""
    order = np.argsort(np.where(outcome.evaded, outcome.distance, np.inf), kind="stable")
    return [
        {
            "row": int(row),
            "distance": float(outcome.distance[row]),
            "changes": {
                outcome.space.names[c]: [float(outcome.origins[row, c]), float(outcome.evasions[row, c])]
                for c in np.flatnonzero(outcome.origins[row] != outcome.evasions[row])
            },
        }
        for row in order[: min(count, int(outcome.evaded.sum()))]
    ]


def figures(outcome: Outcome) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Aggregate figures, and intervals of those that are shares of rows."""
    rows, right, fell = len(outcome.right), int(outcome.right.sum()), int(outcome.evaded.sum())
    said = {
        "rows_attacked": float(rows),
        "clean_accuracy": outcome.clean_accuracy,
        "robust_accuracy": outcome.robust_accuracy,
        "withstood": 1.0 - outcome.success,
        "queries_per_row": outcome.queries / max(1, rows),
        "invalid": float(outcome.invalid),
        "out_of_time": float(outcome.out_of_time),
    }
    if fell:
        said["median_distance"] = float(np.median(outcome.distance[outcome.evaded]))
    intervals = {
        "clean_accuracy": wilson(right, rows),
        "robust_accuracy": wilson(right - fell, rows),
        "withstood": wilson(right - fell, right),
    }
    return said, intervals
