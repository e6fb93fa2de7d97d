"""What an input must be before a model sees it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.serving.guards import MARGIN, by_feature, check
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Passed

NAMES = ("a", "b", "c")
FEATURES = [{"name": n, "minimum": 0.0, "maximum": 10.0} for n in NAMES]
FINITE = st.floats(-1e6, 1e6, allow_nan=False)


def verdict(value, low=0.0, high=10.0, dtype=np.float64):
    return check({"a": np.asarray([value], dtype)}, [{"name": "a", "minimum": low, "maximum": high}])


def test_one_wide_input_is_its_columns_in_the_order_of_the_features():
    wide = np.arange(6.0).reshape(2, 3)
    assert {n: c.tolist() for n, c in by_feature({"x": wide}, FEATURES).items()} == {
        "a": [0, 3],
        "b": [1, 4],
        "c": [2, 5],
    }


def test_many_inputs_are_one_column_each():
    inputs = {n: np.full((2, 1), i) for i, n in enumerate(NAMES)}
    assert {n: c.tolist() for n, c in by_feature(inputs, FEATURES).items()} == {"a": [0, 0], "b": [1, 1], "c": [2, 2]}
    assert by_feature({"a": np.ones(4)}, FEATURES[:1])["a"].shape == (4,)


@pytest.mark.parametrize(
    "inputs",
    [
        {"x": np.ones((2, 2))},
        {"x": np.ones((2, 4))},
        {"x": np.ones(2)},
        {"x": np.ones((2, 3, 2))},
        {"a": np.ones(2), "b": np.ones(2)},
        {"a": np.ones(2), "b": np.ones(2), "c": np.ones((2, 2))},
        {"a": np.ones(2), "b": np.ones(2), "d": np.ones(2)},
        {**{n: np.ones(2) for n in NAMES}, "d": np.ones(2)},
    ],
)
def test_a_value_that_belongs_to_no_feature_is_refused_rather_than_left_unchecked(inputs):
    with pytest.raises(BadInput) as caught:
        by_feature(inputs, FEATURES)
    assert caught.value.code == "TP-SERVING-003"


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 8))
def test_every_value_of_an_input_is_in_exactly_one_column(rows, width, features):
    array = np.arange(rows * width, dtype=float).reshape(rows, width)
    described = [{"name": f"f{i}"} for i in range(features)]
    if width != features:
        with pytest.raises(BadInput):
            by_feature({"x": array}, described)
    else:
        columns = by_feature({"x": array}, described)
        assert np.column_stack(list(columns.values())).tolist() == array.tolist()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_is_no_finite_number_is_refused(value, dtype):
    outcome = verdict(value, dtype=dtype)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "a holds values that are no finite numbers"
    assert isinstance(check({"a": np.asarray([1, value], dtype)}, []), Failed)


@given(FINITE, FINITE, FINITE)
def test_a_value_is_answered_exactly_within_the_widened_range(value, one, other):
    low, high = sorted((one, other))
    room = MARGIN * ((high - low) or abs(high) or 1.0)
    expected = Passed if low - room <= value <= high + room else Failed
    assert isinstance(verdict(value, low, high), expected)


def test_the_bounds_themselves_are_answered_and_what_is_next_to_them_is_not():
    for bound, beyond in ((15.0, np.inf), (-5.0, -np.inf)):
        assert isinstance(verdict(bound), Passed)
        assert isinstance(verdict(np.nextafter(bound, beyond)), Failed)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=20))
def test_what_the_model_was_trained_on_is_always_answered(values):
    for dtype in (np.float32, np.float64):
        column = np.asarray(values, dtype)
        feature = {"name": "a", "minimum": float(column.min()), "maximum": float(column.max())}
        assert isinstance(check({"a": column}, [feature]), Passed)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.int64, np.bool_])
def test_whole_numbers_and_truth_values_are_checked_too(dtype):
    assert isinstance(verdict(1, 0, 1, dtype), Passed)
    assert isinstance(verdict(1, 40.0, 50.0, dtype), Failed)
    assert isinstance(verdict(1, -50.0, -40.0, dtype), Failed)


def test_a_feature_without_a_range_is_checked_for_numbers_alone():
    for feature in (
        {"name": "a"},
        {"name": "a", "minimum": None, "maximum": 3.0},
        {"name": "a", "minimum": 3.0, "maximum": None},
    ):
        assert isinstance(check({"a": np.asarray([1e9])}, [feature]), Passed)
        assert isinstance(check({"a": np.asarray([np.nan])}, [feature]), Failed)


def test_one_bad_row_among_many_is_enough():
    column = np.full(10_000, 5.0)
    column[7777] = 16
    assert isinstance(check({"a": column}, FEATURES), Failed)


def test_the_reason_names_features_and_never_values():
    names = [f"feature{i}" for i in range(8)]
    columns = {n: np.asarray([4711.25]) for n in names}
    outcome = check(columns, [{"name": n, "minimum": 0.0, "maximum": 1.0} for n in names])
    assert "feature0, feature1, feature2, feature3, feature4 and 3 more" in outcome.reason
    assert "4711" not in outcome.reason + outcome.remedy
