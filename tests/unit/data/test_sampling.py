"""Samples are uniform, seeded and bounded, and do not depend on how rows are cut into batches."""

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.sampling import LONGEST, Sampler, miss_probability, text_of, unseen_share


def sample(values: list[object], cuts: list[int], *, seed: int = 1, size: int = 20, kind: pa.DataType | None = None):
    array = pa.array(values, kind)
    schema = pa.schema([("c", array.type)])
    sampler = Sampler(schema, seed=seed, size=size)
    edges = [0, *sorted(min(cut, len(array)) for cut in cuts), len(array)]
    for start, end in pairwise(edges):
        sampler.add(pa.record_batch([array[start:end]], schema=schema))
    return sampler.samples()[0], sampler.rows


def spread(column) -> list[tuple[str, int]]:
    return list(zip(column.values.to_pylist(), column.counts.tolist(), strict=True))


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=120),
    st.lists(st.integers(0, 120), max_size=6),
    st.integers(0, 99),
)
def test_the_same_rows_give_the_same_sample_however_they_are_cut(values, cuts, seed):
    whole, rows = sample(values, [], seed=seed, kind=pa.int64())
    cut, _ = sample(values, cuts, seed=seed, kind=pa.int64())
    assert spread(whole) == spread(cut)
    assert rows == len(values)
    assert whole.non_null == sum(value is not None for value in values)
    assert whole.sampled == min(20, whole.non_null)


def test_another_seed_gives_another_sample():
    values = list(range(1000))
    assert spread(sample(values, [], seed=1)[0]) != spread(sample(values, [], seed=2)[0])


def test_every_row_has_the_same_chance():
    """Over 400 seeds, each tenth of the rows gives a tenth of the samples, within five standard deviations."""
    tenths = np.zeros(10)
    for seed in range(400):
        column, _ = sample(list(range(1000)), [100, 400, 401], seed=seed)
        for value in column.values.to_pylist():
            tenths[int(value) // 100] += 1
    expected = 400 * 20 / 10
    assert np.abs(tenths - expected).max() < 5 * math.sqrt(expected)


def test_rare_values_are_sampled_among_the_non_null_ones():
    """A column that is nearly empty is still sampled fully."""
    column, _ = sample([None] * 5000 + ["x@example.org"] + [None] * 5000, [])
    assert spread(column) == [("x@example.org", 1)]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([" x ", "ＡＢＣ１２３", None]), ["x", "ABC123", None]),
        (pa.array(["y" * (LONGEST + 9)]), ["y" * LONGEST]),
        (pa.array(["z"], pa.large_string()), ["z"]),
        (pa.array(["d", "d"]).dictionary_encode(), ["d", "d"]),
        (pa.array([491701234567.0, 1.5, float("nan"), None]), ["491701234567", "1.5", "nan", None]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([20_000], pa.int64()), ["20000"]),
        (pa.array([0], pa.date32()), ["1970-01-01"]),
        (pa.array([b"\xff\xfe"]), [""]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_values_become_text(array, expected):
    assert text_of(array).to_pylist() == expected


def test_the_values_do_not_show_in_the_repr():
    column, _ = sample(["secret"], [])
    assert "secret" not in repr(column)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("٠٧٨-٠٥-١١٢٠", "078-05-1120"),
        ("１２３４", "1234"),
        ("\u202e\u2066219\u201109\u20139999\u2069", "219-09-9999"),
        ("Søren Åß", "Søren Åß"),
        ("שלום ١٢", "שלום 12"),
    ],
)
def test_digits_of_every_script_and_direction_are_digits(written, text):
    assert text_of(pa.array([written, None, "plain"])).to_pylist() == [text, None, "plain"]


def test_the_unseen_share_is_the_largest_that_the_sample_may_miss():
    share = unseen_share(100_000, 10_000)
    assert miss_probability(100_000, 10_000, share) > 0.05 >= miss_probability(100_000, 10_000, share + 1e-5)
    assert unseen_share(500, 500) == 0
    assert unseen_share(0, 0) == 0


@settings(deadline=None)
@given(st.integers(1, 300), st.data(), st.floats(0.001, 1))
def test_the_miss_probability_is_hypergeometric(population, data, share):
    sampled = data.draw(st.integers(0, population))
    wanted = max(1, math.ceil(share * population))
    exact = math.comb(population - wanted, sampled) / math.comb(population, sampled)
    assert miss_probability(population, sampled, share) == pytest.approx(exact, abs=1e-9)


def test_nothing_is_missed_in_a_full_sample():
    assert miss_probability(50, 50, 0.01) == 0.0
    assert miss_probability(0, 0, 0.01) == 0.0


@pytest.mark.parametrize(("population", "sampled", "share"), [(1, 2, 0.5), (5, -1, 0.5), (5, 1, 0.0), (5, 1, 1.1)])
def test_impossible_samples_are_refused(population, sampled, share):
    with pytest.raises(ValueError):
        miss_probability(population, sampled, share)


def test_an_empty_sample_size_is_refused():
    with pytest.raises(ValueError):
        Sampler(pa.schema([]), seed=0, size=0)
