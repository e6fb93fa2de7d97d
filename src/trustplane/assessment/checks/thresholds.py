"""Whether the threshold suits the costs: what decisions cost with it, with the best one, and with no model at all."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Floats,
    Parameter,
    Stricter,
)
from trustplane.assessment.checks.resampling import row_intervals
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

RESAMPLES = 200
CURVE = tuple(round(step / 20, 2) for step in range(1, 20))
"""The thresholds whose cost is told."""
DESCRIPTOR = Descriptor(
    "thresholds",
    "Do decisions at the threshold cost little more than at the best one, and less than without a model?",
    (
        Parameter(
            "cost_of_false_positive",
            1.0,
            Stricter.NEITHER,
            "convention: both errors cost the same until it is said otherwise",
        ),
        Parameter("cost_of_false_negative", 1.0, Stricter.NEITHER, "convention: as for false positives"),
        Parameter("max_regret", 0.1, Stricter.LOWER, "convention: a tenth of what the better constant decision costs"),
        Parameter("min_rows_per_class", 50, Stricter.HIGHER, "convention: as for performance"),
    ),
    on_request=True,
)


@dataclass(frozen=True, slots=True)
class _Costs:
    """Costs per row by threshold: ``order`` sorts the rows by falling score."""

    came: Floats
    said: Floats
    order: np.ndarray
    scores: Floats
    ends: np.ndarray
    false_positive: float
    false_negative: float

    @classmethod
    def of(cls, data: CheckInput, false_positive: float, false_negative: float) -> "_Costs":
        order = np.argsort(-data.y_score, kind="stable")
        scores = data.y_score[order]
        ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
        return cls(
            data.y_true.astype(float), data.y_pred.astype(float), order, scores, ends, false_positive, false_negative
        )

    def figures(self, weights: Floats) -> dict[str, float]:
        """What a row costs on average, by how it is decided."""
        total = weights.sum()
        ones, zeros = weights * self.came, weights * (1 - self.came)
        wrongly = self.false_positive * (zeros * self.said).sum() + self.false_negative * (ones * (1 - self.said)).sum()
        positives = np.cumsum(zeros[self.order])[self.ends] * self.false_positive
        missed = (ones.sum() - np.cumsum(ones[self.order])[self.ends]) * self.false_negative
        by_place = np.append(positives + missed, ones.sum() * self.false_negative) / total
        best = int(np.argmin(by_place))
        constant = min(zeros.sum() * self.false_positive, ones.sum() * self.false_negative) / total
        cost = wrongly / total
        found = {
            "cost": cost,
            "cost_at_best": float(by_place[best]),
            "cost_without_model": constant,
            "best_threshold": 1.0 if best == len(self.ends) else float(self.scores[self.ends[best]]),
            "regret": (cost - float(by_place[best])) / constant if constant else 0.0,
        }
        at = np.searchsorted(-self.scores[self.ends], [-t for t in CURVE], side="right") - 1
        return found | {
            f"cost[{t:g}]": float(by_place[place] if place >= 0 else by_place[-1])
            for t, place in zip(CURVE, at, strict=True)
        }


class Thresholds:
    """The cost of errors per row at the threshold, at the best one, and of the better constant decision."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where the model does not pay, or the threshold clearly costs more than ``max_regret`` above the best."""
        ones = int(data.y_true.sum())
        fewest, needed = min(ones, data.rows - ones), max(int(parameters["min_rows_per_class"]), 1)
        if fewest < needed:
            why = f"one class has {fewest} rows in the hold-out, {needed} are needed"
            return CheckResult(Inconclusive(why, "hold out more rows for assessment"))
        costs = _Costs.of(data, parameters["cost_of_false_positive"], parameters["cost_of_false_negative"])
        figures = costs.figures(np.ones(data.rows))
        found = row_intervals(costs.figures, data.rows, RESAMPLES, data.seed)
        return CheckResult(_judge(figures, found, parameters["max_regret"]), figures, found)


def _judge(figures: Mapping[str, float], intervals: Mapping[str, tuple[float, float]], most: float) -> Verdict:
    said = (
        f"a decision costs {figures['cost']:.3g} on average, {figures['cost_at_best']:.3g} at the threshold "
        f"{figures['best_threshold']:.2f}, {figures['cost_without_model']:.3g} without a model"
    )
    move = f"move the threshold towards {figures['best_threshold']:.2f}"
    if figures["cost_without_model"] == 0:
        return Inconclusive("errors of one kind cost nothing", "say in the suite what both kinds of errors cost")
    if figures["cost"] >= figures["cost_without_model"]:
        return Failed(said, move if figures["cost_at_best"] < figures["cost_without_model"] else "train a better model")
    if intervals.get("regret", (0.0, 0.0))[0] > most:
        return Failed(f"{said}; that is more than {most:g} of the latter too much", move)
    return Passed(said)
