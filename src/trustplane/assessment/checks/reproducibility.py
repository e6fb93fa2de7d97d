"""Whether the model says the same of the same row: again, in another order, alone and among others."""

from collections.abc import Mapping

import numpy as np

from trustplane.assessment.checks.contract import CheckInput, CheckResult, Descriptor, Examined, Parameter, Stricter
from trustplane.values.outcomes import Failed, Inconclusive, Passed

LEAST_ROWS, MOST_ROWS, ALONE = 10, 2000, 50
DESCRIPTOR = Descriptor(
    "reproducibility",
    "Does the model give the same row the same score, whenever it is asked and whatever it is asked with it?",
    (
        Parameter(
            "max_difference",
            1e-5,
            Stricter.LOWER,
            "convention: sums of float32 in another order differ by about 1e-6",
        ),
    ),
)


class Reproducibility:
    """The largest differences of the scores of one row, by what was changed between two questions."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where a score depends on anything but its row."""
        if data.examined is None:
            return CheckResult(Inconclusive("the model itself cannot be asked", "assess a model that can be run"))
        if data.rows < LEAST_ROWS:
            return CheckResult(
                Inconclusive(f"{data.rows} rows are too few to tell", "hold out more rows for assessment")
            )
        figures = _differences(data.examined, data)
        most = parameters["max_difference"]
        worst = max(figures, key=lambda name: figures[name])
        figures["rows"] = float(min(data.rows, MOST_ROWS))
        if figures[worst] > most:
            said = f"{worst.replace('_', ' ')}, scores differ by up to {figures[worst]:.2g}; at most {most:g} is asked"
            return CheckResult(
                Failed(said, "take chance, state and batch statistics out of the exported model"), figures
            )
        return CheckResult(Passed(f"scores of the same row differ by {figures[worst]:.2g} at most"), figures)


def _differences(model: Examined, data: CheckInput) -> dict[str, float]:
    rows = np.random.default_rng(data.seed).permutation(data.rows)[:MOST_ROWS]
    features = np.ascontiguousarray(model.holdout.features[rows])
    first = model.score(features)
    alone = np.concatenate([model.score(features[at : at + 1]) for at in range(min(ALONE, len(features)))])
    return {
        "asked_again": _largest(first, model.score(features)),
        "in_another_order": _largest(first, model.score(np.ascontiguousarray(features[::-1]))[::-1]),
        "alone": _largest(first[: len(alone)], alone),
        "among_all_rows": _largest(first, data.y_score[rows]),
    }


def _largest(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference; two scores of which one is no number differ by all that scores can."""
    apart = np.abs(one - other)
    return float(np.where(np.isfinite(apart), apart, 1.0).max(initial=0.0))
