"""Stress scenarios, the costs of thresholds, and whether a model says the same twice."""

import numpy as np
import pytest

from trustplane.assessment.checks import reproducibility, stress, thresholds
from trustplane.assessment.checks.contract import CheckInput, Examined, Rows
from trustplane.values.outcomes import Failed, Inconclusive, Passed


def sigmoid(features):
    return 1 / (1 + np.exp(-np.clip(features.astype(np.float64).sum(axis=1), -40, 40)))


def seen(score=sigmoid, rows=1500, features=4, seed=0, scale=1.0, time=None, groups=None):
    dice = np.random.default_rng(seed)
    matrix = (dice.normal(size=(rows, features)) * scale).astype(np.float32)
    came = (dice.random(rows) < sigmoid(matrix)).astype(np.int64)
    held = Rows(matrix, came, groups or {}, time)
    scores = np.clip(score(matrix), 0, 1)
    model = Examined(score, tuple(f"f{n}" for n in range(features)), held, None, b"", "onnx")
    return CheckInput(came, scores, (scores >= 0.5).astype(np.int64), held.groups, 0, seed, model)


def run(module, check, data, **changed):
    return check.run(data, {p.name: p.default for p in module.DESCRIPTOR.parameters} | changed)


def test_a_model_on_one_feature_does_not_stand_without_it():
    lone = seen(lambda m: sigmoid(m[:, :1] * 4), scale=(4, 0.2, 0.2, 0.2))
    made = run(stress, stress.Stress(), lone)
    assert isinstance(made.verdict, Failed)
    assert "f0 missing" in made.verdict.reason
    low, high = made.intervals["drop[f0 missing]"]
    assert 0.1 < low <= made.figures["worst[missing]"] <= high
    assert made.figures["worst[missing]"] == max(v for k, v in made.figures.items() if k.endswith("missing]"))


def test_a_model_on_many_features_stands():
    made = run(stress, stress.Stress(), seen(features=12))
    assert isinstance(made.verdict, Passed)
    assert made.figures["worst[missing]"] < 0.1


def test_a_unit_that_ranges_notice_is_no_failure_and_one_that_they_do_not_is():
    far = run(stress, stress.Stress(), seen(features=12))
    assert isinstance(far.verdict, Passed)
    assert max(v for k, v in far.figures.items() if k.endswith("times 1000]")) > 0.1  # most rows leave the range
    dice = np.random.default_rng(3)
    wide = 10 ** dice.uniform(-4, 4, 1500)
    matrix = np.column_stack([wide, dice.normal(size=(1500, 3))]).astype(np.float32)

    def score(m):
        return sigmoid(np.where(np.abs(m[:, :1]) > 1, 2.0, -2.0) + m[:, 1:] * 0.1)

    came = (dice.random(1500) < score(matrix)).astype(np.int64)
    held = Rows(matrix, came, {})
    model = Examined(score, ("a", "b", "c", "d"), held, None, b"", "onnx")
    data = CheckInput(came, score(matrix), (score(matrix) >= 0.5).astype(np.int64), {}, 0, 0, model)
    made = run(stress, stress.Stress(), data)
    assert isinstance(made.verdict, Failed)
    assert "a times" in made.verdict.reason


def test_later_rows_and_other_mixes_are_looked_at():
    time = np.arange(1500.0)

    def score(m):
        return sigmoid(m)

    data = seen(score, time=time, groups={"g": np.where(time < 1125, "early", "late")})
    turned = CheckInput(
        np.where(time < 1125, data.y_true, 1 - data.y_true), data.y_score, data.y_pred, data.groups, 0, 0, data.examined
    )
    made = run(stress, stress.Stress(), turned)
    assert isinstance(made.verdict, Failed)
    assert "the latest quarter" in made.verdict.reason
    assert "half of all g=early" in made.verdict.reason
    assert made.figures["worst[later]"] > 0.3


def test_of_a_thousand_features_the_telling_ones_are_tried():
    calls = []

    def score(m):
        calls.append(m.shape)
        return sigmoid(m[:, :3])

    made = run(
        stress,
        stress.Stress(),
        seen(score, features=400, rows=600, scale=np.append(np.full(3, 2.0), np.full(397, 0.02))),
    )
    assert {"drop[f0 missing]", "drop[f1 missing]", "drop[f2 missing]"} <= set(made.figures)
    assert sum(1 for rows, _ in calls if rows == 600) < 4 * stress.MOST_FEATURES


def test_a_model_that_answers_no_numbers_under_stress_has_a_bounded_result():
    def score(m):
        return np.where(np.abs(m).max(axis=1) > 5, np.nan, sigmoid(m))

    made = run(stress, stress.Stress(), seen(score, scale=0.8))
    assert all(np.isfinite(v) for v in made.figures.values())


def test_the_cost_curve_is_that_of_every_threshold_by_hand():
    data = seen(rows=400)
    made = run(thresholds, thresholds.Thresholds(), data, cost_of_false_negative=5.0)
    for t in thresholds.CURVE:
        said = data.y_score >= t
        by_hand = (np.sum(said & (data.y_true == 0)) + 5 * np.sum(~said & (data.y_true == 1))) / 400
        assert made.figures[f"cost[{t:g}]"] == pytest.approx(by_hand)
    assert made.figures["cost_at_best"] <= min(made.figures[f"cost[{t:g}]"] for t in thresholds.CURVE) + 1e-12
    assert made.figures["best_threshold"] < 0.5


def test_a_threshold_far_from_the_costs_fails_with_the_better_one():
    made = run(thresholds, thresholds.Thresholds(), seen(), cost_of_false_negative=20.0)
    assert isinstance(made.verdict, Failed)
    assert f"{made.figures['best_threshold']:.2f}" in made.verdict.remedy
    assert isinstance(run(thresholds, thresholds.Thresholds(), seen()).verdict, Passed)
    free = run(thresholds, thresholds.Thresholds(), seen(), cost_of_false_negative=0.0)
    assert isinstance(free.verdict, Inconclusive)


def test_a_model_that_throws_dice_is_found():
    dice = np.random.default_rng(7)
    made = run(reproducibility, reproducibility.Reproducibility(), seen(lambda m: dice.random(len(m))))
    assert isinstance(made.verdict, Failed)


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (lambda m: sigmoid(m - m.mean(axis=0)), "alone"),  # batch statistics
        (lambda m: sigmoid(m) * np.linspace(0.5, 1, len(m)), "in_another_order"),
        (lambda m: np.where(np.arange(len(m)) == len(m) - 1, np.nan, sigmoid(m)), "in_another_order"),
    ],
)
def test_a_score_that_depends_on_other_rows_is_found(score, name):
    made = run(reproducibility, reproducibility.Reproducibility(), seen(score))
    assert isinstance(made.verdict, Failed)
    assert made.figures[name] > 0.01
    assert isinstance(run(reproducibility, reproducibility.Reproducibility(), seen()).verdict, Passed)
