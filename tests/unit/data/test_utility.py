"""Utility: 0 for a column as it was, more the less it says; and a model that learns as much from the same table."""

import numpy as np
import pyarrow as pa
import pytest

from trustplane.data.utility import distances, scores
from trustplane.values.errors import BadInput

DICE = np.random.default_rng(1)
ROWS = 1200
AGES = DICE.integers(18, 90, ROWS)
TABLE = pa.table(
    {
        "age": AGES,
        "town": DICE.choice(["Ulm", "Bonn", "Kiel"], ROWS, p=[0.5, 0.3, 0.2]),
        "income": np.where(AGES + DICE.normal(0, 8, ROWS) > 50, "high", "low"),
    }
)
EVERY = np.arange(ROWS)


def far(column, values, kept=EVERY):
    return distances(TABLE.select([column]), pa.table({column: pa.array(values)}), kept)[column]


def test_a_column_as_it_was_is_at_no_distance():
    assert distances(TABLE, TABLE, EVERY) == {"age": 0.0, "town": 0.0, "income": 0.0}
    some = np.flatnonzero(AGES < 40)
    assert distances(TABLE, TABLE.take(pa.array(some)), some)["town"] == 0.0


def test_other_names_for_the_same_values_say_as_much():
    assert far("town", [{"Ulm": "a", "Bonn": "b", "Kiel": "c"}[t] for t in TABLE["town"].to_pylist()]) == 0.0


def test_wider_ranges_are_farther():
    by_five, by_twenty = ([f"{a // w * w} to {a // w * w + w - 1}" for a in AGES] for w in (5, 20))
    gone = ["any"] * ROWS
    assert 0 < far("age", by_five) < far("age", by_twenty) < far("age", gone)
    assert far("age", gone) == pytest.approx(0.25, abs=0.01)


def test_a_redacted_kind_is_wrong_wherever_it_was_not_the_common_one():
    assert far("town", ["*"] * ROWS) == pytest.approx(1 - TABLE["town"].to_pylist().count("Ulm") / ROWS, abs=1e-6)


def test_noise_moves_a_number_by_its_ranks():
    little, much = (far("age", AGES + np.random.default_rng(2).normal(0, s, ROWS)) for s in (1, 30))
    assert 0 < little < 0.02 < much < 0.5


def test_nulls_and_empty_tables_have_distances():
    assert far("age", [None] * ROWS) > 0.2
    empty = TABLE.slice(0, 0)
    assert distances(TABLE, empty, np.arange(0)) == {"age": 0.0, "town": 0.0, "income": 0.0}


def test_a_model_learns_as_much_from_the_same_table_and_nothing_from_stars():
    pytest.importorskip("sklearn", reason="the extra ml")
    same = scores(TABLE, TABLE, EVERY, "income")
    assert same["before"] == same["after"] > 0.9
    ranges = TABLE.set_column(0, "age", pa.array([f"{a // 20}" for a in AGES]))
    stars = TABLE.set_column(0, "age", pa.array(["*"] * ROWS))
    learned = [scores(TABLE, t, EVERY, "income") for t in (ranges, stars)]
    assert learned[0]["before"] == learned[1]["before"] == same["before"]
    assert same["after"] > learned[0]["after"] > 0.8 > 0.6 > learned[1]["after"]


def test_many_classes_are_learned_one_against_the_rest():
    pytest.importorskip("sklearn", reason="the extra ml")
    table = TABLE.append_column("band", pa.array((AGES // 30).tolist()))
    assert scores(table, table, EVERY, "band")["before"] > 0.99


@pytest.mark.parametrize(
    ("table", "label"), [(TABLE, "age"), (TABLE.select(["income"]), "income"), (TABLE.slice(0, 2), "income")]
)
def test_what_no_model_can_learn_is_refused(table, label):
    with pytest.raises(BadInput) as told:
        scores(table, table, np.arange(len(table)), label)
    assert told.value.code == "TP-DATA-064"
