"""The referee, rule by rule: a row that breaks it and one that just does not."""

import numpy as np
import pytest

from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.validator import holding, validate

THREAT = parse_threat(
    """
    budget = { norm = "l2", distance = 0.5, cost = 2, features = 2 }
    groups = { job = ["j=a", "j=b"] }
    derived = { total = "count + amount" }
    relations = [{ name = "order", holds = "count <= amount" }]
    [features]
    count = { type = "integer", low = 0, high = 10, direction = "up" }
    amount = { low = 0, high = 10, cost = 4 }
    total = { mutable = false, low = 0, high = 20, scale = 1e6 }
    "j=a" = { scale = 100 }
    "j=b" = { scale = 100 }
    down = { low = 0, high = 10, direction = "down" }
    fixed = { mutable = false, scale = 1e6 }
    """
)
NAMES = (*THREAT.names, "unknown")
ORIGIN = np.array([2, 4, 6, 1, 0, 5, 7, 8], float)


def changed(**by) -> np.ndarray:
    row = ORIGIN.copy()
    for name, value in by.items():
        row[NAMES.index({"a": "j=a", "b": "j=b"}.get(name, name))] = value
    return row


def rules(row) -> set[str]:
    return set(validate(THREAT, NAMES, ORIGIN[None], row[None]).counts())


@pytest.mark.parametrize(
    ("by", "broken"),
    [
        ({}, set()),
        ({"down": 1}, set()),
        ({"fixed": 6}, {"immutable fixed"}),
        ({"unknown": 9}, {"immutable unknown"}),
        ({"down": 6}, {"direction of down"}),
        ({"count": 3.5, "total": 7.5}, {"whole number count", "number of features"} - {"number of features"}),
        ({"count": 1, "total": 5}, {"direction of count"}),
        ({"down": -0.5}, {"bounds of down", "distance"}),
        ({"total": 7}, {"derived total"}),
        ({"count": 5, "total": 9}, {"relation order"}),
        ({"a": 0}, {"group job"}),
        ({"a": 0, "b": 1}, set()),
        ({"b": 1}, {"group job"}),
        ({"amount": 9.1, "total": 11.1}, {"distance", "cost"}),
        ({"amount": 8.9, "total": 10.9}, set()),
        ({"amount": 5, "total": 7, "down": 4}, {"number of features"}),
        ({"down": np.nan}, {"finite", "bounds of down", "direction of down", "distance", "cost"}),
    ],
)
def test_each_rule(by, broken) -> None:
    assert rules(changed(**by)) == broken


def test_what_a_row_held_before_may_stay() -> None:
    origin = changed(count=12, amount=13, total=25)
    assert validate(THREAT, NAMES, origin[None], origin[None]).valid.all()


def test_rows_as_they_came_are_judged_by_what_must_be_true_of_them() -> None:
    rows = np.stack([ORIGIN, changed(count=5, total=9), changed(total=9)])
    found = holding(THREAT, NAMES, rows)
    assert found.valid.tolist() == [True, False, False]
    assert found.counts() == {"relation order": 1, "derived total": 1}
