"""Evidence: shares, confidence and chance, by their laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.recognisers.contract import ColumnSample, Judgement
from trustplane.data.recognisers.evidence import Share, chance_bound, confidence, matching, share


@settings(deadline=None)
@given(st.integers(1, 60), st.data(), st.sampled_from([0.1, 1 / 97, 0.5]))
def test_the_chance_bound_lies_above_the_binomial_tail(trials, data, chance):
    hits = data.draw(st.integers(0, trials))
    tail = math.fsum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(hits, trials + 1))
    assert chance_bound(hits, trials, chance) >= tail * (1 - 1e-9)


@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (0, 10), (10, 100)])
def test_up_to_the_expected_number_chance_explains_everything(hits, trials):
    assert chance_bound(hits, trials, 0.1) == 1.0


def test_all_of_six_by_one_in_ten_is_a_millionth():
    assert chance_bound(6, 6, 0.1) == pytest.approx(1e-6)


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(0, 100), st.integers(1, 100), st.booleans())
def test_confidence_stays_in_bounds_and_grows_with_every_reason(specificity, hits, of, named):
    matched = Share(min(hits, of), of)
    sure = confidence(specificity, matched, named=named)
    assert 0.0 <= sure <= 1.0
    assert sure <= confidence(specificity, matched, named=True) + 1e-12
    assert sure <= confidence(specificity, Share(of, of), named=named) + 1e-12


def test_a_share_of_nothing_is_nothing():
    empty = share(np.zeros(0, np.bool_))
    assert (empty.value, empty.enough) == (0.0, False)


@pytest.mark.parametrize(("hits", "of", "enough"), [(1, 20, True), (1, 21, False), (0, 1, False)])
def test_one_in_twenty_is_enough_to_speak_of(hits, of, enough):
    assert Share(hits, of).enough is enough


def test_a_share_reads_as_words():
    assert str(Share(3, 4)) == "3 of 4 distinct values (75%)"


def test_matching_is_over_distinct_values():
    column = ColumnSample.of("c", ["a", "a", "b", None])
    assert (column.distinct, column.sampled, column.non_null) == (2, 3, 3)
    assert matching(column, "^a$").tolist() == [True, False]


def test_a_confidence_outside_its_bounds_is_refused():
    with pytest.raises(ValueError):
        Judgement("X", 1.5, "because")
