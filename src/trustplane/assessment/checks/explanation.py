"""Whether the model can be explained: which features it stands on, whether that holds still, and whether reasons can be told of its decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

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
from trustplane.assessment.checks.resampling import intervals
from trustplane.assessment.explaining.forest import Scale
from trustplane.assessment.explaining.reasons import Basis, Decided, basis, tell
from trustplane.assessment.explaining.reference import rank_correlations
from trustplane.values.errors import Refused
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

EXACT, SAMPLED = 400, 60
"""Rows that are explained, by the way that the model allows."""
RESAMPLES, SHOWN = 400, 15
_NOISE = 0.01  # of a feature's spread
_STAND_INS = 8  # reference rows that features are deleted to
DESCRIPTOR = Descriptor(
    "explanation",
    "Can the model's decisions be explained, truly and alike for like rows?",
    (
        Parameter(
            "min_told_share",
            0.99,
            Stricter.HIGHER,
            "legal in the United States for credit: 12 CFR 1002.9(a)(2) asks for reasons of every adverse action; elsewhere a convention",
        ),
        Parameter("min_stability", 0.8, Stricter.HIGHER, "convention: no law or standard sets a number"),
        Parameter(
            "min_stability_under_noise",
            0.5,
            Stricter.HIGHER,
            "convention: of noise of a hundredth of each feature's spread",
        ),
        Parameter(
            "max_additivity_error",
            0.001,
            Stricter.LOWER,
            "convention: contributions that do not add up to the score explain another model",
        ),
        Parameter(
            "min_rows", 50, Stricter.HIGHER, "convention: below it two halves of the rows say little of each other"
        ),
    ),
    on_request=True,
)


@dataclass(frozen=True, slots=True)
class _Looked:
    """Rows of the hold-out and what was found of each: ``contributions`` (rows, features)."""

    rows: Matrix = field(repr=False)
    scores: Floats = field(repr=False)
    contributions: Floats = field(repr=False)


class Explanation:
    """Global importance with intervals, stability, fidelity, and the share of unfavourable decisions whose reasons could be told."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where reasons are missing, do not hold still, do not add up, or point at features that do not matter."""
        model, needed = data.examined, max(int(parameters["min_rows"]), 2)
        if model is None:
            return CheckResult(Inconclusive("the model itself is not there to be asked", "assess it with its artifact"))
        if data.rows < needed:
            why = f"insufficient data: {data.rows} rows, {needed} are needed"
            return CheckResult(Inconclusive(why, "hold out more rows for assessment"), {"rows": float(data.rows)})
        decided = Decided(model.artifact, model.score, model.names, data.favourable, model.threshold, model.format)
        try:
            on = basis(decided, model.holdout.features, seed=data.seed)
        except Refused as error:
            return CheckResult(Inconclusive(error.what, "choose another threshold"), {"rows": float(data.rows)})
        looked = _look(on, model, EXACT if on.explainer.exact else SAMPLED)
        figures, ends = _importance(on, looked, data.seed)
        figures |= {
            "rows": float(data.rows),
            "rows_explained": float(len(looked.rows)),
            "exact": float(on.explainer.exact),
        }
        figures |= _stability(on, looked, data.seed) | {"additivity_error": _additivity(on, looked)}
        for found in (_deletion(on, looked, data.seed), _told(on, model, data)):
            figures |= found[0]
            ends |= intervals(found[1])
        return CheckResult(
            _judge(on, figures, ends, parameters), figures, {k: v for k, v in ends.items() if k in figures}
        )


def _look(on: Basis, model: Examined, most: int) -> _Looked:
    rows = model.holdout.features
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64))]
    return _Looked(chosen, model.score(chosen), on.explainer.explain(chosen).contributions)


def _importance(on: Basis, looked: _Looked, seed: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """The mean size of each feature's contributions, of the greatest ones."""
    size, count = np.abs(looked.contributions), len(looked.rows)
    mean = size.mean(0)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    again = times @ size / count
    first = np.argsort(-mean, kind="stable")[:SHOWN]
    names = [f"importance[{on.model.names[n]}]" for n in first]
    return dict(zip(names, mean[first].tolist(), strict=True)), intervals(
        {name: again[:, n] for name, n in zip(names, first, strict=True)}
    )


def _stability(on: Basis, looked: _Looked, seed: int) -> dict[str, float]:
    """Rank correlations: of the importances in two halves of the rows, and of each row's contributions with those of a row nearly the same.

    Half of the rows against the other half is the harder test than resamples of all, which share most of their rows.
    """
    random = np.random.default_rng(seed)
    size, count = np.abs(looked.contributions), len(looked.rows)
    halves = []
    for _ in range(RESAMPLES // 10):
        order = random.permutation(count)
        pair = np.stack([size[order[: count // 2]].mean(0), size[order[count // 2 :]].mean(0)], axis=1)
        halves.append(_alike(pair))
    some = slice(None, None, max(count // SAMPLED, 1))
    spread = looked.rows.std(0) * ~np.isin(looked.rows, (0.0, 1.0)).all(0)  # what is one of two stays so
    rows = looked.rows[some]
    noisy = (rows + random.normal(size=rows.shape) * spread * _NOISE).astype(np.float32)
    moved = on.explainer.explain(noisy).contributions
    alike = [_alike(np.stack(p, axis=1)) for p in zip(looked.contributions[some], moved, strict=True)]
    return {"stability": float(np.mean(halves)), "stability_under_noise": float(np.mean(alike))}


def _alike(pair: Floats) -> float:
    """Spearman's correlation of two columns; 1 where they are the same, though one value alone has no rank."""
    if len(pair) < 2 or np.allclose(pair[:, 0], pair[:, 1], rtol=0, atol=1e-12):
        return 1.0
    return float(rank_correlations(pair)[0, 1])


def _additivity(on: Basis, looked: _Looked) -> float:
    """How far base and contributions lie from the model's own probability, at most."""
    total = on.explainer.base + looked.contributions.sum(1)
    with np.errstate(over="ignore"):
        said = 1 / (1 + np.exp(-total)) if on.explainer.scale is Scale.LOG_ODDS else total
    return float(np.abs(said - looked.scores).max())


def _deletion(on: Basis, looked: _Looked, seed: int) -> tuple[dict[str, float], dict[str, Floats]]:
    """How much more the score moves when a row loses its greatest features than when it loses as many by chance.

    A feature is lost to those of reference rows. One feature alone cannot be told from chance.
    """
    if len(on.model.names) < 2:
        return {}, {}
    random, width = np.random.default_rng(seed), len(on.model.names)
    lost = max(1, min(3, width // 3))
    greatest = np.argsort(-np.abs(looked.contributions), axis=1, kind="stable")[:, :lost]
    by_chance = np.array([random.permutation(width)[:lost] for _ in looked.rows])
    moved = [np.zeros(len(looked.rows)) for _ in range(2)]
    for other in on.reference[random.integers(0, len(on.reference), _STAND_INS)]:
        for way, features in enumerate((greatest, by_chance)):
            changed = looked.rows.copy()
            np.put_along_axis(changed, features, other[features], axis=1)
            moved[way] += np.abs(on.model.score(changed) - looked.scores) / _STAND_INS
    gain, count = moved[0] - moved[1], len(looked.rows)
    again = random.multinomial(count, np.full(count, 1 / count), RESAMPLES) @ gain / count
    figures = {"deletion_moves": float(moved[0].mean()), "deletion_by_chance_moves": float(moved[1].mean())}
    return figures | {"deletion_gain": float(gain.mean())}, {"deletion_gain": again}


def _told(on: Basis, model: Examined, data: CheckInput) -> tuple[dict[str, float], dict[str, Floats]]:
    """The share of unfavourable decisions of which at least one reason could be told."""
    rows = model.holdout.features[data.y_pred != data.favourable]
    most = EXACT if on.explainer.exact else SAMPLED
    told = np.array([bool(t.reasons) for t in tell(on, rows[:: max(-(-len(rows) // most), 1)]) if not t.favourable])
    if not len(told):
        return {"unfavourable": 0.0}, {}
    share = float(told.mean())
    again = np.random.default_rng(data.seed).binomial(len(told), share, RESAMPLES) / len(told)
    return {"unfavourable": float(len(rows)), "told_share": share}, {"told_share": again}


def _judge(
    on: Basis,
    figures: Mapping[str, float],
    ends: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, float],
) -> Verdict:
    way = f"explained by {on.explainer.way}" + ("" if on.explainer.exact else f", as {on.explainer.why}")
    said = f"{way}: stability {figures['stability']:.3f}, the parts add up to {figures['additivity_error']:.1g}"
    if "told_share" not in figures:
        return Inconclusive(f"{said}; nobody is decided unfavourably about", "choose another threshold")
    said += f", reasons for {figures['told_share']:.1%} of {figures['unfavourable']:,.0f} unfavourable decisions"
    reach = ends.get("deletion_gain", (1.0, 1.0))
    wrong = {
        "reasons are missing": figures["told_share"] < parameters["min_told_share"],
        "what the model stands on does not hold still": figures["stability"] < parameters["min_stability"],
        "rows nearly the same have other reasons": figures["stability_under_noise"]
        < parameters["min_stability_under_noise"],
        "the parts do not add up": figures["additivity_error"] > parameters["max_additivity_error"],
        "the features named matter no more than others": reach[1] < 0,
    }
    if found := [why for why, holds in wrong.items() if holds]:
        return Failed(
            f"{said}; {', '.join(found)}", "use a model of a form that can be explained exactly, or a simpler one"
        )
    if reach[0] <= 0:
        why = "; whether the features named matter more than others is not established"
        return Inconclusive(said + why, "hold out more rows for assessment")
    return Passed(said)
