"""Each look finds what was put in, names its rows, and is silent about what nobody touched."""

import numpy as np
import pyarrow as pa
import pytest

from trustplane.data.poisoning import repeats
from trustplane.data.poisoning.labels import Labels, confident_doubts
from trustplane.data.poisoning.look import Known, Look
from trustplane.data.poisoning.shift import shifts
from trustplane.data.poisoning.signs import surprising
from trustplane.data.sampling import Sampler
from trustplane.data.statistics import StatisticsCollector

ROWS = 4000


def table(rows=ROWS, seed=1):
    dice = np.random.default_rng(seed)
    income, age = dice.gamma(2, 1000, rows).round(2), dice.integers(18, 90, rows)
    label = (income > 2000) ^ (age > 60)
    return pa.table(
        {
            "id": [f"C{n}" for n in range(rows)],
            "income": income,
            "age": age,
            "town": dice.choice(["Ulm", "Bonn", "Kiel", "Jena"], rows),
            "label": np.where(label, "yes", "no"),
        }
    )


def put(made, column, values):
    return made.set_column(made.schema.get_field_index(column), column, pa.array(values))


def look(made, *, start=0, label="", last=None, report=None, chunk=999):
    sampler, collector = Sampler(made.schema, seed=0), StatisticsCollector(made.schema, seed=0)
    for batch in made.to_batches(max_chunksize=chunk):
        sampler.add(batch)
        collector.add(batch)
    classes = {c: "identifier" if c == "id" else "open" for c in made.schema.names}
    known = Known(
        made.schema, classes, collector.result(classes), sampler.samples(), len(made), start, label, last, report
    )
    looking = Look(known)
    passed = pa.Table.from_batches(list(looking.over(made.to_batches(max_chunksize=chunk))))
    assert passed.select(["id"] if "id" in made.schema.names else [0]).equals(
        made.select(["id"] if "id" in made.schema.names else [0])
    )
    return looking.report(statistics(made))


def statistics(made):
    from trustplane.data.statistics import plain_statistics

    collector = StatisticsCollector(made.schema, seed=0)
    for batch in made.to_batches():
        collector.add(batch)
    return plain_statistics(collector.result(dict.fromkeys(made.schema.names, "open")))


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_found_in_what_nobody_touched(seed):
    report = look(
        table(seed=seed),
        label="label",
        last=statistics(table(seed=100 + seed)),
        report=look(table(seed=50), label="label"),
    )
    assert report["signs"] == []
    assert set(report["figures"]) == {"repeats", "blocks", "shift", "labels"}
    assert report["figures"]["labels"]["share"] < 0.1


def test_copies_of_a_row_are_found_whatever_their_ids():
    made = table()
    copies = made.slice(10, 1).take(pa.array([0] * 120))
    copies = put(copies, "id", [f"X{n}" for n in range(120)])
    [sign] = look(pa.concat_tables([made.slice(0, 2000), copies, made.slice(2000)]))["signs"]
    assert (sign["look"], sign["rows"]) == ("repeats", [11])
    assert sign["figures"]["copies"] == 121


def test_rows_that_cannot_but_repeat_are_no_sign():
    dice = np.random.default_rng(1)
    made = pa.table({"a": dice.integers(0, 3, ROWS), "b": dice.choice(["x", "y"], ROWS)})
    report = look(made)
    assert report["signs"] == []
    assert report["figures"]["repeats"]["copies"] > 100


def test_copies_are_counted_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(repeats, "MOST", 500)
    made = table()
    copies = made.slice(10, 1).take(pa.array([0] * 400))
    found = repeats.Repeats(["income", "age", "town"])
    for batch in pa.concat_tables([made, copies]).to_batches(max_chunksize=100):
        found.add(batch)
    assert found._kept <= 500
    figures, signs = found.result(1e9)
    if figures["copies"] > 1:
        assert figures["copies"] == 401
        assert signs


@pytest.mark.parametrize("at", [0, 1234, ROWS - 60])
def test_a_block_of_numbers_out_of_domain_is_found_and_its_rows_named(at):
    made = table()
    incomes = made["income"].to_numpy().copy()
    incomes[at : at + 60] = 1e7
    [sign] = look(put(made, "income", incomes))["signs"]
    assert (sign["look"], sign["column"]) == ("blocks", "income")
    assert sign["first"] <= at + 1 <= at + 60 <= sign["last"]
    assert "10000000" not in str(sign)


def test_a_block_in_a_column_of_two_numbers_is_found():
    values = [2, 3] * 2000
    values[1500:1600] = [999_999] * 100
    [sign] = look(pa.table({"few": values}))["signs"]
    assert (sign["first"], sign["last"]) == (1501, 1600)


def test_a_block_of_kinds_that_stand_nowhere_else_is_found():
    made = table()
    towns = made["town"].to_pylist()
    towns[700:760] = [f"Nowhere {n}" for n in range(60)]
    [sign] = look(put(made, "town", towns))["signs"]
    assert (sign["look"], sign["column"]) == ("blocks", "town")
    assert "Nowhere" not in str(sign)


@pytest.mark.parametrize("column", ["income", "town"])
def test_a_table_in_the_order_of_a_column_is_no_sign(column):
    assert look(table().sort_by(column))["signs"] == []


def test_rare_values_that_lie_anywhere_are_no_sign():
    made = table()
    incomes = made["income"].to_numpy().copy()
    incomes[np.random.default_rng(0).choice(ROWS, 60, replace=False)] = 1e7
    assert look(put(made, "income", incomes))["signs"] == []


def test_a_shift_against_the_last_version_is_found():
    now = put(table(seed=2), "income", table(seed=2)["income"].to_numpy() * 3)
    signs = look(now, last=statistics(table()))["signs"]
    assert [(s["look"], s["column"]) for s in signs] == [("shift", "income")]
    assert signs[0]["figures"]["ks"] > 0.3


def test_values_that_go_missing_are_a_shift():
    ages = [None if n % 4 == 0 else a for n, a in enumerate(table(seed=2)["age"].to_pylist())]
    signs = look(put(table(seed=2), "age", ages), last=statistics(table()))["signs"]
    assert [(s["look"], s["column"], s["said"]) for s in signs] == [
        ("shift", "age", "25.0 points more of the values are missing than in the last version")
    ]


def test_values_that_are_there_again_are_a_shift_and_in_a_small_version_chance():
    gone = put(table(), "age", [None if n % 4 == 0 else a for n, a in enumerate(table()["age"].to_pylist())])
    [sign] = look(table(seed=2), last=statistics(gone))["signs"]
    assert sign["said"].startswith("25.0 points fewer")
    assert look(table(9, seed=2), last=statistics(gone))["signs"] == []
    assert look(put(table(3), "age", [1, None, 2]), last=statistics(table()))["signs"] == []


def test_a_small_version_shifts_by_chance():
    figures, signs = shifts(statistics(table()), statistics(table(12, seed=9)))
    assert figures["furthest"] > 0.1
    assert signs == []


def test_only_appended_rows_are_compared():
    old, new = table(), put(table(400, seed=2), "income", table(400, seed=2)["income"].to_numpy() * 3)
    report = look(pa.concat_tables([old, new]), start=ROWS, last=statistics(old))
    assert report["new_from"] == ROWS + 1
    assert {s["look"] for s in report["signs"]} == {"shift"}


def flipped(made, places):
    labels = np.array(made["label"].to_pylist())
    labels[places] = np.where(labels[places] == "yes", "no", "yes")
    return put(made, "label", labels.tolist())


def test_flipped_labels_are_found_by_their_neighbours():
    made = table(8000)
    places = np.random.default_rng(3).choice(8000, 400, replace=False)
    report = look(flipped(made, places), label="label", report=look(made, label="label"))
    [sign] = report["signs"]
    assert (sign["look"], sign["column"]) == ("labels", "label")
    assert np.isin(np.array(sign["rows"]) - 1, places).mean() > 0.8


def test_flips_that_lie_together_are_found_without_a_last_version():
    made = table(8000)
    [sign] = look(flipped(made, np.arange(3200, 3360)), label="label")["signs"]
    assert sign["look"] == "labels"
    assert sign["first"] <= 3201 <= 3360 <= sign["last"]
    assert all(3200 < row <= 3360 or sign["first"] <= row <= sign["last"] for row in sign["rows"])


def test_flips_among_appended_rows_have_the_numbers_of_the_whole_version():
    old, new = table(2000), flipped(table(6000, seed=2), np.arange(1200, 1320))
    [sign] = look(pa.concat_tables([old, new]), start=2000, label="label")["signs"]
    assert 3000 < sign["first"] <= 3201 < sign["last"] < 3600


@pytest.mark.parametrize("label", ["id", "income"])
def test_a_label_that_is_no_class_is_not_judged(label):
    assert look(table(), label=label)["figures"]["labels"] == {"rows": 0}


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_small_tables_are_looked_at(rows):
    assert look(table(rows), label="label")["signs"] == []


def test_columns_of_every_kind_are_looked_at():
    made = pa.table(
        {
            "id": ["a", "b", None] * 200,
            "null": pa.nulls(600),
            "flag": [True, None, False] * 200,
            "day": pa.array([1, None, 3] * 200, pa.date32()),
            "bytes": pa.array([b"x", b"", None] * 200),
            "nan": [float("nan"), float("inf"), 1.0] * 200,
            "label": ["yes", None, "no"] * 200,
        }
    )
    assert look(made, label="label")["found"] >= 0


def test_a_class_is_doubted_where_another_is_more_confident():
    near = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.8, 0.2]])
    assert confident_doubts(near, np.array([0, 1, 0, 1])).tolist() == [False, False, True, True]


def test_what_is_surprising():
    assert surprising(30, 30, 0.01, 1000)
    assert not surprising(2, 30, 0.01, 1000)
    assert not surprising(0, 30, 0.5, 1)
    assert not surprising(5, 0, 0.5, 1)
    assert not surprising(10, 30, 0.5, 1)


def test_missing_labels_are_left_out():
    made = table()
    labels = [None if n % 3 else label for n, label in enumerate(made["label"].to_pylist())]
    kept = Labels("label", ["income", "age"], ROWS, 0)
    for batch in put(made, "label", labels).to_batches():
        kept.add(batch)
    figures, _ = kept.result(None)
    assert figures["rows"] == sum(label is not None for label in labels)
