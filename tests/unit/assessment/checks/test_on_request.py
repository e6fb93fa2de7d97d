"""What the checks of explanation, of proxies and of alternatives find, and what they let pass."""

from dataclasses import replace

import numpy as np
import pytest

from trustplane.assessment.checks import explanation, mitigation, proxies
from trustplane.assessment.checks.contract import CheckInput, Examined, Rows
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed

NAMES = ("income", "debt", "street")
CHECKS = {
    explanation: explanation.Explanation(),
    mitigation: mitigation.Mitigation(),
    proxies: proxies.Proxies(),
}


def run(module, given: CheckInput, **changed):
    return CHECKS[module].run(given, {p.name: p.default for p in module.DESCRIPTOR.parameters} | changed)


def people(seed, rows=1500, told=0.0):
    """Two groups; the street tells the group to a degree."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 2, rows)
    features = random.normal(size=(rows, 3)).astype(np.float32)
    features[:, 2] += told * (2 * group - 1)
    came = (random.random(rows) < 1 / (1 + np.exp(-2 * features[:, 1] + 2 * features[:, 0]))).astype(np.int64)
    return Rows(features, came, {"group": np.array(["a", "b"])[group]})


def given(score, told=0.0, seed=0):
    held, learned = people(seed, told=told), people(seed + 1, told=told)
    scores = score(held.features)
    model = Examined(score, NAMES, held, learned, b"", "onnx")
    return CheckInput(held.label, scores, (scores >= 0.5).astype(np.int64), held.groups, 0, 3, model)


def fair(features):
    return 1 / (1 + np.exp(-(2.0 * features[:, 1] - 2.0 * features[:, 0]).astype(np.float64)))


def by_street(features):
    return 1 / (1 + np.exp(-(2.0 * features[:, 1] - 2.0 * features[:, 0] + 2.0 * features[:, 2]).astype(np.float64)))


def test_a_plain_model_is_explained() -> None:
    result = run(explanation, given(fair))
    assert isinstance(result.verdict, Passed), result.verdict
    figures = result.figures
    assert figures["importance[income]"] > figures["importance[street]"] == 0
    assert figures["importance[income]"] == pytest.approx(figures["importance[debt]"], rel=0.5)
    assert figures["told_share"] == 1.0
    assert figures["deletion_gain"] > 0
    assert figures["additivity_error"] < 1e-9
    low, high = result.intervals["importance[income]"]
    assert low < figures["importance[income]"] < high


def test_a_model_that_decides_by_chance_cannot_be_explained() -> None:
    def noise(features):
        """A score that no feature explains: it hangs on the last bits of all of them."""
        return np.abs(np.sin(features.astype(np.float64).sum(1) * 1e5)) * 0.998 + 0.001

    result = run(explanation, given(noise))
    assert isinstance(result.verdict, Failed)
    assert result.figures["stability_under_noise"] < 0.3
    assert "rows nearly the same have other reasons" in result.verdict.reason


def test_nobody_to_compare_with_is_no_pass() -> None:
    assert isinstance(run(explanation, given(lambda f: np.full(len(f), 0.9))).verdict, Inconclusive)
    assert isinstance(run(explanation, given(lambda f: np.full(len(f), 0.1))).verdict, Inconclusive)
    usual = given(fair)
    assert isinstance(run(explanation, replace(usual, examined=None)).verdict, Inconclusive)


def test_a_street_that_tells_the_group_is_found() -> None:
    assert isinstance(run(proxies, given(fair)).verdict, Passed)
    result = run(proxies, given(fair, told=1.0))
    assert isinstance(result.verdict, Failed)
    assert result.figures["auc[group=a]"] > 0.85
    v = {n: result.figures[f"cramers_v[group, {n}]"] for n in NAMES}
    assert v["street"] > 0.5 > 0.1 > max(v["income"], v["debt"])
    shared = {n: result.figures[f"mutual_information[group, {n}]"] for n in NAMES}
    assert max(shared, key=shared.get) == "street"


def test_between_telling_and_not_the_rows_do_not_decide() -> None:
    middle = run(proxies, given(fair, told=0.5), max_auc=0.74)
    low, high = middle.intervals["auc[group=a]"]
    limit = (low + high) / 2
    assert isinstance(run(proxies, given(fair, told=0.5), max_auc=limit).verdict, Inconclusive)
    assert isinstance(run(proxies, replace(given(fair), groups={})).verdict, NotApplicable)
    assert isinstance(run(proxies, replace(given(fair), examined=None)).verdict, Inconclusive)


def test_an_alternative_that_does_as_well_is_found() -> None:
    result = run(mitigation, given(by_street, told=1.5))
    assert isinstance(result.verdict, Failed), result.verdict
    assert "group, reduction" in result.verdict.reason
    assert result.figures["gain[group, reduction]"] > 0.2
    assert result.figures["loss[group, reduction]"] < 0


def test_where_there_is_none_the_model_passes() -> None:
    result = run(mitigation, given(fair))
    assert isinstance(result.verdict, Passed)
    assert {"gain[group, thresholds]", "gain[group, reduction]"} <= set(result.intervals)


def test_without_the_rows_learned_from_nothing_is_learned() -> None:
    usual = given(fair)
    without = replace(usual, examined=replace(usual.examined, training=None))
    assert "training.parquet" in run(mitigation, without).verdict.remedy
    assert isinstance(run(mitigation, without).verdict, Inconclusive)
    assert isinstance(run(mitigation, replace(usual, groups={})).verdict, NotApplicable)
    lacking = replace(usual.examined.training, groups={})
    lacking = replace(usual, examined=replace(usual.examined, training=lacking))
    assert "insufficient data" in run(mitigation, lacking).verdict.reason
