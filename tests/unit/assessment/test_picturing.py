"""Results of checks as plots."""

from xml.etree import ElementTree as ET

from trustplane.assessment.picturing import plots, trend


def result(figures, intervals=None, details=None):
    return {"figures": figures, "intervals": intervals or {}} | ({"details": details} if details else {})


def test_figures_with_intervals_are_drawn_and_large_ones_are_left_to_the_table():
    [plot] = plots(
        result({"auc": 0.8, "rows": 9000.0, "gap": -0.1}, {"auc": [0.7, 0.9], "rows": [1, 2], "gap": [-0.2, 0]})
    )
    tree = ET.fromstring(plot)
    assert len([c for c in tree.iter() if c.tag.endswith("circle")]) == 2
    assert plots(result({"rows": 9000.0})) == []


def test_costs_and_budgets_are_curves():
    costs = {f"cost[{t / 10:g}]": t / 10 for t in range(1, 10)} | {"best_threshold": 0.2}
    made = plots(
        result(
            costs,
            {name: [0, 1] for name in costs},
            {"curve": [[0.1, 0.2], [0.5, 0.9]], "weaknesses": [["a<b", 0.4, 1.5]]},
        )
    )
    assert [ET.fromstring(p).get("aria-label").split()[0] for p in made] == ["Figures", "Cost", "Rows", "Features"]


def test_a_trend_has_a_line_for_each_version():
    text = trend("Area under the curve", [(1, 0.7, [0.6, 0.8]), (3, 0.8, None)])
    assert "version 1" in text
    assert "version 3" in text
    ET.fromstring(text)
