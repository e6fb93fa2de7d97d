"""Statistics agree with numpy, do not depend on how rows are cut, and show nothing of identifiers."""

import json
import math
from dataclasses import asdict
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.classes import SensitivityClass
from trustplane.data.statistics import FEW, StatisticsCollector, statistics

OPEN = SensitivityClass.OPEN


def of(array: pa.Array, *, cuts: list[int] | None = None, klass: SensitivityClass = OPEN):
    schema = pa.schema([("c", array.type)])
    edges = [0, *sorted(min(cut, len(array)) for cut in cuts or []), len(array)]
    batches = [pa.record_batch([array[start:end]], schema=schema) for start, end in pairwise(edges)]
    return statistics(batches, schema=schema, classes={"c": klass})[0]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=200),
    st.lists(st.integers(0, 200), max_size=5),
)
def test_figures_agree_with_numpy_however_the_rows_are_cut(values, cuts):
    found = of(pa.array(values, pa.float64()), cuts=cuts)
    present = np.array([value for value in values if value is not None])
    assert (found.rows, found.nulls) == (len(values), len(values) - len(present))
    assert found.distinct == len(set((present + 0.0).tolist()))
    if not len(present):
        assert found.numeric is None
        return
    numeric = found.numeric
    assert (numeric.minimum, numeric.maximum, numeric.finite) == (present.min(), present.max(), len(present))
    scale = max(1.0, np.abs(present).max())
    assert numeric.mean == pytest.approx(present.mean(), abs=1e-9 * scale)
    expected = present.std(ddof=1) if len(present) > 1 else 0.0
    assert numeric.deviation == pytest.approx(expected, abs=1e-6 * scale)
    assert sum(numeric.counts) == len(present)
    assert len(numeric.edges) == len(numeric.counts) + 1


@settings(deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=300))
def test_the_histogram_counts_what_lies_between_its_edges(values):
    numeric = of(pa.array(values)).numeric
    edges, counts = numeric.edges, list(numeric.counts)
    for at, count in enumerate(counts):
        last = at == len(counts) - 1
        assert count == sum(
            edges[at] <= value and (value < edges[at + 1] or (last and value <= edges[-1])) for value in values
        )


def test_few_distinct_values_have_a_bin_each():
    numeric = of(pa.array([1, 2, 2, 3] * 5000)).numeric
    assert numeric.edges == (1.0, 2.0, 3.0, 3.0)
    assert numeric.counts == (5000, 10000, 5000)


def test_many_values_are_counted_within_one_percent():
    values = np.random.default_rng(1).normal(size=100_000)
    numeric = of(pa.array(values), cuts=[10_000, 50_000]).numeric
    exact = np.histogram(values, numeric.edges)[0]
    assert np.abs(np.array(numeric.counts) - exact).max() <= 0.01 * len(values)
    assert sum(numeric.counts) == len(values)


@pytest.mark.parametrize("klass", [SensitivityClass.IDENTIFIER, SensitivityClass.SPECIAL])
def test_of_identifiers_and_special_categories_only_counts_are_kept(klass):
    found = of(pa.array([100_000_001, 100_000_002, None]), klass=klass)
    assert (found.rows, found.nulls, found.distinct, found.numeric) == (3, 1, 2, None)
    assert "10000000" not in json.dumps(asdict(found))


def test_text_has_counts_only():
    found = of(pa.array(["secret", "secret", None]))
    assert (found.distinct, found.distinct_exact, found.numeric) == (1, True, None)
    assert "secret" not in repr(found)


def test_what_is_not_finite_is_left_out_and_the_result_is_json():
    found = of(pa.array([1.0, 3.0, math.inf, -math.inf, math.nan, 1e300]))
    assert (found.numeric.finite, found.numeric.mean) == (2, 2.0)
    json.dumps(asdict(found), allow_nan=False)


def test_decimals_are_numbers():
    assert of(pa.array([Decimal("1.50"), Decimal("2.50")])).numeric.mean == 2.0


def test_one_value_more_than_few_is_put_into_bins():
    assert len(of(pa.array(range(FEW))).numeric.counts) == FEW
    assert len(of(pa.array(range(FEW + 1))).numeric.counts) < FEW


def test_every_column_needs_a_class():
    schema = pa.schema([("c", pa.int64())])
    with pytest.raises(KeyError):
        StatisticsCollector(schema, seed=0).result({})
