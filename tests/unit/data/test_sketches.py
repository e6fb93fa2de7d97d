"""Sketches keep to their error, and are exact while they can be."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.sketches import DistinctSketch, QuantileSketch, hashes_of

ARRAYS = st.one_of(
    st.lists(st.one_of(st.none(), st.text(max_size=8)), max_size=60).map(lambda values: pa.array(values, pa.string())),
    st.lists(st.one_of(st.none(), st.binary(max_size=8)), max_size=60).map(
        lambda values: pa.array(values, pa.binary())
    ),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=60).map(
        lambda values: pa.array(values, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=60).map(
        lambda values: pa.array(values, pa.float64())
    ),
)


@settings(deadline=None)
@given(ARRAYS, st.integers(0, 60))
def test_few_distinct_values_are_counted_exactly_however_they_are_cut(array, cut):
    sketch = DistinctSketch()
    sketch.add(array[:cut])
    sketch.add(array[cut:])
    sketch.add(array)
    assert sketch.exact
    assert sketch.estimate() == len(set(array.drop_null().to_pylist()))


@pytest.mark.parametrize("count", [10_000, 300_000])
@pytest.mark.parametrize("form", ["customer-{:08d}@example.org", "{}", "C{:06d}"])
def test_many_distinct_values_are_estimated_within_five_standard_errors(count, form):
    sketch = DistinctSketch(4096)
    for start in range(0, count, 50_000):
        sketch.add(pa.array([form.format(number) for number in range(start, min(count, start + 50_000))]))
    assert not sketch.exact
    assert abs(sketch.estimate() / count - 1) < 5 / np.sqrt(4094)


@settings(deadline=None)
@given(st.lists(st.text(max_size=6), min_size=1, max_size=30), st.data())
def test_a_slice_hashes_like_a_copy(values, data):
    start = data.draw(st.integers(0, len(values) - 1))
    array = pa.array(["x", *values])
    assert hashes_of(array[start + 1 :]).tolist() == hashes_of(pa.array(values[start:])).tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1, 2], pa.int8()), pa.array([1, 2], pa.int64())),
        (pa.array(["a", "b"]), pa.array(["a", "b"], pa.large_string())),
        (pa.array(["a", "b"]), pa.array(["a", "b"]).dictionary_encode()),
        (pa.array([0.0]), pa.array([-0.0])),
    ],
)
def test_equal_values_have_equal_hashes(one, other):
    assert hashes_of(one).tolist() == hashes_of(other).tolist()


def test_zeros_and_lengths_count():
    assert len(set(hashes_of(pa.array(["", "\0", "\0\0", "a", "a\0"])).tolist())) == 5


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=40), max_size=10), st.integers(0, 9))
def test_the_weights_add_up_and_the_values_are_some_of_those_added(batches, seed):
    sketch = QuantileSketch(seed=seed, size=8)
    for batch in batches:
        sketch.add(np.array(batch, np.float64))
    values, weights = sketch.weighted()
    assert int(weights.sum()) == sum(map(len, batches))
    assert set(values.tolist()) <= {value for batch in batches for value in batch}
    assert np.all(np.diff(values) >= 0)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_quantiles_of_few_values_are_exact(values):
    sketch = QuantileSketch(seed=0)
    sketch.add(np.array(values))
    shares = np.array([0.0, 0.25, 0.5, 0.9, 1.0])
    assert sketch.quantiles(shares).tolist() == np.quantile(values, shares, method="inverted_cdf").tolist()


@pytest.mark.parametrize("order", ["sorted", "reversed", "shuffled"])
def test_ranks_of_many_values_are_within_one_percent(order):
    count = 400_000
    values = np.arange(count, dtype=np.float64)
    values = {"sorted": values, "reversed": values[::-1], "shuffled": np.random.default_rng(5).permutation(values)}[
        order
    ]
    sketch = QuantileSketch(seed=3)
    for start in range(0, count, 33_333):
        sketch.add(values[start : start + 33_333])
    shares = np.arange(1, 20) / 20
    assert np.abs(sketch.quantiles(shares) / count - shares).max() < 0.01
    assert len(sketch.weighted()[0]) < 40_000


def test_an_empty_sketch_has_no_quantiles():
    assert np.isnan(QuantileSketch(seed=0).quantiles(np.array([0.5]))).all()


def test_sizes_that_cannot_work_are_refused():
    with pytest.raises(ValueError):
        DistinctSketch(2)
    with pytest.raises(ValueError):
        QuantileSketch(seed=0, size=1)
