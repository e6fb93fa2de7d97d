"""The check of counterfactuals: who can turn a decision, at which cost, and whether groups can alike."""

import time
from dataclasses import replace

import numpy as np
import pytest

from trustplane.assessment.changed import changes_of
from trustplane.assessment.checks.contract import CheckInput, Examined, Rows
from trustplane.assessment.checks.counterfactuals import DESCRIPTOR, KEPT, Counterfactuals, difference
from trustplane.training.threats.parsing import parse_threat
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed

NAMES = ("income", "tied", "group")
THREAT = """
budget = { norm = "l2", distance = 1.0 }
goal = { start = 0 }
features.income = { low = -9, high = 9, scale = 1, cost = 2 }
features.tied = { mutable = false }
features.group = { low = 0, high = 1 }
"""
CHECK = Counterfactuals()


def score(features):
    """Little income, and what is tied to people, speak against them."""
    return 1 / (1 + np.exp(2.0 * features[:, 0].astype(np.float64) - 2.0 * features[:, 1]))


def given(unlike=0.0, threat=THREAT, rows=1200, immutable=(), groups=True, favourable=0, seed=0):
    """Two groups; ``unlike`` is how much more the second is tied to what it cannot change."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 2, rows)
    features = random.normal(size=(rows, 3)).astype(np.float32)
    features[:, 1] = np.abs(features[:, 1]) * 0.2 + unlike * group
    features[:, 2] = group
    held = Rows(features, random.integers(0, 2, rows), {"group": np.array(["a", "b"])[group]} if groups else {})
    scores = score(features)
    read = parse_threat(threat) if threat else None
    model = Examined(score, NAMES, held, None, b"", "onnx", 0.5, read, immutable)
    return CheckInput(held.label, scores, (scores >= 0.5).astype(np.int64), held.groups, favourable, 3, model)


def run(data, **changed):
    return CHECK.run(data, {p.name: p.default for p in DESCRIPTOR.parameters} | changed)


def test_the_share_that_can_turn_is_the_share_within_reach() -> None:
    data = given()
    result = run(data, rows=10_000)
    assert isinstance(result.verdict, Passed), result.verdict
    rows = data.examined.holdout.features
    short = (rows[:, 1] - rows[:, 0])[data.y_pred == 1]  # so much more income would turn the decision
    assert result.figures["rows_sought"] == len(short)
    assert result.figures["recourse"] == pytest.approx((short < 1).mean(), abs=0.01)
    assert result.figures["median_cost"] == pytest.approx(2 * np.median(short[short < 1]), rel=0.05)
    assert result.figures["median_features"] == 1
    low, high = result.intervals["recourse"]
    assert low < result.figures["recourse"] < high
    assert result.figures["recourse_gap[group]"] < 0.15


def test_a_group_that_can_turn_less_fails() -> None:
    result = run(given(unlike=2.5))
    assert isinstance(result.verdict, Failed)
    assert "recourse_gap[group]" in result.verdict.reason
    figures = result.figures
    assert figures["recourse[group=a]"] - figures["recourse[group=b]"] == pytest.approx(figures["recourse_gap[group]"])
    assert isinstance(run(given(unlike=2.5), max_gap=0.9).verdict, Passed)


def test_rows_are_left_as_evidence_and_the_cheapest_first() -> None:
    data = given()
    result = run(data, rows=10_000)
    table = result.evidence["counterfactuals"]
    assert table.num_rows == min(KEPT, round(result.figures["recourse"] * result.figures["rows_sought"]))
    assert (np.diff(table["cost"].to_numpy()) >= 0).all()
    held = data.examined.holdout.features
    for row in changes_of(table):
        [change] = row["changes"]
        assert change["feature"] == "income"
        assert change["before"] == pytest.approx(held[row["row"], 0])
        assert row["score_before"] >= 0.5 > row["score_after"]
    assert "before" not in str(result.plain())


def test_groups_and_what_nobody_can_change_stay() -> None:
    result = run(given(immutable=("income",)))
    assert result.figures["recourse"] == 0
    assert "median_cost" not in result.figures
    assert result.evidence == {}
    moved = THREAT.replace("features.income = {", "features.income = { mutable = false,")
    assert run(given(threat=moved)).figures["recourse"] == 0  # the group itself is never changed


def test_a_suite_can_ask_that_people_can_turn_decisions() -> None:
    share = run(given()).figures["recourse"]
    assert isinstance(run(given(), min_recourse=min(1.0, share + 0.2)).verdict, Failed)
    assert isinstance(run(given(), min_recourse=share).verdict, Inconclusive)
    assert isinstance(run(given(), min_recourse=share - 0.2).verdict, Passed)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (given(threat=None), "no threat model"),
        (given(threat="draft = true\n" + THREAT), "draft"),
        (given(groups=False), "no two groups"),
        (given(rows=40), "are needed"),
        (given(favourable=1, threat=THREAT.replace("goal = { start = 0 }", "")), ""),
    ],
)
def test_it_does_not_pass_for_want_of_evidence(data, why) -> None:
    verdict = run(data).verdict
    if not why:
        assert isinstance(verdict, Passed)
        return
    assert isinstance(verdict, Inconclusive)
    assert why in verdict.reason


def test_a_search_that_ran_out_of_time_does_not_pass() -> None:
    data = given()
    slow, calls = data.examined.score, []

    def stalling(features):
        calls.append(len(features))
        if len(calls) > 2:
            time.sleep(0.6)
        return slow(features)

    stalled = replace(data, examined=replace(data.examined, score=stalling))
    result = run(stalled, seconds=1)
    assert isinstance(result.verdict, Inconclusive)
    assert result.figures["out_of_time"] == 1


def test_without_the_model_it_does_not_apply() -> None:
    data = given()
    bare = CheckInput(data.y_true, data.y_score, data.y_pred, data.groups)
    assert isinstance(run(bare).verdict, NotApplicable)


def test_rows_that_cannot_exist_are_counted_and_left_out() -> None:
    related = THREAT + '[[relations]]\nname = "some"\nholds = "income <= 0"\n'
    data = given(threat=related)
    result = run(data, rows=10_000)
    rows = data.examined.holdout.features
    outside = int(((rows[:, 0] > 0) & (data.y_pred == 1)).sum())
    assert outside > 0
    assert result.figures["rows_outside_relations"] == outside
    assert result.figures["rows_sought"] == result.figures["rows_declined"] - outside


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """The first example of the paper: 56 of 70 against 48 of 80 (table II (a), method 10: 0.0524 to 0.3339)."""
    low, high = difference((56, 70), (48, 80))
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
