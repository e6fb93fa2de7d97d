"""The language of relations: what it takes, what it refuses, and that both ways of computing it agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.threats.compiled import excess_of, linear_of, value_of
from trustplane.training.threats.expressions import (
    Apply,
    Expression,
    Name,
    Number,
    Ungrammatical,
    names_in,
    parse_number,
    parse_truth,
)
from trustplane.training.threats.validator import _number, _truth

PLACE = {"a": 0, "b": 1, "c d": 2}


@pytest.mark.parametrize(
    ("text", "row", "held"),
    [
        ("a <= b", (1, 2, 0), True),
        ("a <= b", (2, 1, 0), False),
        ("a < b < 'c d'", (1, 2, 3), True),
        ("a < b < 'c d'", (1, 2, 2), False),
        ("a > 0 implies b > 0", (0, 0, 0), True),
        ("a > 0 implies b > 0", (1, 0, 0), False),
        ("implies(a > 0, b > 0)", (1, 0, 0), False),
        ("a > 0 implies b > 0 implies 'c d' > 0", (1, 0, 0), True),
        ("a > 0 implies b > 0 implies 'c d' > 0", (1, 1, 0), False),
        ("a > 0 or b > 0 implies 'c d' == 1", (0, 1, 0), False),
        ("not (a == 1 and b == 1)", (1, 1, 0), False),
        ('a == max(b, "c d")', (3, 1, 3), True),
        ("abs(a - b) <= 0.5 * 'c d'", (1, 3, 2), False),
        ("floor(a / 2) + ceil(b) ** 2 == -'c d'", (5, 1.5, -6), True),
        ("a / b >= 1", (1, 0, 0), True),
        ("a / b >= 1", (0, 0, 0), False),
        ("a != b", (1, 1, 0), False),
    ],
)
def test_what_holds(text, row, held) -> None:
    expression, rows = parse_truth(text), np.array([row], float)
    columns = {n: rows[:, i] for n, i in PLACE.items()}
    assert bool(_truth(expression, columns, 1e-6)[0]) is held
    missed = np.broadcast_to(excess_of(expression, PLACE, 1e-6)(rows), (1,))
    assert bool(missed[0] <= 0) is held


@pytest.mark.parametrize(
    "text",
    [
        "a", "a +", "a <= b; c", "__import__('os')", "a.b <= 1", "a[0] <= 1", "[a] == 1", "lambda: 1", "a if b else 1", "a @ b == 1",
        "a // b == 1", "True", "a == True", "min(a) == 1", "abs(a, b) == 1", "min(a, b, key=a) == 1", "a is b", "a in b", "(a < b) + 1 == 2",
        "not a", "a and b", "1e999 > a", "f'{a}' == 1", "x := 1", "a > 0 implies b", "implies a > 0", "abs(" * 60 + "a" + ")" * 60 + " > 0",
        "a <= " + "1 + " * 2000 + "b", "b'a' == 1", "1j > a", "... > 1",
    ],
)  # fmt: skip
def test_what_is_no_relation_is_refused(text) -> None:
    with pytest.raises(Ungrammatical):
        parse_truth(text)


def test_a_derived_feature_is_a_number() -> None:
    assert parse_number("a + 2") == Apply("+", (Name("a"), Number(2.0)))
    with pytest.raises(Ungrammatical):
        parse_number("a > 2")


def test_linear_comparisons_are_known() -> None:
    line = linear_of(parse_truth("2 * (a - b) / 4 + 1 >= b + 'c d'"))
    assert line is not None
    assert (dict(line.weights), line.constant, line.op) == ({"a": -0.5, "b": 1.5, "c d": 1.0}, -1.0, "<=")
    for text in ("a * b <= 1", "a / b <= 1", "abs(a) <= 1", "a <= 1 or b <= 1", "a != b"):
        assert linear_of(parse_truth(text)) is None


numbers = st.floats(-50, 50).map(lambda v: Number(round(v, 2)))
leaves = numbers | st.sampled_from([Name(n) for n in PLACE])


def applied(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    two = st.tuples(st.sampled_from(["+", "-", "*", "min", "max"]), st.tuples(inner, inner))
    one = st.tuples(st.sampled_from(["negative", "abs", "floor", "ceil"]), st.tuples(inner))
    return (two | one).map(lambda pair: Apply(*pair))


amounts = st.recursive(leaves, applied, max_leaves=8)
comparisons = st.tuples(st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]), st.tuples(amounts, amounts)).map(
    lambda pair: Apply(*pair)
)
truths = st.recursive(
    comparisons,
    lambda inner: (
        st.tuples(st.sampled_from(["and", "or", "implies"]), st.tuples(inner, inner))
        | st.tuples(st.just("not"), st.tuples(inner))
    ).map(lambda pair: Apply(*pair)),
    max_leaves=5,
)
tables = st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=5).map(lambda t: np.array(t, float))


@given(truths, tables)
def test_the_code_that_repairs_and_the_code_that_judges_agree(expression, rows) -> None:
    columns = {n: rows[:, i] for n, i in PLACE.items()}
    judged = _truth(expression, columns, 1e-6)
    missed = np.broadcast_to(excess_of(expression, PLACE, 1e-6)(rows), (len(rows),))
    assert ((missed <= 0) == judged).all()


@given(amounts, tables)
def test_both_compute_the_same_numbers(expression, rows) -> None:
    columns = {n: rows[:, i] for n, i in PLACE.items()}
    ours = np.broadcast_to(value_of(expression, PLACE)(rows), (len(rows),))
    assert np.array_equal(ours, _number(expression, columns))
    assert set(names_in(expression)) <= set(PLACE)
