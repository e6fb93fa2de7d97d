"""Figures of fairness are fairlearn's, and a verdict names ratio, interval and rows, or says that data are insufficient."""

import numpy as np
import pytest
from fairlearn import metrics as fair
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score

from trustplane.assessment.checks.contract import CheckInput
from trustplane.assessment.checks.fairness import DESCRIPTOR, Fairness
from trustplane.assessment.checks.group_counts import (
    calibration,
    calibration_measures,
    counts,
    crossed,
    grouped,
    measures,
    rates,
    redrawn,
)
from trustplane.assessment.checks.intersections import intersections
from trustplane.values.outcomes import Failed, Inconclusive, Passed


def run(given: CheckInput, **changed):
    return Fairness().run(given, {p.name: p.default for p in DESCRIPTOR.parameters} | changed)


def drawn(rows, seed, groups=("a", "b", "c")):
    random = np.random.default_rng(seed)
    came, said = random.integers(0, 2, (2, rows))
    return came, said, random.choice(groups, rows)


@settings(max_examples=30)
@given(st.lists(st.text(max_size=5), max_size=60))
def test_groups_are_those_of_sorting(texts) -> None:
    given = np.array(texts, dtype=np.str_) if texts else np.array([], "U1")
    found = grouped(given)
    values, place = np.unique(given, return_inverse=True)
    assert found.names == tuple(values.tolist())
    assert (found.place == place).all()


def test_many_groups_are_told_apart_too() -> None:
    given = np.array([f"group {n % 40_000}" for n in range(80_000)])
    values, place = np.unique(given, return_inverse=True)
    assert grouped(given).names == tuple(values.tolist())
    assert (grouped(given).place == place).all()


def test_rates_and_measures_are_fairlearns() -> None:
    came, said, groups = drawn(900, 1)
    found = grouped(groups)
    table = counts(came, said, found.place, 3).astype(float)
    metrics = {
        "selection_rate": fair.selection_rate,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
        "precision": precision_score,
        "accuracy": accuracy_score,
    }
    frame = fair.MetricFrame(metrics=metrics, y_true=came, y_pred=said, sensitive_features=groups).by_group
    for name, values in rates(table).items():
        assert (values == frame[name].to_numpy()).all()
    ours = {name: float(value) for name, value in measures(table).items()}
    both = (came, said)
    assert ours == {
        "parity_ratio": fair.demographic_parity_ratio(*both, sensitive_features=groups),
        "parity_difference": fair.demographic_parity_difference(*both, sensitive_features=groups),
        "odds_difference": fair.equalized_odds_difference(*both, sensitive_features=groups),
        "odds_ratio": fair.equalized_odds_ratio(*both, sensitive_features=groups),
        "equal_opportunity_difference": fair.equal_opportunity_difference(*both, sensitive_features=groups),
    }


def test_counts_drawn_again_spread_as_rows_drawn_again() -> None:
    came, said, groups = drawn(400, 2, ("a", "b"))
    place, random = grouped(groups).place, np.random.default_rng(0)
    by_rows = []
    for _ in range(1000):
        at = random.integers(0, 400, 400)
        by_rows.append(measures(counts(came[at], said[at], place[at], 2).astype(float))["odds_difference"])
    by_counts = measures(redrawn(counts(came, said, place, 2), 1))["odds_difference"]
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(by_counts, share) == pytest.approx(np.quantile(by_rows, share), abs=0.02)


def test_calibration_is_that_of_each_group() -> None:
    random = np.random.default_rng(0)
    score, place = random.random(2000), random.integers(0, 2, 2000)
    came = (random.random(2000) < np.where(place == 1, score / 2, score)).astype(np.int64)
    held = calibration(came, score, place, 2)
    found = calibration_measures(held.count.astype(float), held.score)
    gap = [came[place == g].mean() - score[place == g].mean() for g in (0, 1)]
    assert found["calibration_spread"] == pytest.approx(gap[0] - gap[1])
    assert found["calibration_error"] == pytest.approx(0.25, abs=0.03)


def test_a_score_that_means_less_for_one_group_fails() -> None:
    random = np.random.default_rng(3)
    score, groups = random.random(4000), random.choice(["a", "b"], 4000)
    came = (random.random(4000) < np.where(groups == "b", score / 2, score)).astype(np.int64)
    given = CheckInput(came, score, (score >= 0.5).astype(np.int64), {"g": groups})
    result = run(given, max_odds_difference=1.0)
    assert isinstance(result.verdict, Failed)
    assert "asked are calibration spread of at most 0.1" in result.verdict.reason
    assert isinstance(run(given, max_odds_difference=1.0, max_calibration_spread=0.5).verdict, Passed)


def test_a_verdict_names_ratio_interval_and_rows() -> None:
    came, said, groups = drawn(4000, 4)
    result = run(CheckInput(came, said * 0.5, said, {"g": groups}))
    low, high = result.intervals["parity_ratio[g]"]
    assert f"parity ratio {result.figures['parity_ratio[g]']:.3f} ({low:.3f} to {high:.3f})" in result.verdict.reason
    assert "over 4,000 rows" in result.verdict.reason
    assert result.figures["favourable_share[g=a]"] == pytest.approx(1 - said[groups == "a"].mean())
    assert result.figures["rows[g=a]"] == (groups == "a").sum()


def test_too_few_rows_are_insufficient_data_and_no_pass() -> None:
    came, said, groups = drawn(90, 5)
    result = run(CheckInput(came, said * 0.5, said, {"g": groups}))
    assert isinstance(result.verdict, Inconclusive)
    assert "insufficient data" in result.verdict.reason
    came, said, groups = drawn(3000, 6)
    groups[:20] = "few"
    result = run(CheckInput(came, said * 0.5, said, {"g": groups}), max_calibration_spread=1.0)
    assert "of 1 smaller groups there are insufficient data" in result.verdict.reason
    assert "favourable_share[g=few]" not in result.figures


def test_an_intersection_fails_though_both_attributes_pass() -> None:
    random = np.random.default_rng(7)
    sex, age = random.choice(["f", "m"], 8000), random.choice(["old", "young"], 8000)
    apart = (sex == "f") == (age == "old")  # each attribute alone is even
    said = (random.random(8000) > np.where(apart, 0.4, 0.6)).astype(np.int64)
    came = random.integers(0, 2, 8000)
    given = CheckInput(came, np.where(said == 1, 0.5, 0.45), said, {"sex": sex, "age": age})
    result = run(given)
    assert result.figures["parity_ratio[sex]"] > 0.9
    assert result.figures["parity_ratio[age]"] > 0.9
    assert isinstance(result.verdict, Failed)
    assert "sex=f, age=old" in result.verdict.reason
    assert result.figures["impact_ratio[sex=f, age=old]"] < 0.8


def test_intersections_of_chance_are_let_pass() -> None:
    """Of twelve by ten small groups the worst lies far off by chance alone."""
    flagged = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        columns = {
            "a": grouped(random.choice(list("abcdefghijkl"), 9000)),
            "b": grouped(random.choice(list("0123456789"), 9000)),
        }
        found = intersections(columns, (random.random(9000) < 0.5).astype(np.int64), 50)
        assert len(found.names) > 100
        assert found.ratio[0] < 0.85
        flagged += bool(found.below(0.8))
    assert flagged <= 1


def test_crossed_groups_are_those_that_have_rows() -> None:
    columns = {"a": grouped(np.array(["x", "x", "y"])), "b": grouped(np.array(["1", "2", "2"]))}
    assert crossed(columns)["a and b"].names == ("a=x, b=1", "a=x, b=2", "a=y, b=2")
