"""Plots: well-formed, escaped, to scale, and every value in words."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.data.reports.plots import Bars, Range, bars, columns, curve, ranges, reach, share

SVG = "{http://www.w3.org/2000/svg}"
shares = st.floats(0, 1)


def drawn(text):
    """The tree of a plot, as a page would read it."""
    return ET.fromstring(text.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))


def boxes(tree, kind):
    return [r for r in tree.iter(f"{SVG}rect") if r.get("class") == kind and float(r.get("y")) > 3]


@given(rows=st.lists(st.tuples(st.text(st.characters(exclude_categories=("C",)), max_size=60), shares, shares, st.none() | shares), max_size=8))  # fmt: skip
def test_any_words_and_shares_make_a_plot(rows):
    tree = drawn(bars("a <title> & more", [Bars(w, (a, b), m) for w, a, b, m in rows], ("before", "after"), marked="x"))
    assert tree.get("aria-label") == "a <title> & more"
    assert len(boxes(tree, "before")) == sum(a > 0 for _, a, _, _ in rows)
    told = [t.text for t in tree.iter(f"{SVG}text") if t.get("class") == "value"]
    assert told == [share(v) for _, a, b, _ in rows for v in (a, b)]
    assert all(float(r.get("x")) + float(r.get("width")) <= 720 for r in tree.iter(f"{SVG}rect"))


def test_bars_are_as_long_as_their_values():
    one, two = boxes(drawn(bars("t", [Bars("a", (0.25,)), Bars("b", (0.5,))])), "after")
    assert float(two.get("width")) == pytest.approx(2 * float(one.get("width")), abs=0.11)
    [half] = boxes(drawn(bars("t", [Bars("a", (0.25,))], most=0.5)), "after")
    assert float(half.get("width")) == pytest.approx(float(two.get("width")), abs=0.11)


def test_columns_are_as_tall_as_their_values():
    tree = drawn(columns("t", {"1": (10, 0), "2 to 4": (5, 20)}, ("before", "after")))
    [first, second], [third] = boxes(tree, "before"), boxes(tree, "after")
    assert [float(b.get("height")) for b in (first, second, third)] == [75, 37.5, 150]
    assert boxes(drawn(columns("t", {}, ("before",))), "before") == []


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0 %"), (1, "100 %"), (0.00001, "< 0.1 %"), (0.125, "12.5 %"), (0.99999, "100.0 %")]
)
def test_shares_in_words(value, words):
    assert share(value) == words


@pytest.mark.parametrize(("values", "end"), [([], 0.1), ([0.02], 0.1), ([0.02, 0.3], 0.5), ([0.9], 1.0)])
def test_an_axis_reaches_beyond_its_values(values, end):
    assert reach(values) == end


@given(rows=st.lists(st.tuples(shares, shares, shares), min_size=1, max_size=8))
def test_a_dot_lies_where_its_value_is_and_its_interval_around_it(rows):
    given_rows = [Range("x", sorted(r)[1], (min(r), max(r))) for r in rows]
    tree = drawn(ranges("t", given_rows))
    dots = [float(c.get("cx")) for c in tree.iter(f"{SVG}circle")]
    lines = [(float(n.get("x1")), float(n.get("x2"))) for n in tree.iter(f"{SVG}line") if n.get("class") == "range"]
    assert len(dots) == len(lines) == len(rows)
    for dot, (first, last) in zip(dots, lines, strict=True):
        assert first - 0.11 <= dot <= last + 0.11
    zero, one = (float(c.get("cx")) for c in drawn(ranges("t", [Range("a", 0), Range("b", 1)])).iter(f"{SVG}circle"))
    for dot, row in zip(dots, given_rows, strict=True):
        assert dot == pytest.approx(zero + (one - zero) * row.value, abs=0.2)


def test_negative_values_have_an_axis_of_their_own():
    low, high = (float(c.get("cx")) for c in drawn(ranges("t", [Range("a", -1), Range("b", 1)], span=(-1, 1))).iter(f"{SVG}circle"))  # fmt: skip
    assert low < high


def test_a_curve_goes_through_its_points_in_order():
    tree = drawn(curve("t", [(1.0, 0.5), (0.0, 0.0), (2.0, 1.0), (3.0, float("nan"))], "x < y", 1.0))
    [path] = [p.get("d") for p in tree.iter(f"{SVG}path")]
    places = [tuple(map(float, part[1:].split())) for part in path.replace("L", "|L").replace("M", "|M").split("|")[1:]]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert len(places) == 3
    assert curve("t", [], "x") == ""
