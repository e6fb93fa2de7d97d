"""Drift at the edges: constant columns, few values, categories that are new or gone, and the laws of the two figures."""

import math
from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.monitoring.drift import (
    BINS,
    DRIFTED,
    LEAST_ROWS,
    SIGNIFICANCE,
    WATCH,
    FeatureDrift,
    compare,
    judge,
    kolmogorov_smirnov,
    population_stability,
)
from trustplane.values.outcomes import Failed, Inconclusive, Passed

few = st.lists(st.integers(-3, 3).map(float), min_size=4, max_size=40)
many = st.lists(st.integers(-(10**6), 10**6).map(float), min_size=4, max_size=40)
samples = few | many


def psi(reference, served) -> float:
    """The index by its definition, row by row: bins end at the deciles, and a repeated decile is a bin of its own."""
    ordered = sorted(reference)
    deciles = [ordered[math.ceil(len(ordered) * k / BINS) - 1] for k in range(1, BINS)]
    edges = sorted(set(deciles))

    def where(value):
        for number, edge in enumerate(edges):
            if value == edge and deciles.count(edge) > 1:
                return number, "at"
            if value <= edge:
                return number, "below"
        return len(edges), "above"

    bins = {where(v) for v in (*reference, *served)}
    total = 0.0
    for one in bins:
        before = (sum(where(v) == one for v in reference) + 0.5) / (len(reference) + 0.5 * len(bins))
        now = (sum(where(v) == one for v in served) + 0.5) / (len(served) + 0.5 * len(bins))
        total += (now - before) * math.log(now / before)
    return total


def widest_gap(reference, served) -> float:
    """The largest distance of the two empirical distributions, looked for at every value."""
    one, other = sorted(reference), sorted(served)
    return max(
        abs(at(one, v) / len(one) - at(other, v) / len(other))
        for v in (*one, *other)
        for at in (bisect_left, bisect_right)
    )


class TestPopulationStability:
    @settings(deadline=None)
    @given(samples, samples)
    def test_it_is_what_its_definition_says_also_where_values_repeat(self, reference, served):
        found = population_stability(np.array(reference), np.array(served))
        assert found == pytest.approx(psi(reference, served), abs=1e-12)

    @settings(deadline=None)
    @given(samples, samples, st.randoms(use_true_random=False))
    def test_the_order_of_the_rows_says_nothing(self, reference, served, random):
        before = population_stability(np.array(reference), np.array(served))
        random.shuffle(reference)
        random.shuffle(served)
        assert population_stability(np.array(reference), np.array(served)) == before

    @settings(deadline=None)
    @given(samples, samples)
    def test_a_rising_transform_of_both_changes_nothing(self, reference, served):
        before, now = np.array(reference), np.array(served)
        assert population_stability(before * abs(before), now * abs(now)) == population_stability(before, now)

    def test_two_normals_a_deviation_apart_have_the_symmetric_divergence_one(self):
        random = np.random.default_rng(1)
        found = population_stability(random.normal(0, 1, 100_000), random.normal(1, 1, 100_000), bins=500)
        assert found == pytest.approx(1, abs=0.05)

    @pytest.mark.parametrize("now", [3.0, 5.000001, 7.0, -1e300, 1e300])
    def test_a_constant_column_that_is_another_constant_has_drifted(self, now):
        assert population_stability(np.full(1000, 5.0), np.full(500, now)) > DRIFTED

    def test_a_constant_column_that_stays_is_stable(self):
        assert population_stability(np.full(1000, 5.0), np.full(3, 5.0)) == 0

    @pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 0.97, 1.0])
    def test_a_column_of_two_values_that_turns_around_has_drifted_whichever_is_rare(self, share):
        reference = np.repeat([0.0, 1.0], [970, 30])
        served = np.repeat([0.0, 1.0], [1000 - round(1000 * share), round(1000 * share)])
        assert (population_stability(reference, served) > DRIFTED) == (share >= 0.5)
        assert (population_stability(1 - reference, 1 - served) > DRIFTED) == (share >= 0.5)

    @pytest.mark.parametrize("code", [-1.0, 1.5, 4.0])
    def test_a_category_that_is_new_is_seen_below_between_and_above_the_known(self, code):
        reference = np.repeat([1.0, 2.0, 3.0], [500, 300, 200])
        served = np.repeat([1.0, 2.0, 3.0, code], [300, 180, 120, 400])
        assert population_stability(reference, served) > DRIFTED

    def test_a_category_that_is_gone_is_seen(self):
        reference, served = np.repeat([1.0, 2.0, 3.0], [400, 300, 300]), np.repeat([1.0, 3.0], [570, 430])
        assert population_stability(reference, served) > DRIFTED

    def test_numbers_at_the_end_of_the_range_do_not_overflow(self):
        values = np.array([-1.7e308, -1, 0, 1, 1.7e308])
        assert population_stability(values, values) == 0


class TestKolmogorovSmirnov:
    @settings(deadline=None)
    @given(samples, samples)
    def test_the_statistic_is_the_widest_gap_of_the_two_distributions(self, reference, served):
        found, _ = kolmogorov_smirnov(np.array(reference), np.array(served))
        assert found == pytest.approx(widest_gap(reference, served))

    @settings(deadline=None)
    @given(samples, samples)
    def test_it_does_not_matter_which_is_the_reference(self, reference, served):
        one = kolmogorov_smirnov(np.array(reference), np.array(served))
        other = kolmogorov_smirnov(np.array(served), np.array(reference))
        assert one == pytest.approx(other)

    @settings(deadline=None)
    @given(samples, samples)
    def test_a_rising_transform_of_both_changes_nothing(self, reference, served):
        before, now = np.array(reference), np.array(served)
        assert kolmogorov_smirnov(before * abs(before), now * abs(now)) == kolmogorov_smirnov(before, now)

    @pytest.mark.parametrize("shift", [0.02, 0.05, 0.1])
    def test_the_p_value_is_that_of_kolmogorovs_series(self, shift):
        random = np.random.default_rng(2)
        before, now = random.normal(0, 1, 3000), random.normal(shift, 1, 2000)
        statistic, p_value = kolmogorov_smirnov(before, now)
        root = statistic * math.sqrt(3000 * 2000 / 5000)
        series = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * root) ** 2) for k in range(1, 50))
        assert p_value == pytest.approx(series, rel=0.1, abs=0.01)


class TestCompare:
    @pytest.mark.parametrize(
        "values", [[], [1.0] * (LEAST_ROWS - 1), [math.nan] * 1000, [None] * 1000, ["word"] * 1000, [[1.0], [2.0, 3.0]]]
    )
    def test_what_holds_too_few_numbers_is_not_compared_on_either_side(self, values):
        enough = np.arange(LEAST_ROWS)
        assert compare({"a": enough}, {"a": values}) == {}
        assert compare({"a": values}, {"a": enough}) == {}

    def test_empty_cells_are_left_out_of_both_samples(self):
        values = np.arange(LEAST_ROWS, dtype=float)
        holey = np.array([*values, None, math.nan, math.inf], object)
        assert compare({"a": holey}, {"a": holey}) == compare({"a": values}, {"a": values})

    def test_p_values_are_corrected_for_the_number_of_features(self):
        random = np.random.default_rng(4)
        before, now = random.normal(0, 1, 400), random.normal(0.15, 1, 400)
        (alone,) = compare({"a": before}, {"a": now}).values()
        calm = {f"n{i}": np.arange(400) for i in range(9)}
        beside = compare({"a": before, **calm}, {"a": now, **calm})["a"]
        assert beside.p_value == pytest.approx(min(1, 10 * alone.p_value))

    def test_truth_values_and_whole_numbers_are_numbers(self):
        served = {"a": [True, False] * 200, "b": list(range(400))}
        assert set(compare({"a": np.array([True, False] * 200), "b": np.arange(400)}, served)) == {"a", "b"}


class TestJudge:
    @pytest.mark.parametrize("rows", [0, 1, LEAST_ROWS - 1])
    def test_a_tiny_window_is_inconclusive_whatever_it_shows(self, rows):
        verdict = judge({"a": FeatureDrift(9.0, 1.0, 0.0)}, ["a"], rows)
        assert isinstance(verdict, Inconclusive)
        assert verdict.reason == f"{rows} served rows are too few to compare"
        assert str(LEAST_ROWS) in verdict.remedy

    @pytest.mark.parametrize(
        ("psi", "p_value", "expected"),
        [
            (DRIFTED, 0.0, Passed),
            (math.nextafter(DRIFTED, 1), 0.0, Failed),
            (5.0, SIGNIFICANCE, Passed),
            (5.0, math.nextafter(SIGNIFICANCE, 0), Failed),
        ],
    )
    def test_the_limits_themselves_pass(self, psi, p_value, expected):
        assert isinstance(judge({"a": FeatureDrift(psi, 0.5, p_value)}, ["a"], LEAST_ROWS), expected)

    @pytest.mark.parametrize(("psi", "named"), [(WATCH, False), (math.nextafter(WATCH, 1), True), (DRIFTED, True)])
    def test_what_is_to_be_watched_is_past_its_limit(self, psi, named):
        verdict = judge({"a": FeatureDrift(psi, 0.5, 0.0)}, ["a"], 1000)
        assert isinstance(verdict, Passed)
        assert ("to be watched: a" in verdict.reason) == named

    def test_drift_that_was_found_is_not_hidden_by_a_feature_that_could_not_be_compared(self):
        found = {"a": FeatureDrift(0.9, 0.6, 1e-9), "b": FeatureDrift(0.01, 0.02, 0.9)}
        verdict = judge(found, ["a", "b", "c"], 1000)
        assert isinstance(verdict, Failed)
        assert verdict.figures == {"psi.a": 0.9, "psi.b": 0.01}

    @pytest.mark.parametrize("figures", [FeatureDrift(0.9, 0.6, 0.0), FeatureDrift(0.2, 0.2, 0.0)])
    def test_a_reason_stays_short_however_many_and_long_the_names_are(self, figures):
        names = [f"{n}" * 256 for n in range(10)]
        for verdict in (judge(dict.fromkeys(names, figures), names, 1000), judge({}, names, 1000)):
            assert len(verdict.reason) < 2000
