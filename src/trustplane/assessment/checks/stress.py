"""Stress scenarios: what is left of the model's ranking when the world or the caller changes.

Five kinds of scenarios, each told by its worst case: a feature that is missing and filled in, a feature in another unit, another mix of groups,
other values of a feature, and later rows. Mixes and values are changed by weighing the rows of the hold-out, so that every row stays a real one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from trustplane.assessment.checks import metrics
from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Examined,
    Floats,
    Matrix,
    Parameter,
    Stricter,
)
from trustplane.assessment.checks.resampling import row_intervals
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

RESAMPLES = 200
MOST_ROWS, TRIED_ROWS, MOST_FEATURES, LEAST_GROUP = 5000, 300, 64, 50
UNITS = (0.01, 1000.0)
TILT = 1.0
"""Standard deviations by which the mean of a feature moves where it is normal (exponential tilting)."""
SHARE = 0.5
"""The share of all rows that a group takes in another mix."""
CAUGHT = 0.5
"""A change of unit that moves so many rows out of the range of training is caught by a range check."""
DESCRIPTOR = Descriptor(
    "stress",
    "Does the model still rank when a feature is missing or in another unit, and when the people or the times change?",
    (
        Parameter("max_drop", 0.1, Stricter.LOWER, "convention: no law or standard sets a number"),
        Parameter("min_rows_per_class", 50, Stricter.HIGHER, "convention: as for performance"),
    ),
    on_request=True,
)


@dataclass(frozen=True, slots=True)
class _Scenario:
    """Scores and weights of the rows under one change; ``caught`` where a range check would refuse most rows."""

    kind: str
    name: str
    scores: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    caught: bool = False


class Stress:
    """The area under the curve that each scenario takes away, the worst of each kind with its bootstrap interval."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where the worst of a kind clearly takes more than ``max_drop``, unless a range check would catch it."""
        ones = int(data.y_true.sum())
        fewest, needed = min(ones, data.rows - ones), max(int(parameters["min_rows_per_class"]), 1)
        if data.examined is None:
            return CheckResult(Inconclusive("the model itself cannot be asked", "assess a model that can be run"))
        if fewest < needed:
            why = f"one class has {fewest} rows in the hold-out, {needed} are needed"
            return CheckResult(Inconclusive(why, "hold out more rows for assessment"))
        rows = np.sort(np.random.default_rng(data.seed).permutation(data.rows)[:MOST_ROWS])
        came, usual = data.y_true[rows], data.y_score[rows]
        figures: dict[str, float] = {"auc": _area(came, usual, np.ones(len(rows))), "rows": float(len(rows))}
        ends: dict[str, tuple[float, float]] = {}
        verdicts = []
        for kind, scenarios in _by_kind(data, data.examined, rows).items():
            found = [(figures["auc"] - _area(came, s.scores, s.weights), s) for s in scenarios]
            figures |= {f"drop[{s.name}]": drop for drop, s in sorted(found, key=lambda f: -f[0])[:5]}
            open_ = [f for f in found if not f[1].caught] or found
            drop, worst = max(open_, key=lambda f: f[0])
            interval = _interval(came, usual, worst, data.seed)
            if interval is not None:
                ends[f"drop[{worst.name}]"] = interval
            figures[f"drop[{worst.name}]"] = drop
            figures[f"worst[{kind}]"] = drop
            verdicts.append(_judge(worst, drop, interval, parameters["max_drop"]))
        return CheckResult(_together(verdicts), {k: v for k, v in figures.items() if np.isfinite(v)}, ends)


def _by_kind(data: CheckInput, model: Examined, rows: np.ndarray) -> dict[str, list[_Scenario]]:
    features = np.ascontiguousarray(model.holdout.features[rows])
    usual = data.y_score[rows]
    telling = _telling(model, features)
    reference = features if model.training is None else model.training.features
    made = (
        *_missing(model, features, telling, reference),
        *_units(model, features, telling, reference),
        *_mixes({name: groups[rows] for name, groups in data.groups.items()}, usual),
        *_shifts(model, features, telling, usual),
        *(() if model.holdout.time is None else _later(model.holdout.time[rows], usual)),
    )
    kinds: dict[str, list[_Scenario]] = {}
    for each in made:
        kinds.setdefault(each.kind, []).append(each)
    return kinds


def _telling(model: Examined, features: Matrix) -> list[int]:
    """The features by which scores of a few rows move most: of a thousand features most say nothing."""
    if features.shape[1] <= MOST_FEATURES:
        return list(range(features.shape[1]))
    few = features[:TRIED_ROWS]
    usual, middle = model.score(few), np.median(features, axis=0)
    moved = [float(np.abs(model.score(_with(few, at, middle[at])) - usual).mean()) for at in range(few.shape[1])]
    return sorted(np.argsort(moved)[::-1][:MOST_FEATURES].tolist())


def _missing(model: Examined, features: Matrix, telling: list[int], reference: Matrix) -> Iterator[_Scenario]:
    """A feature that nobody knows, filled in by its median."""
    for at in telling:
        scores = model.score(_with(features, at, float(np.median(reference[:, at]))))
        yield _Scenario("missing", f"{model.names[at]} missing", scores, np.ones(len(features)))


def _units(model: Examined, features: Matrix, telling: list[int], reference: Matrix) -> Iterator[_Scenario]:
    """A feature in another unit; one that no range would notice is the danger."""
    low, high = reference.min(axis=0), reference.max(axis=0)
    for at in telling:
        for factor in UNITS:
            column = features[:, at] * np.float32(factor)
            if np.isfinite(column).all() and not np.array_equal(column, features[:, at]):
                caught = float(((column < low[at]) | (column > high[at])).mean()) >= CAUGHT
                scores = model.score(_with(features, at, column))
                yield _Scenario("unit", f"{model.names[at]} times {factor:g}", scores, np.ones(len(features)), caught)


def _mixes(groups: Mapping[str, np.ndarray], usual: Floats) -> Iterator[_Scenario]:
    """One group makes up half of all rows."""
    for column, values in groups.items():
        names, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
        for at, name in enumerate(names.tolist()):
            if LEAST_GROUP <= sizes[at] < len(values):
                share = sizes[at] / len(values)
                weights = np.where(place == at, SHARE / share, (1 - SHARE) / (1 - share))
                yield _Scenario("mix", f"half of all {column}={name}", usual, weights)


def _shifts(model: Examined, features: Matrix, telling: list[int], usual: Floats) -> Iterator[_Scenario]:
    """Higher or lower values of a feature, by ranks so that no row gets all the weight."""
    for at in telling:
        column = features[:, at].astype(np.float64)
        spread = column.std()
        if spread > 0:
            scaled = np.clip((column - column.mean()) / spread, -2.0, 2.0)
            for sign, word in ((TILT, "higher"), (-TILT, "lower")):
                weights = np.exp(sign * scaled)
                yield _Scenario("shift", f"{word} {model.names[at]}", usual, weights / weights.mean())


def _later(time: Floats, usual: Floats) -> Iterator[_Scenario]:
    """The last quarter of the rows alone."""
    if len(np.unique(time)) > 1:
        yield _Scenario("later", "the latest quarter", usual, (time >= np.quantile(time, 0.75)).astype(float))


def _with(features: Matrix, at: int, value: "float | np.ndarray") -> Matrix:
    changed = features.copy()
    changed[:, at] = value
    return changed


def _area(came: np.ndarray, scores: Floats, weights: Floats) -> float:
    known = np.where(np.isfinite(scores), scores, 0.5)
    return metrics.area(metrics.Scored.of(came, known, (known >= 0.5).astype(np.int64)), weights)


def _interval(came: np.ndarray, usual: Floats, worst: _Scenario, seed: int) -> tuple[float, float] | None:
    """Of the drop, with the same rows drawn on both sides."""
    rows = [metrics.Scored.of(came, s, (s >= 0.5).astype(np.int64)) for s in (usual, worst.scores)]

    def figures(weights: Floats) -> dict[str, float]:
        return {"drop": metrics.area(rows[0], weights) - metrics.area(rows[1], weights * worst.weights)}

    return row_intervals(figures, len(came), RESAMPLES, seed).get("drop")


def _judge(worst: _Scenario, drop: float, interval: tuple[float, float] | None, most: float) -> Verdict:
    said = f"{worst.name}: the area under the curve falls by {drop:.3f}"
    if worst.caught:
        return Passed(f"{said}, and a check of ranges notices")
    if not np.isfinite(drop) or interval is None:
        return Inconclusive(f"{worst.name}: too few rows to tell", "hold out more rows for assessment")
    if drop <= most:
        return Passed(said)
    said = f"{said} ({interval[0]:.3f} to {interval[1]:.3f}), at most {most:g} is asked"
    if interval[0] > most:
        return Failed(said, "refuse such rows at the gateway, or train on rows that are like them")
    return Inconclusive(said, "hold out more rows for assessment")


def _together(verdicts: list[Verdict]) -> Verdict:
    """The worst word of all kinds."""
    told: list[tuple[type[Verdict], Callable[[str, str], Verdict]]] = [(Failed, Failed), (Inconclusive, Inconclusive)]
    for kind, make in told:
        of_kind = [v for v in verdicts if isinstance(v, kind)]
        if of_kind:
            first = of_kind[0]
            assert isinstance(first, Failed | Inconclusive)
            return make("; ".join(v.reason for v in of_kind), first.remedy)
    return (
        Passed("; ".join(v.reason for v in verdicts))
        if verdicts
        else NotApplicable("the model has no features to change")
    )
