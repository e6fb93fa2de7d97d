"""Exact intervals, and the lower bound on epsilon: never above what was spent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from trustplane.assessment.privacy.bounds import clopper_pearson, epsilon_bound, hits_at, threshold_at


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_that_of_the_exact_test(counts) -> None:
    theirs = binomtest(*counts).proportion_ci(0.95, "exact")
    assert clopper_pearson(*counts) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_nothing_seen_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


@given(st.lists(st.integers(0, 20), min_size=10, max_size=200), st.floats(0, 0.9))
def test_no_more_outsiders_pass_than_the_rate_allows(scores, rate) -> None:
    outsiders = np.array(scores, float)
    assert (outsiders > threshold_at(outsiders, rate)).mean() <= rate + 1e-9


def test_an_attack_that_knows_finds_all_and_one_that_guesses_finds_its_rate() -> None:
    random = np.random.default_rng(0)
    outsiders = random.normal(size=2000)
    assert hits_at(outsiders + 10, outsiders, 0.01) == 2000
    assert hits_at(random.normal(size=2000), outsiders, 0.01) < 50


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 2.0, 4.0])
def test_the_bound_is_never_above_what_randomised_response_spends(epsilon) -> None:
    found = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        truth = np.exp(epsilon) / (1 + np.exp(epsilon))
        members, outsiders = (random.random(4000) < truth).astype(float), (random.random(4000) >= truth).astype(float)
        found.append(epsilon_bound(members, outsiders, seed))
    assert sum(bound > epsilon for bound in found) <= 3, "one in twenty may be"
    assert np.median(found) >= 0.6 * epsilon


def test_too_few_rows_bound_nothing() -> None:
    assert epsilon_bound(np.ones(1), np.zeros(1), 0) == 0.0
