"""Noise: of the size that epsilon says, on values that are bounded first, and never a value that epsilon does not pay for."""

from decimal import Decimal
from math import inf, nan

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.private.mechanisms import Unit, _Seen, answer
from trustplane.data.private.questions import Question, check, epsilon_of
from trustplane.values.errors import BadInput

SURE = Decimal(100)
"""With so much epsilon there is next to no noise."""
ROW = Unit()
SCHEMA = pa.schema([("age", pa.int64()), ("pay", pa.float64()), ("town", pa.string()), ("who", pa.string())])


def batches(**columns):
    table = pa.table(columns)
    return table.to_batches(max_chunksize=7)


def test_a_count_is_off_as_far_as_epsilon_says():
    """Over 2,000 counts the mean absolute noise of the discrete Laplace distribution of scale 2 is 1.92, with a deviation of the mean of 0.05."""
    rows = batches(age=list(range(50)))
    found = np.array([answer(Question("count", Decimal("0.5")), ROW, rows)["value"] for _ in range(2000)])
    assert 1.5 < np.abs(found - 50).mean() < 2.4
    assert abs(found.mean() - 50) < 0.6


def test_the_accuracy_holds_nineteen_times_of_twenty():
    rows = batches(age=list(range(50)))
    told = [answer(Question("count", Decimal("0.2")), ROW, rows) for _ in range(1000)]
    within = np.mean([abs(t["value"] - 50) <= t["accuracy"] for t in told])
    assert 0.9 < within <= 1


@pytest.mark.parametrize(
    ("asked", "truth", "off"),
    [
        (Question("count", SURE), 6, 1),
        (Question("count", SURE, "pay"), 4, 1),
        (Question("sum", SURE, "pay", 0, 10), 1 + 2.5 + 10 + 0, 0.6),
        (Question("mean", SURE, "pay", 0, 10), 13.5 / 4, 0.5),
        (Question("sum", SURE, "pay", -10, -5), -25, 0.6),
        (Question("quantile", SURE, "age", 0, 100, 0.5), 30, 11),
        (Question("quantile", SURE, "age", 0, 100, 1.0), 60, 45),
    ],
)
def test_with_much_epsilon_it_is_the_truth(asked, truth, off):
    rows = batches(age=[10, 20, 30, 40, 50, 60], pay=[1.0, 2.5, inf, -inf, nan, None])
    assert answer(asked, ROW, rows)["value"] == pytest.approx(truth, abs=off)


def test_bins_are_those_that_were_asked_and_all_else_is_other():
    rows = batches(town=["a", "b", "b", "", None, "\u202eb", "Z"], pay=[0.0, 0.5, 1.0, 2.0, 2.1, nan, None])
    told = answer(Question("histogram", SURE, "town", categories=("b", "a", "nowhere")), ROW, rows)
    assert [(b["bin"], b["value"]) for b in told["bins"]] == [("b", 2), ("a", 1), ("nowhere", 0), ("other", 3)]
    told = answer(Question("histogram", SURE, "pay", edges=(0, 1, 2)), ROW, rows)
    assert [(b["bin"], b["value"]) for b in told["bins"]] == [("0 to 1", 2), ("1 to 2", 2), ("other", 1)]


@pytest.mark.parametrize("kind", ["count", "sum", "mean", "quantile", "histogram"])
def test_of_nothing_there_is_an_answer_too(kind):
    asked = Question(kind, SURE, "pay", 0, 10, edges=(0.0, 5.0) if kind == "histogram" else ())
    told = answer(asked, ROW, [])
    assert told.get("value", 0) == pytest.approx(0, abs=10)


def test_nobody_counts_more_often_than_the_unit_says():
    rows = batches(pay=[5.0] * 30, who=["a"] * 20 + ["b"] * 8 + [None] * 2)
    told = answer(Question("count", SURE), Unit("who", 3), rows)
    assert told["value"] == pytest.approx(3 + 3 + 2, abs=1)
    assert told["scale"] == pytest.approx(3 / 100)
    assert answer(Question("sum", SURE, "pay", 0, 10), Unit("who", 3), rows)["value"] == pytest.approx(40, abs=3)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["a", "b", "c"])), st.integers(1, 3), st.sampled_from(["a", "b", "c"]))
def test_without_a_person_the_rows_of_all_others_count_as_before(names, most, gone):
    whole = [n for n, kept in zip(names, _Seen(most).keep(pa.array(names, pa.string())), strict=True) if kept]
    left = [n for n in names if n != gone]
    less = [n for n, kept in zip(left, _Seen(most).keep(pa.array(left, pa.string())), strict=True) if kept]
    assert [n for n in whole if n != gone] == less
    assert len(whole) - len(less) <= most


@settings(max_examples=60)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=12),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
)
def test_one_row_moves_a_sum_by_no_more_than_its_bounds(values, low, width):
    """With next to no noise: the sum with a row and without it differ by at most the larger bound."""
    high = low + width
    if max(abs(low), abs(high)) > 900 * (high - low):
        return
    asked = Question("sum", SURE, "pay", low, high)
    without = answer(asked, ROW, batches(pay=pa.array(values, pa.float64())))
    more = answer(asked, ROW, batches(pay=pa.array([*values, high], pa.float64())))
    slack = 40 * without["scale"]
    assert abs(more["value"] - without["value"]) <= max(abs(low), abs(high)) * 1.001 + slack


@pytest.mark.parametrize("epsilon", [0, -1, "0", "nan", "inf", "", "a", "1e-7", "0.0000001", 101, None, [], "1;DROP"])
def test_what_is_no_epsilon_is_refused(epsilon):
    with pytest.raises(BadInput) as told:
        epsilon_of(epsilon)
    assert told.value.code == "TP-DATA-110"


@pytest.mark.parametrize(("epsilon", "micro"), [("0.000001", 1), (1, 1_000_000), (0.1, 100_000), ("2.5e0", 2_500_000)])
def test_epsilons_add_up_exactly(epsilon, micro):
    assert Question("count", epsilon_of(epsilon)).micro == micro


@pytest.mark.parametrize(
    "asked",
    [
        Question("median", SURE, "age"),
        Question("sum", SURE),
        Question("sum", SURE, "age"),
        Question("sum", SURE, "age", 5, 5),
        Question("sum", SURE, "age", 5, 1),
        Question("sum", SURE, "age", 0, inf),
        Question("sum", SURE, "age", nan, 5),
        Question("sum", SURE, "age", 1e12, 1e12 + 1),
        Question("sum", SURE, "town", 0, 5),
        Question("mean", SURE, "age", -1e308, 1e308),
        Question("quantile", SURE, "age", 0, 5, 1.5),
        Question("quantile", SURE, "age", 0, 5, nan),
        Question("histogram", SURE, "town"),
        Question("histogram", SURE, "town", edges=(0, 1)),
        Question("histogram", SURE, "age", edges=(0, 1), categories=("a",)),
        Question("histogram", SURE, "age", edges=(0,)),
        Question("histogram", SURE, "age", edges=(0, 0)),
        Question("histogram", SURE, "age", edges=(0, nan)),
        Question("histogram", SURE, "town", categories=("a", "a")),
        Question("histogram", SURE, "town", categories=tuple(map(str, range(1001)))),
        Question("count", SURE, "agee"),
        Question("count", SURE, where="agee > 1"),
        Question("count", SURE, where="__import__('os')"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked):
    with pytest.raises(BadInput) as told:
        check(asked, SCHEMA)
    assert told.value.code in {"TP-DATA-110", "TP-DATA-032", "TP-DATA-033"}


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(BadInput) as told:
        check(Question("quantile", SURE, "town", 5, 1, 7), SCHEMA)
    assert all(word in str(told.value) for word in ("numbers", "bounds", "from 0 to 1"))
