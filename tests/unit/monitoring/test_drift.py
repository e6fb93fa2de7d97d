"""The figures of drift against scipy and against formulas written out again, and the laws that they keep to."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trustplane.monitoring.drift import (
    DRIFTED,
    LEAST_ROWS,
    FeatureDrift,
    compare,
    holm,
    judge,
    kolmogorov_smirnov,
    population_stability,
)
from trustplane.values.outcomes import Failed, Inconclusive, Passed

numbers = st.lists(st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)), min_size=5, max_size=200).map(
    np.array
)


def written_out(reference, served, edges):
    """The index over bins that end at ``edges``, with half a row added to each that holds any; row by row."""
    bins = [*edges, math.inf]

    def share(values):
        counts = [0.0] * len(bins)
        for value in values:
            counts[next(i for i, edge in enumerate(bins) if value <= edge)] += 1
        return counts

    a, b = share(reference), share(served)
    held = [i for i in range(len(bins)) if a[i] + b[i] > 0]
    total = 0.0
    for i in held:
        p = (a[i] + 0.5) / (sum(a) + 0.5 * len(held))
        q = (b[i] + 0.5) / (sum(b) + 0.5 * len(held))
        total += (q - p) * math.log(q / p)
    return total


def test_the_index_is_that_of_the_formula():
    dice = np.random.default_rng(5)
    reference, served = dice.normal(0, 1, 1000), dice.normal(0.4, 1.2, 800)
    edges = [sorted(reference)[len(reference) * k // 10 - 1] for k in range(1, 10)]
    assert population_stability(reference, served) == pytest.approx(written_out(reference, served, edges), rel=1e-9)


@given(numbers)
@settings(max_examples=60)
def test_a_sample_beside_itself_has_none(values):
    assert population_stability(values, values) == pytest.approx(0, abs=1e-12)
    assert kolmogorov_smirnov(values, values)[0] == 0


@given(numbers, numbers)
@settings(max_examples=80)
def test_it_is_finite_and_not_negative(reference, served):
    found = population_stability(reference, served)
    assert math.isfinite(found)
    assert found >= -1e-12


@given(numbers, numbers)
@settings(max_examples=60)
def test_a_change_of_scale_changes_nothing(reference, served):
    """Both figures look at the order of values alone."""
    for other in (lambda x: 2 * x, lambda x: x + 4):
        assert population_stability(other(reference), other(served)) == pytest.approx(
            population_stability(reference, served)
        )
        assert kolmogorov_smirnov(other(reference), other(served))[0] == pytest.approx(
            kolmogorov_smirnov(reference, served)[0]
        )


def test_kolmogorov_smirnov_is_scipys():
    dice = np.random.default_rng(6)
    a, b = dice.gamma(2, 1, 500), dice.gamma(2.2, 1, 700)
    assert kolmogorov_smirnov(a, b) == pytest.approx(tuple(stats.ks_2samp(a, b, method="asymp")))
    assert kolmogorov_smirnov(np.zeros(300), np.ones(300))[0] == 1


def test_one_value_that_fills_several_deciles_is_told_from_what_lies_below():
    """Most clients owe nothing; that they now owe a little less is a change."""
    reference = np.concatenate([np.zeros(900), np.arange(1, 101)])
    served = np.concatenate([np.full(900, -1.0), np.arange(1, 101)])
    assert population_stability(reference, served) > DRIFTED
    assert population_stability(np.full(500, 7.0), np.full(500, 7.0)) == 0
    assert population_stability(np.full(500, 7.0), np.full(500, 8.0)) > DRIFTED


class TestHolm:
    def test_it_is_that_of_the_paper(self):
        corrected = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
        assert corrected == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})

    @given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=12))
    def test_it_raises_keeps_the_order_and_stays_a_probability(self, given_values):
        corrected = holm(given_values)
        assert list(corrected) == list(given_values)
        assert all(p <= corrected[name] <= 1 for name, p in given_values.items())
        ranked = sorted(given_values, key=lambda name: given_values[name])
        assert [corrected[n] for n in ranked] == sorted(corrected[n] for n in ranked)


class TestCompare:
    def test_what_cannot_be_compared_is_left_out(self):
        enough = np.arange(LEAST_ROWS, dtype=float)
        few, words = enough[:-1], ["a"] * LEAST_ROWS
        holes = np.where(enough < 5, np.nan, enough)
        reference = {"good": enough, "few": enough, "words": words, "gone": enough, "holes": enough, "none": []}
        served = {"good": enough, "few": few, "words": words, "holes": holes, "new": enough, "none": []}
        assert list(compare(reference, served)) == ["good"]

    def test_missing_and_endless_values_are_no_numbers(self):
        values = np.arange(LEAST_ROWS + 3, dtype=float)
        broken = values.copy()
        broken[:3] = [np.nan, np.inf, -np.inf]
        found = compare({"x": values}, {"x": broken})["x"]
        assert found.psi < 0.05


class TestJudge:
    def test_drift_needs_size_and_significance(self):
        big, small, sure, unsure = DRIFTED * 2, DRIFTED / 10, 1e-9, 0.5
        cases = {(big, sure): Failed, (big, unsure): Passed, (small, sure): Passed, (small, unsure): Passed}
        for (psi, p), family in cases.items():
            assert isinstance(judge({"x": FeatureDrift(psi, 0.5, p)}, ["x"], 1000), family)

    def test_it_names_what_drifted_and_what_to_watch(self):
        found = {
            "a": FeatureDrift(0.5, 0.5, 1e-9),
            "b": FeatureDrift(0.15, 0.2, 1e-9),
            "c": FeatureDrift(0.01, 0.0, 1.0),
        }
        assert "1 of 3 features have drifted: a" in judge(found, ["a", "b", "c"], 1000).reason
        assert "to be watched: b" in judge({k: found[k] for k in "bc"}, ["b", "c"], 1000).reason

    def test_nothing_passes_for_want_of_evidence(self):
        calm = {"x": FeatureDrift(0, 0, 1)}
        assert isinstance(judge(calm, ["x"], LEAST_ROWS - 1), Inconclusive)
        assert isinstance(judge(calm, ["x", "y"], 1000), Inconclusive)
        assert isinstance(judge({}, [], 1000), Inconclusive)
        assert isinstance(judge(calm, ["x"], LEAST_ROWS), Passed)


def test_samples_of_one_population_are_told_to_be_so():
    """At the sizes that a day brings, chance alone is never called drift over 200 draws of 10 features."""
    dice = np.random.default_rng(9)
    for _ in range(200):
        reference = {f"f{n}": dice.normal(size=1000) for n in range(10)}
        served = {f"f{n}": dice.normal(size=400) for n in range(10)}
        assert isinstance(judge(compare(reference, served), list(reference), 400), Passed)


def test_a_shift_of_half_a_deviation_is_found():
    dice = np.random.default_rng(10)
    reference = {"a": dice.normal(size=2000), "b": dice.normal(size=2000)}
    served = {"a": dice.normal(0.6, 1, 1000), "b": dice.normal(size=1000)}
    verdict = judge(compare(reference, served), ["a", "b"], 1000)
    assert isinstance(verdict, Failed)
    assert "a" in verdict.reason
