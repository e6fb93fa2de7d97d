"""What two models say of the same rows, side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.conversion.failing import Unconverted

Floats = npt.NDArray[np.float64]
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Answers:
    """The probabilities of each class of shape (rows, classes), or one number for each row of shape (rows, 1) without classes."""

    numbers: Floats
    classifies: bool


def of_probabilities(given: Any) -> Answers:
    """Probabilities; one column is that of the second of two classes."""
    numbers = np.asarray(given, np.float64)
    if numbers.ndim == 1 or numbers.shape[1] == 1:
        numbers = numbers.reshape(-1)
        numbers = np.column_stack([1 - numbers, numbers])
    return Answers(numbers, classifies=True)


def of_numbers(given: Any) -> Answers:
    """What a regressor says."""
    numbers = np.asarray(given, np.float64)
    return Answers(numbers.reshape(len(numbers), -1), classifies=False)


def compare(before: Answers, after: Answers, tolerance: float) -> dict[str, Any]:
    """The figures; raise :class:`Unconverted`, with them, where the models do not agree.

    Probabilities may lie ``tolerance`` apart, and numbers of a regressor that share of the largest. Labels may differ where the two
    likeliest classes lie no further apart than that.
    """
    if before.numbers.shape != after.numbers.shape or before.classifies is not after.classifies:
        raise Unconverted("the converted model gives answers of another shape than the source")
    known = np.isfinite(before.numbers)
    if not (known == np.isfinite(after.numbers)).all():
        raise Unconverted("the converted model gives numbers where the source gives none, or the other way")
    apart = np.where(known, np.abs(before.numbers - after.numbers), 0.0)
    scale = 1.0 if before.classifies else max(1.0, float(np.abs(before.numbers[known]).max(initial=0.0)))
    most = float(apart.max(initial=0.0)) / scale
    figures: dict[str, Any] = {"largest_difference": most, "tolerance": tolerance}
    close = True
    if before.classifies:
        first, second = before.numbers.argmax(1), after.numbers.argmax(1)
        ordered = np.sort(before.numbers, axis=1)
        tie = ordered[:, -1] - ordered[:, -2] <= 2 * tolerance
        figures["labels_equal"] = float((first == second).mean())
        close = bool(((first == second) | tie).all())
    if most > tolerance or not close:
        told = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in figures.items())
        raise Unconverted(f"the converted model does not agree with the source on {len(apart):,} rows: {told}")
    return figures
