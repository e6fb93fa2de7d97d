"""What the checks let pass and what they do not."""

import numpy as np
import pytest
from fairlearn import metrics as fair

from trustplane.assessment.checks import fairness, performance, slices
from trustplane.assessment.checks.contract import CheckInput, Descriptor, Parameter, Stricter, laxer
from trustplane.assessment.checks.resampling import intervals, row_intervals
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed


def data(rows=2000, noise=0.15, groups=None, seed=0, favourable=0) -> CheckInput:
    random = np.random.default_rng(seed)
    came = (random.random(rows) < 0.4).astype(np.int64)
    scores = np.clip(0.25 + 0.5 * came + random.normal(0, noise, rows), 0, 1)
    return CheckInput(came, scores, (scores >= 0.5).astype(np.int64), groups or {}, favourable, seed)


def decided(shares: dict[str, tuple[int, int]]) -> CheckInput:
    """Groups of so many rows of which so many are decided favourably (class 0); what came is independent of the decision."""
    said, came, groups = [], [], []
    for group, (rows, favourable) in shares.items():
        decisions = [0] * favourable + [1] * (rows - favourable)
        said += decisions
        came += [n % 2 for n in range(rows)]
        groups += [group] * rows
    pred = np.array(said)
    return CheckInput(np.array(came), pred.astype(float), pred, {"g": np.array(groups)})


def run(module, check, given, **changed):
    parameters = {p.name: p.default for p in module.DESCRIPTOR.parameters} | changed
    return check.run(given, parameters)


def test_a_model_by_chance_fails() -> None:
    random = np.random.default_rng(1)
    given = data()
    chance = CheckInput(given.y_true, random.random(2000), given.y_pred, {})
    result = run(performance, performance.Performance(), chance)
    assert isinstance(result.verdict, Failed)
    assert "below 0.7" in result.verdict.reason


def test_the_interval_decides_and_not_the_figure() -> None:
    few, many = data(160, 0.55, seed=3), data(20_000, 0.55, seed=3)
    found = [run(performance, performance.Performance(), d) for d in (few, many)]
    limit = min(result.figures["auc"] for result in found) - 0.02
    few_rows, many_rows = (
        run(performance, performance.Performance(), d, min_auc=limit, max_calibration_error=1.0) for d in (few, many)
    )
    assert "its interval reaches below" in few_rows.verdict.reason
    assert "its interval reaches below" not in many_rows.verdict.reason


def test_bad_probabilities_fail_though_they_rank_well() -> None:
    given = data()
    squeezed = CheckInput(given.y_true, 0.9 + given.y_score / 10, given.y_pred, {})
    result = run(performance, performance.Performance(), squeezed)
    assert result.figures["auc"] > 0.9
    assert isinstance(result.verdict, Failed)
    slightly = CheckInput(given.y_true, np.clip(given.y_score - 0.2, 0, 1), given.y_pred, {})
    assert "calibration error" in run(performance, performance.Performance(), slightly).verdict.reason


def test_one_class_is_no_evidence() -> None:
    given = data(200)
    assert isinstance(
        run(
            performance, performance.Performance(), CheckInput(given.y_true * 0, given.y_score, given.y_pred, {})
        ).verdict,
        Inconclusive,
    )


def test_a_slice_in_which_the_model_guesses_is_found() -> None:
    random = np.random.default_rng(2)
    given = data(3000)
    groups = {"g": np.where(np.arange(3000) % 10 == 0, "odd", "usual"), "h": random.choice(["x", "y"], 3000)}
    scores = np.where(groups["g"] == "odd", random.random(3000), given.y_score)
    bad = CheckInput(given.y_true, scores, given.y_pred, groups)
    result = run(slices, slices.Slices(), bad)
    assert isinstance(result.verdict, Failed)
    assert "g=odd" in result.verdict.reason
    assert "g=usual" not in result.verdict.reason
    even = CheckInput(given.y_true, given.y_score, given.y_pred, groups)
    assert isinstance(run(slices, slices.Slices(), even).verdict, Passed)


def test_slices_too_small_are_no_evidence_and_no_columns_do_not_apply() -> None:
    given = data(60)
    small = CheckInput(given.y_true, given.y_score, given.y_pred, {"g": np.full(60, "a")})
    assert isinstance(run(slices, slices.Slices(), small).verdict, Inconclusive)
    assert isinstance(run(slices, slices.Slices(), given).verdict, NotApplicable)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"a": (1000, 500), "b": (1000, 500)}, Passed),
        ({"a": (1000, 500), "b": (1000, 405)}, Passed),
        ({"a": (1000, 500), "b": (1000, 200)}, Failed),
        ({"a": (100, 50), "b": (100, 38)}, Inconclusive),  # 0.76, but by 12 people
        ({"a": (1000, 500), "b": (20, 2)}, Inconclusive),  # nothing to compare with
        ({"a": (1000, 500), "b": (1000, 480), "c": (20, 0)}, Passed),  # c is too small to be judged
        ({"a": (1000, 0), "b": (1000, 0)}, Inconclusive),
        ({"a": (1000, 500)}, Inconclusive),
    ],
)
def test_four_fifths(shares, expected) -> None:
    result = run(fairness, fairness.Fairness(), decided(shares), max_odds_difference=1.0)
    assert isinstance(result.verdict, expected), result.verdict.reason


def test_errors_that_fall_on_one_group_fail_though_decisions_are_even() -> None:
    groups = np.repeat(["a", "b"], 1000)
    came = np.tile([0, 1], 1000)
    said = np.where(groups == "a", came, 1 - came)
    result = run(fairness, fairness.Fairness(), CheckInput(came, said.astype(float), said, {"g": groups}))
    assert result.figures["parity_ratio[g]"] == 1.0
    assert result.figures["odds_difference[g]"] == 1.0
    assert isinstance(result.verdict, Failed)


def test_which_class_is_favourable_matters() -> None:
    groups = np.repeat(["a", "b"], 1000)
    said = np.concatenate([np.arange(1000) < 100, np.arange(1000) < 50]).astype(np.int64)
    came = np.tile([0, 1], 1000)
    risk, chance = (
        run(fairness, fairness.Fairness(), CheckInput(came, said.astype(float), said, {"g": groups}, f)) for f in (0, 1)
    )
    assert risk.figures["parity_ratio[g]"] == pytest.approx(0.9 / 0.95)
    assert chance.figures["parity_ratio[g]"] == pytest.approx(0.5)


def test_counts_give_the_figures_of_fairlearn() -> None:
    random = np.random.default_rng(8)
    came, said, groups = (random.integers(0, n, 500) for n in (2, 2, 3))
    ours = fairness.measures(fairness.counts(came, said, groups, 3).astype(float))
    assert ours["parity_ratio"] == pytest.approx(fair.demographic_parity_ratio(came, said, sensitive_features=groups))
    assert ours["odds_difference"] == pytest.approx(
        fair.equalized_odds_difference(came, said, sensitive_features=groups)
    )
    assert ours["odds_ratio"] == pytest.approx(fair.equalized_odds_ratio(came, said, sensitive_features=groups))


def test_an_interval_covers_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        sample = np.random.default_rng(seed).normal(0, 1, 200)
        low, high = row_intervals(lambda w, s=sample: {"mean": float(np.average(s, weights=w))}, 200, 200, seed)["mean"]
        covered += low <= 0 <= high
    assert 88 <= covered <= 99


def test_a_figure_that_is_mostly_undefined_has_no_interval() -> None:
    assert intervals({"x": [1.0] * 7 + [float("nan")] * 3}) == {}
    assert intervals({"x": [1.0] * 9 + [float("nan")]}) == {"x": (1.0, 1.0)}


def test_laxer_parameters_are_named() -> None:
    descriptor = Descriptor(
        "x",
        "?",
        (
            Parameter("least", 0.8, Stricter.HIGHER, ""),
            Parameter("most", 0.1, Stricter.LOWER, ""),
            Parameter("free", 1, Stricter.NEITHER, ""),
        ),
    )
    assert laxer(descriptor, {"least": 0.9, "most": 0.05, "free": 9}) == ()
    assert laxer(descriptor, {"least": 0.79, "most": 0.1, "free": 9}) == ("least",)
    assert laxer(descriptor, {"least": 0.8, "most": 0.11}) == ("most",)
    assert laxer(descriptor, {}) == ("least", "most")
