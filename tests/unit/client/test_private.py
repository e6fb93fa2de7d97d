"""Private statistics by the SDK."""

import pytest

from trustplane.values.errors import BadInput, Denied, Refused

PURPOSE = "dpv:CustomerSolvencyMonitoring"


def test_each_kind_of_statistic(steward, scientist, clients, people_view):
    made = steward.statistics.set_budget("clients", PURPOSE, 20)
    assert (made.epsilon, made.left, made.unit) == ("20", "20", None)
    statistics = scientist.statistics
    rows = clients if isinstance(clients, int) else scientist.views.arrow("people").num_rows
    counted = statistics.count("people", epsilon=8)
    assert abs(counted.answer["value"] - rows) <= 5
    assert (counted.epsilon, counted.budget["left"]) == ("8", "12")
    assert 18 <= statistics.mean("people", "age", epsilon=2, lower=18, upper=100).answer["value"] <= 100
    assert statistics.sum("people", "age", epsilon=2, lower=0, upper=100).answer["accuracy"] > 0
    assert 18 <= statistics.quantile("people", "age", 0.5, epsilon=2, lower=18, upper=100).answer["value"] <= 100
    told = statistics.histogram("people", "age", epsilon=2, edges=[18, 40, 100], where="age > 20")
    assert [b["bin"] for b in told.answer["bins"]] == ["18 to 40", "40 to 100", "other"]
    [budget] = steward.statistics.budgets("clients")
    assert (budget.spent, [r["kind"] for r in budget.releases]) == (
        "16", ["histogram", "quantile", "sum", "mean", "count"],
    )  # fmt: skip


def test_what_is_refused(steward, scientist, clients, people_view):
    with pytest.raises(Refused) as caught:
        scientist.statistics.count("people", epsilon=1)
    assert caught.value.code == "TP-DATA-111"
    with pytest.raises(Denied):
        scientist.statistics.set_budget("clients", PURPOSE, 1)
    steward.statistics.set_budget("clients", PURPOSE, "0.5")
    with pytest.raises(Refused) as caught:
        scientist.statistics.count("people", epsilon=1)
    assert caught.value.code == "TP-DATA-112"
    with pytest.raises(Refused) as caught:
        steward.statistics.set_budget("clients", PURPOSE, "0.5")
    assert caught.value.code == "TP-DATA-113"
    with pytest.raises(BadInput):
        scientist.statistics.mean("people", "age", epsilon="0.1", lower=9, upper=1)


def test_tokens_are_turned_back(steward, scientist, clients):
    steward.views.create("raw", "clients", ["customer_id", "email"], purpose=PURPOSE, days=1)
    recipe = '[[steps]]\ncolumn = "customer_id"\ndo = "token"\n[[steps]]\ncolumn = "email"\ndo = "drop"\n'
    made = steward.views.protect("raw", recipe, "tokens")
    assert made.figures["steps"][1] == {"column": "email", "do": ["drop"]}
    steward.views.create("sealed", "tokens", ["customer_id"], purpose=PURPOSE, days=1)
    token = scientist.views.arrow("sealed")["customer_id"][7].as_py()
    [value] = steward.datasets.reveal("tokens", "customer_id", [token], reason="a claim")
    assert value == "C00007"
    with pytest.raises(Denied):
        scientist.datasets.reveal("tokens", "customer_id", [token], reason="curious")
