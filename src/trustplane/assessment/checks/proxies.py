"""Whether the model's features stand in for a protected attribute: what can be told of it from them, and by which of them.

Leaving an attribute out of a model does not keep the model from deciding by it, where other features tell it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trustplane.assessment.checks import metrics
from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Floats,
    Ints,
    Matrix,
    Parameter,
    Stricter,
)
from trustplane.assessment.checks.group_counts import grouped
from trustplane.assessment.checks.resampling import row_intervals
from trustplane.values.errors import Unavailable
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

MOST_ROWS, MOST_GROUPS, SHOWN = 6000, 8, 5
RESAMPLES = 100
_BINS, _FOLDS, _TREES = 10, 2, 30
_MORE = "hold out more rows for assessment"
DESCRIPTOR = Descriptor(
    "proxies",
    "Can a protected attribute be told from the features that the model decides by?",
    (
        Parameter(
            "max_auc",
            0.75,
            Stricter.LOWER,
            "convention: 0.7 to 0.8 is acceptable discrimination (Hosmer, Lemeshow and Sturdivant 2013, 5.2.4); no law sets a number",
        ),
        Parameter(
            "min_rows", 50, Stricter.LOWER, "convention, for each group: below it an area is hardly known to 0.1"
        ),
    ),
    on_request=True,
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What could be told of one attribute: the area under the curve of each group against the others, with intervals."""

    name: str
    groups: tuple[str, ...]
    area: Floats = field(repr=False)
    ends: tuple[tuple[float, float], ...]


class Proxies:
    """For each attribute how well randomised trees tell it from the features, and the features that go with it most."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where a group's whole interval lies above ``max_auc``, is inconclusive where part of it does."""
        if data.examined is None:
            return CheckResult(
                Inconclusive("the features are not there to be looked at", "assess it with its artifact")
            )
        if not data.groups:
            return CheckResult(NotApplicable("the hold-out has no protected attribute"))
        features, figures = data.examined.holdout.features, {"rows": float(data.rows)}
        ends: dict[str, tuple[float, float]] = {}
        told, none = [], []
        for name, texts in data.groups.items():
            groups = grouped(texts)
            large = np.flatnonzero(groups.sizes >= max(parameters["min_rows"], 2 * _FOLDS))
            if not 2 <= len(large) <= MOST_GROUPS:
                none.append(f"{name} has {len(large)} groups of {int(parameters['min_rows'])} rows")
                continue
            kept = np.flatnonzero(np.isin(groups.place, large))
            place = np.searchsorted(large, groups.place[kept])
            found = _told(name, tuple(groups.names[n] for n in large), features[kept], place, data.seed)
            told.append(found)
            for group, area, reach in zip(found.groups, found.area.tolist(), found.ends, strict=True):
                figures[f"auc[{name}={group}]"] = area
                ends[f"auc[{name}={group}]"] = reach
            figures |= _goes_with(name, data.examined.names, features[kept], place)
        return CheckResult(_judge(told, none, parameters["max_auc"]), figures, ends)


def _told(name: str, groups: tuple[str, ...], features: Matrix, place: Ints, seed: int) -> _Told:
    """Predict the group of each row by trees that did not see it."""
    try:
        from sklearn.ensemble import ExtraTreesClassifier
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "scikit-learn is not installed: it comes with trustplane[ml]") from error
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(place))[:MOST_ROWS])
    features, place = features[chosen], place[chosen]
    fold = np.empty(len(place), np.int64)
    for group in range(len(groups)):  # each fold has its part of every group
        rows = random.permutation(np.flatnonzero(place == group))
        fold[rows] = np.arange(len(rows)) % _FOLDS
    said = np.zeros((len(place), len(groups)))
    for part in range(_FOLDS):
        trees = ExtraTreesClassifier(_TREES, max_depth=10, min_samples_leaf=5, max_features=None, random_state=seed)
        trees.fit(features[fold != part], place[fold != part])
        said[np.ix_(fold == part, trees.classes_)] = trees.predict_proba(features[fold == part])
    found = [_area((place == group).astype(np.int64), said[:, group], seed) for group in range(len(groups))]
    return _Told(name, groups, np.array([area for area, _ in found]), tuple(ends for _, ends in found))


def _area(is_in: Ints, said: Floats, seed: int) -> tuple[float, tuple[float, float]]:
    rows = metrics.Scored.of(is_in, said, is_in)
    found = row_intervals(lambda weights: {"auc": metrics.area(rows, weights)}, len(is_in), RESAMPLES, seed)
    return metrics.area(rows, np.ones(len(is_in))), found.get("auc", (0.0, 1.0))


def _goes_with(name: str, names: tuple[str, ...], features: Matrix, place: Ints) -> dict[str, float]:
    """The features that an attribute goes with most, by Cramer's V and by mutual information, of the feature cut into tenths."""
    found = [_association(features[:, n].astype(np.float64), place) for n in range(features.shape[1])]
    first = np.argsort([-v for v, _ in found], kind="stable")[:SHOWN]
    figures = {f"cramers_v[{name}, {names[n]}]": found[n][0] for n in first}
    return figures | {f"mutual_information[{name}, {names[n]}]": found[n][1] for n in first}


def _association(values: Floats, place: Ints) -> tuple[float, float]:
    """Cramer's V corrected for chance (Bergsma 2013), and mutual information as a share of what the attribute can tell (0 to 1)."""
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.arange(1, _BINS) / _BINS)) if known.any() else np.zeros(0)
    cut = np.where(known, np.searchsorted(edges, values, side="right"), len(edges) + 1)
    table = np.bincount(cut * (place.max() + 1) + place, minlength=(len(edges) + 2) * (place.max() + 1))
    table = table.reshape(len(edges) + 2, -1)
    table = table[table.sum(1) > 0][:, table.sum(0) > 0] / len(place)
    expected = table.sum(1)[:, None] * table.sum(0)
    (r, k), n = table.shape, max(len(place), 2)
    phi = max(((table - expected) ** 2 / expected).sum() - (r - 1) * (k - 1) / (n - 1), 0.0)
    room = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    shared = (table * np.log(np.where(table > 0, table / expected, 1.0))).sum()
    entropy = -(table.sum(0) * np.log(table.sum(0))).sum()
    return float(np.sqrt(min(phi / room, 1.0))) if room > 0 else 0.0, float(
        max(shared / entropy, 0.0)
    ) if entropy > 0 else 0.0


def _judge(told: list[_Told], none: list[str], limit: float) -> Verdict:
    if not told:
        return Inconclusive(f"insufficient data: {'; '.join(none)}", _MORE)
    every = [
        (area, reach, f"{t.name}={g}")
        for t in told
        for g, area, reach in zip(t.groups, t.area.tolist(), t.ends, strict=True)
    ]
    area, reach, worst = max(every)
    said = f"{worst} is told best, at an area of {area:.3f} ({reach[0]:.3f} to {reach[1]:.3f})"
    if none:
        said += f"; insufficient data: {'; '.join(none)}"
    clear = [name for _, (low, _), name in every if low > limit]
    if clear:
        remedy = "take out the features that go with it most, or show that they are needed and have it waived"
        return Failed(f"{said}; clearly above {limit:g}: {', '.join(clear)}", remedy)
    if any(high > limit for _, (_, high), _ in every):
        return Inconclusive(f"{said}, and the interval reaches above {limit:g}", _MORE)
    return Passed(said)
