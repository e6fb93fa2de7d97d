"""Whether the hold-out is a fair test: nothing of it in the training, and no column that gives the label away."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from trustplane.assessment.checks.contract import (
    UNKNOWN_TRAINING,
    CheckInput,
    CheckResult,
    Descriptor,
    Examined,
    Floats,
    Parameter,
    Rows,
    Stricter,
)
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

NEAR = 0.01
"""Rows are near duplicates where every column differs by less than this part of its standard deviation."""
_LIKE_A_NUMBER, _CLOSE = 0.95, 4
_MOVES = 0.02
DESCRIPTOR = Descriptor(
    "leakage",
    "Is the hold-out a fair test of the model, with nothing of it in the training and no column that gives the label away?",
    (
        Parameter(
            "max_duplicate_share",
            0.05,
            Stricter.LOWER,
            "convention: beyond what rows of few kinds share by chance; Kapoor and Narayanan (2023), leakage L1.4",
        ),
        Parameter(
            "max_single_column_auc",
            0.99,
            Stricter.LOWER,
            "convention: a column that ranks the classes all alone is what came, by another name; Kaufman et al. (2012)",
        ),
        Parameter(
            "max_future_share",
            0.05,
            Stricter.LOWER,
            "convention: no time machine (Kaufman et al. 2012): no training row is newer than the rows it is judged on",
        ),
        Parameter(
            "min_rows", 50, Stricter.HIGHER, "convention: fewer rows do not tell a share of a twentieth from none"
        ),
    ),
)


class Leakage:
    """Duplicates of hold-out rows in the training, columns that know the label, columns that number the rows, and training on the future."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Passes if nothing leaks; it costs one sort of each column."""
        model = data.examined
        if model is None or model.training is None:
            return CheckResult(UNKNOWN_TRAINING)
        training, holdout = model.training, model.holdout
        sizes = {"training_rows": float(len(training.label)), "holdout_rows": float(len(holdout.label))}
        least = max(int(parameters["min_rows"]), 2)
        if min(sizes.values()) < least or min(len(np.unique(r.label)) for r in (training, holdout)) < 2:
            return CheckResult(
                Inconclusive(f"{least} rows of each, of both classes, are needed", "hold out more rows"), sizes
            )
        figures = sizes | _duplicates(training, holdout)
        columns = _columns(model, training)
        figures |= columns[0] | {"trained_on_the_future": _future(training, holdout)}
        return CheckResult(_judge(figures, columns[1], parameters), figures)


def _duplicates(training: Rows, holdout: Rows) -> dict[str, float]:
    """Shares of hold-out rows that stand in the training too, with their label; and more of them than in the training itself.

    A table of few kinds repeats itself: the share of training rows that repeat within the training says how much of it is chance.
    """
    spread = np.maximum(training.features.std(axis=0, dtype=np.float64), 1e-12)
    shares = {}
    for name, width in (("duplicates", 0.0), ("near_duplicates", NEAR)):
        own, other = (_keys(rows, spread * width) for rows in (training, holdout))
        values, counts = np.unique(own, return_counts=True)
        shared = float(np.isin(other, values).mean())
        # a training row meets another one of the rest
        repeats = float(counts[counts > 1].sum() / len(own))
        shares[name] = shared
        shares[f"{name}_beyond_chance"] = max(shared - repeats, 0.0)
    return shares


def _keys(rows: Rows, width: Floats) -> Any:
    """A row and its label as one value that can be compared."""
    features: Any = rows.features.astype(np.float64) + 0.0
    if width.any():
        features = np.round(features / np.maximum(width, 1e-300))
    table = np.ascontiguousarray(np.column_stack([features + 0.0, rows.label]))
    return table.view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).ravel()


def _columns(model: Examined, training: Rows) -> tuple[dict[str, float], tuple[str, str]]:
    """How well the best column ranks the classes alone, and how many columns number the rows; with their names."""
    best, knows, numbers = 0.5, "", []
    for column, name in enumerate(model.names):
        values = training.features[:, column]
        area = _area(values, training.label)
        if max(area, 1 - area) > best:
            best, knows = max(area, 1 - area), name
        if _numbers_rows(values):
            numbers.append(name)
    return {"best_column_auc": best, "columns_like_identifiers": float(len(numbers))}, (knows, ", ".join(numbers[:5]))


def _area(values: Any, label: Any) -> float:
    """The area under the curve of a column as a score, ties counted half (Mann and Whitney 1947)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ones = int(label.sum())
    return float((middle[place][label == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(label) - ones)))


def _numbers_rows(values: Any) -> bool:
    """Whether nearly every row has a whole number of its own, as account numbers and places in a file do.

    Amounts are whole and apart too: so the numbers lie closer than amounts can without repeating, or rise from row to row.
    """
    if not (np.floor(values) == values).all() or len(np.unique(values)) < _LIKE_A_NUMBER * len(values):
        return False
    steps = np.diff(values)
    return bool(np.ptp(values) <= _CLOSE * len(values) or (steps >= 0).all() or (steps <= 0).all())


def _future(training: Rows, holdout: Rows) -> float:
    """The share of hold-out rows that are older than the newest training row, where the label moves with time; 0 where it does not."""
    when, later = training.time, holdout.time
    if when is None or later is None or not len(later):
        return 0.0
    ones = int(training.label.sum())
    # the standard error of the area by chance (Mann and Whitney 1947)
    error = math.sqrt((len(when) + 1) / (12 * ones * (len(when) - ones)))
    if abs(_area(when, training.label) - 0.5) < max(_MOVES, 4 * error):
        return 0.0
    return float((later < when.max()).mean())


def _judge(figures: Mapping[str, float], named: tuple[str, str], parameters: Mapping[str, float]) -> Verdict:
    knows, numbers = named
    duplicates = max(figures["duplicates_beyond_chance"], figures["near_duplicates_beyond_chance"])
    if duplicates > parameters["max_duplicate_share"]:
        return Failed(
            f"{duplicates:.1%} of the hold-out's rows stand in the training too, beyond what the rows share by chance",
            "take duplicates out before the split, and keep all rows of one person on one side of it",
        )
    if figures["best_column_auc"] > parameters["max_single_column_auc"]:
        return Failed(
            f"the column {knows} alone ranks the classes by {figures['best_column_auc']:.3f}",
            "leave it out if it is known only once the label is",
        )
    if figures["columns_like_identifiers"]:
        return Failed(f"{numbers} number the rows, and are features", "leave out what identifies rows")
    if figures["trained_on_the_future"] > parameters["max_future_share"]:
        return Failed(
            f"{figures['trained_on_the_future']:.1%} of the hold-out's rows are older than the newest training row, and the label moves with time",
            "hold out the newest rows",
        )
    return Passed(
        f"{figures['duplicates']:.1%} of the hold-out's rows stand in the training, and the best column alone ranks the classes by {figures['best_column_auc']:.3f}"
    )
