"""Whether a less discriminatory model would do as well: the search for an alternative that lenders and employers are asked about.

Two ways are tried by fairlearn: thresholds by group put behind the model as it is (Hardt, Price and Srebro 2016), which needs the attribute when
deciding and may be unlawful there, and a linear model learned under the constraint (Agarwal and others 2018), which does not.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Examined,
    Floats,
    Ints,
    Parameter,
    Stricter,
)
from trustplane.assessment.checks.group_counts import Groups, grouped, measures, redrawn
from trustplane.assessment.checks.resampling import intervals
from trustplane.values.errors import Unavailable
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

MOST_ROWS, MOST_ATTRIBUTES = 4000, 4
_ROUNDS = 8
WAYS = ("thresholds", "reduction")
DESCRIPTOR = Descriptor(
    "mitigation",
    "Is there a model that is as accurate, and whose errors fall on the groups more alike?",
    (
        Parameter(
            "min_gain",
            0.05,
            Stricter.LOWER,
            "convention: how much less the odds of groups must differ to count as less discriminatory; no law sets a number",
        ),
        Parameter(
            "max_accuracy_loss",
            0.01,
            Stricter.HIGHER,
            "convention: an alternative must serve the purpose as well (legal background: 42 USC 2000e-2(k)(1)(A)(ii)); no law sets a number",
        ),
        Parameter("min_rows_per_class", 30, Stricter.LOWER, "convention, as for fairness: error rates known to 0.1"),
    ),
    on_request=True,
)


@dataclass(frozen=True, slots=True)
class _Tried:
    """An alternative beside the model: by how much less the odds differ (``gain``) and how much less is right (``loss``), with intervals."""

    name: str
    figures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]] = field(repr=False)

    def better(self, parameters: Mapping[str, float]) -> bool:
        """Whether it is clearly less discriminatory, and not clearly less accurate by more than is allowed."""
        gain, loss = self.figures["gain"], self.figures["loss"]
        sure = self.intervals.get("gain", (0.0, 0.0))[0] > 0
        return sure and gain >= parameters["min_gain"] and loss <= parameters["max_accuracy_loss"]


class Mitigation:
    """For each attribute the model beside two mitigated ones, on the hold-out."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where an alternative is clearly less discriminatory at next to no loss."""
        model = data.examined
        if not data.groups:
            return CheckResult(NotApplicable("the hold-out has no protected attribute"))
        if model is None or model.training is None:
            why = "the rows that the model learned from are not there, so nothing can be learned beside it"
            return CheckResult(Inconclusive(why, "have the run leave training.parquet"))
        figures: dict[str, float] = {}
        ends: dict[str, tuple[float, float]] = {}
        tried: list[_Tried] = []
        for name in list(data.groups)[:MOST_ATTRIBUTES]:
            for found in _attribute(data, model, name, parameters):
                tried.append(found)
                figures |= {f"{k}[{found.name}]": v for k, v in found.figures.items()}
                ends |= {f"{k}[{found.name}]": v for k, v in found.intervals.items()}
        return CheckResult(_judge(tried, parameters), figures, {k: v for k, v in ends.items() if k in figures})


def _attribute(data: CheckInput, model: Examined, name: str, parameters: Mapping[str, float]) -> list[_Tried]:
    """The alternatives for one attribute; none where fewer than two of its groups are large enough in training and hold-out."""
    assert model.training is not None
    if name not in model.training.groups:
        return []
    learned, held = grouped(model.training.groups[name]), grouped(data.groups[name])
    least = max(parameters["min_rows_per_class"], 1)
    shared = _rated(learned, model.training.label, least) & _rated(held, data.y_true, least)
    if len(shared) < 2:
        return []
    of = sorted(shared)
    train = np.sort(np.random.default_rng(data.seed).permutation(_rows(learned, of))[:MOST_ROWS])
    test = _rows(held, of)
    if model.training.label[train].min() == model.training.label[train].max():
        return []
    codes = [
        np.array([of.index(g.names[p]) if g.names[p] in shared else -1 for p in range(len(g.names))])
        for g in (learned, held)
    ]
    sensitive, group = codes[0][learned.place[train]], codes[1][held.place[test]]
    came, usual = data.y_true[test], data.y_pred[test]
    favour = data.favourable
    found = []
    for way in WAYS:
        said = _decided(way, model, train, sensitive, test, group, data.seed)
        if said is not None:
            table = _joint(came == favour, usual == favour, said == favour, group, len(of))
            found.append(_beside(f"{name}, {way}", table, data.seed))
    return found


def _rated(groups: Groups, label: Ints, least: float) -> set[str]:
    table = np.bincount(groups.place * 2 + label, minlength=2 * len(groups.names)).reshape(-1, 2)
    return {groups.names[n] for n in np.flatnonzero((table >= least).all(1))}


def _rows(groups: Groups, names: list[str]) -> Ints:
    wanted = np.array([name in names for name in groups.names])
    return np.flatnonzero(wanted[groups.place])


def _as_it_is() -> Any:
    """The model's own score, in the form that fairlearn asks a fitted estimator for."""
    from sklearn.base import BaseEstimator

    class AsItIs(BaseEstimator):  # type: ignore[misc]
        is_fitted_ = True

        def fit(self, _scores: Any, _label: Any) -> Any:
            return self

        def predict(self, scores: Any) -> Any:
            return np.asarray(scores)[:, 0]

    return AsItIs()


def _decided(
    way: str, model: Examined, train: Ints, sensitive: Ints, test: Ints, group: Ints, seed: int
) -> Ints | None:
    """What an alternative says of the hold-out; None where it cannot be made of these rows."""
    try:
        from fairlearn.postprocessing import ThresholdOptimizer
        from fairlearn.reductions import EqualizedOdds, ExponentiatedGradient
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "fairlearn is not installed: it comes with trustplane[ml]") from error
    assert model.training is not None
    features, label = model.training.features[train], model.training.label[train]
    with warnings.catch_warnings(), threadpool_limits(1):  # many small sums: threads would wait for each other
        warnings.simplefilter("ignore")  # of convergence: what the rounds came to is measured on the hold-out anyway
        try:
            if way == "thresholds":
                scores = model.score(features)[:, None]
                made = ThresholdOptimizer(
                    estimator=_as_it_is(), constraints="equalized_odds", prefit=True, predict_method="predict"
                )
                made.fit(scores, label, sensitive_features=sensitive)
                said = made.predict(
                    model.score(model.holdout.features[test])[:, None], sensitive_features=group, random_state=seed
                )
            else:
                middle, spread = features.mean(0), features.std(0) + 1e-9
                made = ExponentiatedGradient(
                    LogisticRegression(max_iter=200), EqualizedOdds(), max_iter=_ROUNDS, run_linprog_step=False
                )
                made.fit((features - middle) / spread, label, sensitive_features=sensitive)
                said = made.predict((model.holdout.features[test] - middle) / spread, random_state=seed)
        except ValueError:  # a group without one of the classes, after rows were left out
            return None
    return np.asarray(said).astype(np.int64)


def _joint(came: Any, usual: Any, said: Any, group: Ints, number: int) -> Ints:
    """How often each (group, came, the model said, the alternative said) is there: shape (groups, 2, 2, 2)."""
    cell = ((group * 2 + came) * 2 + usual) * 2 + said
    return np.bincount(cell, minlength=number * 8).reshape(number, 2, 2, 2)


def _beside(name: str, table: Ints, seed: int) -> _Tried:
    """The two on the same rows, so that what both have in common does not blur what sets them apart."""
    again = _compared(redrawn(table, seed))
    once = {k: float(v) for k, v in _compared(table.astype(np.float64)).items()}
    return _Tried(
        name, {k: v for k, v in once.items() if np.isfinite(v)} | {"rows": float(table.sum())}, intervals(again)
    )


def _compared(table: Floats) -> dict[str, Floats]:
    model, other = table.sum(-1), table.sum(-2)
    ours, theirs = measures(model), measures(other)
    rows = table.sum((-1, -2, -3, -4))
    right = [(t[..., 0, 0] + t[..., 1, 1]).sum(-1) / rows for t in (model, other)]
    return {
        "odds_difference": theirs["odds_difference"],
        "parity_ratio": theirs["parity_ratio"],
        "accuracy": right[1],
        "gain": ours["odds_difference"] - theirs["odds_difference"],
        "loss": right[0] - right[1],
    }


def _judge(tried: list[_Tried], parameters: Mapping[str, float]) -> Verdict:
    if not tried:
        return Inconclusive(
            "insufficient data: no attribute has two groups large enough in training and hold-out",
            "keep protected attributes in both, with more rows",
        )
    best = max(tried, key=lambda t: (t.figures.get("gain", 0.0), t.name))
    gain, loss = best.figures.get("gain", 0.0), best.figures.get("loss", 0.0)
    low, high = best.intervals.get("gain", (gain, gain))
    said = f"of {len(tried)} alternatives the one whose odds differ least ({best.name}) differs by {gain:.3f} less ({low:.3f} to {high:.3f}) and is right {loss:.3f} less often, over {best.figures['rows']:,.0f} rows"
    better = [t.name for t in tried if "gain" in t.figures and t.better(parameters)]
    if better:
        return Failed(
            f"{said}; less discriminatory at next to no loss: {'; '.join(better)}",
            "use the alternative, or say why it does not serve the purpose",
        )
    return Passed(said)
