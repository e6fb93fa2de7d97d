"""Whether the model fails a part of the people it decides about: its worst slices by group, and by two groups together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

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
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed

RESAMPLES = 200
SHOWN = 5
MOST_SLICES = 2000
DESCRIPTOR = Descriptor(
    "slices",
    "Is there a group for which the model ranks clearly worse than over all?",
    (
        Parameter("max_gap", 0.1, Stricter.LOWER, "convention: no law or standard sets a number"),
        Parameter(
            "min_rows", 100, Stricter.LOWER, "convention: below it an area under the curve is hardly known to 0.1"
        ),
        Parameter("min_rows_per_class", 20, Stricter.LOWER, "convention: as min_rows, for the rarer class"),
    ),
)


@dataclass(frozen=True, slots=True)
class _Slice:
    name: str
    chosen: npt.NDArray[np.bool_]
    area: float


class Slices:
    """The area under the curve of each slice that is large enough, the worst ones with bootstrap intervals."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails if the whole interval of one of the worst slices lies more than ``max_gap`` below the area over all rows."""
        if not data.groups:
            return CheckResult(NotApplicable("the hold-out has no columns to slice by"))
        overall = metrics.area(metrics.Scored.of(data.y_true, data.y_score, data.y_pred), np.ones(data.rows))
        slices = sorted(_slices(data, parameters), key=lambda s: (s.area, s.name))
        if not slices or not np.isfinite(overall):
            return CheckResult(
                Inconclusive(
                    f"no slice has {int(parameters['min_rows'])} rows, and {int(parameters['min_rows_per_class'])} of each class",
                    "hold out more rows for assessment",
                ),
                {"slices": float(len(slices))},
            )
        worst = slices[:SHOWN]
        figures = {"slices": float(len(slices)), "auc": overall} | {f"auc[{s.name}]": s.area for s in worst}
        figures |= {f"rows[{s.name}]": float(s.chosen.sum()) for s in worst}
        found: dict[str, tuple[float, float]] = {}
        for each in worst:
            found |= _interval(data, each)
        floor = overall - parameters["max_gap"]
        bad = [s.name for s in worst if found.get(f"auc[{s.name}]", (0.0, 0.0))[1] < floor]
        said = (
            f"of {len(slices)} slices the worst is {worst[0].name} at {worst[0].area:.3f}, over all it is {overall:.3f}"
        )
        if bad:
            return CheckResult(
                Failed(
                    f"{said}; clearly worse by more than {parameters['max_gap']:g}: {', '.join(bad)}",
                    "look at what the model lacks for these groups: rows, features or labels",
                ),
                figures,
                found,
            )
        return CheckResult(Passed(said), figures, found)


def _slices(data: CheckInput, parameters: Mapping[str, float]) -> Iterator[_Slice]:
    rows, each = parameters["min_rows"], max(parameters["min_rows_per_class"], 1)
    for number, (name, chosen) in enumerate(_masks(data)):
        if number >= MOST_SLICES:
            return
        size, ones = int(chosen.sum()), int(data.y_true[chosen].sum())
        if size >= rows and min(ones, size - ones) >= each:
            part = metrics.Scored.of(data.y_true[chosen], data.y_score[chosen], data.y_pred[chosen])
            yield _Slice(name, chosen, metrics.area(part, np.ones(size)))


def _masks(data: CheckInput) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    single = {c: {g: v == g for g in np.unique(v).tolist()} for c, v in data.groups.items()}
    for column, values in single.items():
        for group, chosen in values.items():
            yield f"{column}={group}", chosen
    for (one, of_one), (other, of_other) in combinations(single.items(), 2):
        for group, chosen in of_one.items():
            for second, also in of_other.items():
                yield f"{one}={group}, {other}={second}", chosen & also


def _interval(data: CheckInput, each: _Slice) -> dict[str, tuple[float, float]]:
    chosen = each.chosen
    rows = metrics.Scored.of(data.y_true[chosen], data.y_score[chosen], data.y_pred[chosen])

    def figures(weights: Floats) -> dict[str, float]:
        return {f"auc[{each.name}]": metrics.area(rows, weights)}

    return row_intervals(figures, len(rows.y_true), RESAMPLES, data.seed)
