"""Whether the model gives away who was in its training, and what they held."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from trustplane.assessment.checks import metrics
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
from trustplane.assessment.checks.resampling import row_intervals
from trustplane.assessment.privacy.artifact import read_shape, stored_rows
from trustplane.assessment.privacy.attributes import guess_attributes
from trustplane.assessment.privacy.bounds import clopper_pearson, epsilon_bound, hits_at
from trustplane.assessment.privacy.copies import near_copies, verbatim
from trustplane.assessment.privacy.extraction import GOALS, copy_cost
from trustplane.assessment.privacy.learners import learners, nearest, one_thread
from trustplane.assessment.privacy.membership import by_loss, lira, make_shadows, own_label, rmia
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

AUDITED = 10_000
"""Rows that are audited at most, half of them from the hold-out where it has so many."""
RESAMPLES = 100
RATES = {"0.1pct": 0.001, "1pct": 0.01}
_REMEDY = "regularise the model, stop it earlier, or train it with differential privacy (trustplane.training.private)"
DESCRIPTOR = Descriptor(
    "membership",
    "Does the model give away whose rows it learned from, or what they held?",
    (
        Parameter(
            "max_tpr_at_1pct_fpr",
            0.05,
            Stricter.LOWER,
            "convention: no law sets a number; chance is 0.01, and Carlini et al. (2022) judge attacks by few false positives",
        ),
        Parameter("max_auc", 0.6, Stricter.LOWER, "convention: no law sets a number; chance is 0.5"),
        Parameter(
            "max_attribute_advantage",
            0.1,
            Stricter.LOWER,
            "convention: a tenth more of the training rows guessed rightly than of others",
        ),
        Parameter(
            "max_stored_rows",
            0,
            Stricter.LOWER,
            "legal: rows of people in the file are personal data that go wherever it goes (GDPR art. 4(1); EDPB Opinion 28/2024)",
        ),
        Parameter(
            "min_rows",
            100,
            Stricter.HIGHER,
            "convention: of fewer rows that the model never saw, one in a hundred is none",
        ),
        Parameter(
            "shadows",
            16,
            Stricter.HIGHER,
            "convention: RMIA needs few (Zarifzadeh et al. 2024); more shadows find no less",
        ),
    ),
    on_request=True,
)


@dataclass(frozen=True, slots=True)
class _Audit:
    """What the attacks said: by each, the score of training rows and of others, and how the shadows were made."""

    members: Mapping[str, Floats] = field(repr=False)
    outsiders: Mapping[str, Floats] = field(repr=False)
    shadows: str


class Membership:
    """Membership inference by threshold, LiRA and RMIA; attribute inference; rows stored in the file; the cost of a copy."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Passes if no attack finds more than is allowed, by the upper end of what it may find.

        Only aggregates are told: which rows are exposed would tell who was in the training.
        """
        model = data.examined
        if model is None or model.training is None:
            return CheckResult(UNKNOWN_TRAINING)
        least = max(int(parameters["min_rows"]), 4)
        sizes = {"training_rows": float(len(model.training.label)), "holdout_rows": float(len(model.holdout.label))}
        fewest = min(len(np.unique(rows.label)) for rows in (model.training, model.holdout))
        if min(sizes.values()) < least or fewest < 2:
            why = f"the training has {sizes['training_rows']:,.0f} rows and the hold-out {sizes['holdout_rows']:,.0f}"
            return CheckResult(
                Inconclusive(f"{why}; {least} of each, of both classes, are needed", "hold out more rows"), sizes
            )
        model = _drawn(model, data.seed)
        with one_thread():
            audit = _attack(model, 2 * max(int(parameters["shadows"]) // 2, 1), data.seed)
            figures, found = _told(audit, sizes["training_rows"], data.seed)
            more, bounds = _beyond_membership(model, data.seed)
        figures |= sizes | more
        return CheckResult(_judge(audit.shadows, figures, found | bounds, parameters), figures, found | bounds)


def _drawn(model: Examined, seed: int) -> Examined:
    """The model with as many rows as are audited."""
    random = np.random.default_rng(seed)
    assert model.training is not None
    outside = _some(random, model.holdout, AUDITED // 2)
    return replace(model, holdout=outside, training=_some(random, model.training, AUDITED - len(outside.label)))


def _some(random: np.random.Generator, rows: Rows, most: int) -> Rows:
    if len(rows.label) <= most:
        return rows
    chosen = np.sort(random.permutation(len(rows.label))[:most])
    return Rows(rows.features[chosen], rows.label[chosen], {})


def _attack(model: Examined, shadows: int, seed: int) -> _Audit:
    assert model.training is not None
    features = np.concatenate([model.training.features, model.holdout.features])
    label = np.concatenate([model.training.label, model.holdout.label])
    learned = np.arange(len(label)) < len(model.training.label)
    said = model.score(features)
    chosen = nearest(learners(read_shape(model.artifact, model.format)), said, (features, label), learned, seed)
    made = make_shadows(chosen, features, label, shadows, seed)
    own = own_label(said, label)
    scores = {"threshold": by_loss(own), "lira": lira(own, made), "rmia": rmia(own, made)}
    return _Audit(
        {name: s[learned] for name, s in scores.items()},
        {name: s[~learned] for name, s in scores.items()},
        f"{shadows} {chosen.name}, each on half of {len(label):,} rows",
    )


def _told(audit: _Audit, rows: float, seed: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    figures: dict[str, float] = {}
    found: dict[str, tuple[float, float]] = {}
    for name, members in audit.members.items():
        outsiders = audit.outsiders[name]
        area, ends = _area(members, outsiders, seed)
        figures[f"{name}_auc"], found[f"{name}_auc"] = area, ends
        for word, rate in RATES.items():
            if rate * len(outsiders) >= 1:  # else not one false positive is allowed
                hits = hits_at(members, outsiders, rate)
                figures[f"{name}_tpr_at_{word}_fpr"] = hits / len(members)
                found[f"{name}_tpr_at_{word}_fpr"] = clopper_pearson(hits, len(members))
    best = max(("lira", "rmia"), key=lambda name: figures[f"{name}_tpr_at_1pct_fpr"])
    strictest = next(word for word in RATES if f"rmia_tpr_at_{word}_fpr" in figures)
    share = max(figures[f"{name}_tpr_at_{strictest}_fpr"] for name in audit.members)
    beyond = max(share - RATES[strictest], 0.0)
    figures["exposed_share"], figures["exposed_rows"] = beyond, round(beyond * rows)
    figures["epsilon_at_least"] = epsilon_bound(audit.members[best], audit.outsiders[best], seed)
    return figures, found


def _area(members: Floats, outsiders: Floats, seed: int) -> tuple[float, tuple[float, float]]:
    came = np.repeat(np.array([1, 0], np.int64), [len(members), len(outsiders)])
    scores = np.concatenate([members, outsiders])
    ranked = metrics.Scored(came, scores, came, np.unique(scores, return_inverse=True)[1], came)
    measured = metrics.area(ranked, np.ones(len(came)))
    drawn = row_intervals(lambda weights: {"auc": metrics.area(ranked, weights)}, len(came), RESAMPLES, seed)
    return measured, drawn.get("auc", (0.0, 1.0))


def _beyond_membership(model: Examined, seed: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    training, holdout = model.training, model.holdout
    assert training is not None
    figures: dict[str, float] = {}
    found: dict[str, tuple[float, float]] = {}
    guessed = guess_attributes(
        model.score, (training.features, training.label), (holdout.features, holdout.label), seed
    )
    figures["attributes_guessed"] = float(len(guessed))
    if guessed:
        worst = max(guessed, key=lambda g: g.advantage)
        figures["attribute_advantage"] = worst.advantage
        # the worst of many: the interval is as wide as makes all of them hold (Bonferroni)
        wide = float(np.sqrt(2 * np.log(2 * len(guessed) / 0.05)))
        found["attribute_advantage"] = (worst.advantage - wide * worst.error, worst.advantage + wide * worst.error)
    stored = stored_rows(model.artifact, model.format, training.features.shape[1])
    figures["stored_rows"] = float(verbatim(stored, training.features, holdout.features))
    figures["near_copies"] = float(near_copies(stored, training.features, holdout.features, seed))
    copied = copy_cost(model.score, holdout.features, model.threshold, seed)
    figures["copy_agreement"], figures["copy_questions_tried"] = copied.agreement[-1], float(copied.questions[-1])
    for goal in GOALS:
        needed = copied.needed(goal)
        if needed is not None:
            figures[f"copy_questions_for_{goal * 100:.0f}pct"] = float(needed)
    return figures, found


def _judge(
    shadows: str,
    figures: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, float],
) -> Verdict:
    if figures["stored_rows"] > parameters["max_stored_rows"]:
        return Failed(
            f"{figures['stored_rows']:,.0f} training rows lie in the model's file as they are",
            "train a model that keeps no rows, such as trees or a regression",
        )
    limits = [(f"{n}_tpr_at_1pct_fpr", parameters["max_tpr_at_1pct_fpr"]) for n in ("rmia", "lira", "threshold")]
    limits += [(f"{n}_auc", parameters["max_auc"]) for n in ("rmia", "lira", "threshold")]
    limits.append(("attribute_advantage", parameters["max_attribute_advantage"]))
    known = [(name, limit) for name, limit in limits if name in figures]
    said = (
        f"RMIA tells {figures['rmia_tpr_at_1pct_fpr']:.1%} of the training rows from others at 1 % of false alarms "
        f"(area {figures['rmia_auc']:.3f}); shadows: {shadows}"
    )
    for name, limit in known:
        if intervals[name][0] > limit:
            return Failed(f"{name} is {figures[name]:.3f}, above {limit:g}; {said}", _REMEDY)
    for name, limit in known:
        if intervals[name][1] > limit:
            low, high = intervals[name]
            return Inconclusive(
                f"{name} is {figures[name]:.3f} ({low:.3f} to {high:.3f}), and may be above {limit:g}; {said}",
                "hold out more rows, or regularise the model",
            )
    return Passed(said)
