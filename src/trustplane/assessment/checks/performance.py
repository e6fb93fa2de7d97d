"""Whether the model predicts well enough: ranking, decisions and probabilities, with how sure the hold-out makes it."""

from collections.abc import Mapping

import numpy as np

from trustplane.assessment.checks import metrics
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

RESAMPLES = 400
DESCRIPTOR = Descriptor(
    "performance",
    "Does the model predict better than chance by a margin, and do its probabilities mean what they say?",
    (
        Parameter(
            "min_auc",
            0.7,
            Stricter.HIGHER,
            "convention: Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression (2013), 5.2.4, call 0.7 to 0.8 acceptable",
        ),
        Parameter(
            "max_calibration_error",
            0.1,
            Stricter.LOWER,
            "convention: no law or standard sets a number; a tenth is one bin's width",
        ),
        Parameter(
            "min_rows_per_class",
            50,
            Stricter.HIGHER,
            "convention: below it the intervals are too wide to tell 0.7 from chance",
        ),
    ),
)


class Performance:
    """Area under the curve, accuracy, F1, Brier score, log loss and calibration error, each with a bootstrap interval."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Passes if the interval of the area lies above its least value, the model beats the base rate, and it is calibrated."""
        ones = int(data.y_true.sum())
        fewest, needed = min(ones, data.rows - ones), max(int(parameters["min_rows_per_class"]), 1)
        sizes = {"rows": float(data.rows), "rows_of_class_1": float(ones)}
        if fewest < needed:
            return CheckResult(
                Inconclusive(
                    f"one class has {fewest} rows in the hold-out, {needed} are needed",
                    "hold out more rows for assessment",
                ),
                sizes,
            )
        rows = metrics.Scored.of(data.y_true, data.y_score, data.y_pred)

        def figures(weights: Floats) -> dict[str, float]:
            return {
                "auc": metrics.area(rows, weights),
                "accuracy": metrics.accuracy(rows, weights),
                "f1": metrics.f1(rows, weights),
                "brier": metrics.brier(rows, weights),
                "log_loss": metrics.log_loss(rows, weights),
                "calibration_error": metrics.calibration_error(rows, weights),
            }

        measured = figures(np.ones(data.rows))
        share = ones / data.rows
        measured |= {"prevalence": share, "brier_of_base_rate": share * (1 - share)}
        found = row_intervals(figures, data.rows, RESAMPLES, data.seed)
        return CheckResult(_judge(measured, found, parameters), measured | sizes, found)


def _judge(
    figures: Mapping[str, float], intervals: Mapping[str, tuple[float, float]], parameters: Mapping[str, float]
) -> Verdict:
    low, high = intervals.get("auc", (0.0, 1.0))
    least, most = parameters["min_auc"], parameters["max_calibration_error"]
    said = f"the area under the curve is {figures['auc']:.3f} ({low:.3f} to {high:.3f})"
    better = "train a better model, or hold it out on more rows where the interval is wide"
    if low < least:
        return Failed(f"{said}, and its interval reaches below {least:g}", better)
    if figures["brier"] >= figures["brier_of_base_rate"]:
        return Failed(f"{said}, but the probabilities are no better than the base rate", "calibrate the model")
    if figures["calibration_error"] > most:
        return Failed(
            f"{said}, but the calibration error {figures['calibration_error']:.3f} is above {most:g}",
            "calibrate the model",
        )
    return Passed(f"{said}, the calibration error {figures['calibration_error']:.3f}")
