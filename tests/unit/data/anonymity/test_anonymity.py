"""Anonymity: what is claimed is counted again naively, the optimum is that of trying everything, and a linkage attack fails."""

from collections import Counter, defaultdict
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from trustplane.data.anonymity.anonymise import anonymise, recount
from trustplane.data.anonymity.hierarchies import encode
from trustplane.data.anonymity.lattice import classes_at, search
from trustplane.data.anonymity.models import Model
from trustplane.data.anonymity.recipes import read_recipe
from trustplane.data.anonymity.risks import risk_of
from trustplane.examples.credit.table import write_credit_table
from trustplane.values.errors import BadInput, Tampered

AGES = {"widths": [5, 10]}


def naive(rows, quasi, sensitive=None):
    """k, l and t by the definitions, row by row."""
    classes = defaultdict(list)
    for row in rows:
        classes[tuple(row[q] for q in quasi)].append(row.get(sensitive))
    k = min(len(held) for held in classes.values())
    if sensitive is None:
        return {"k": k}
    whole = Counter(row[sensitive] for row in rows)
    far = max(
        sum(abs(Counter(held)[v] / len(held) - n / len(rows)) for v, n in whole.items()) / 2
        for held in classes.values()
    )
    return {"k": k, "l": min(len(set(held)) for held in classes.values()), "t": pytest.approx(far, abs=1e-6)}


def recipe(k, *, method="mondrian", quasi=("age", "sex", "town"), sensitive=None, more=""):
    names = ", ".join(f'"{q}"' for q in quasi)
    said = f'quasi_identifiers = [{names}]\nk = {k}\nmethod = "{method}"\n'
    if sensitive:
        said += f'sensitive = "{sensitive}"\n'
    return read_recipe(said + more)


def people(rows, seed=0):
    chance = np.random.default_rng(seed)
    return pa.table(
        {
            "age": pa.array(chance.integers(18, 90, rows)),
            "sex": pa.array(chance.choice(["f", "m"], rows)),
            "town": pa.array([None if n % 17 == 0 else f"T{n % 7}\u202e" for n in chance.integers(0, 1000, rows)]),
            "illness": pa.array(chance.choice(["flu", "cold", "none", "other"], rows)),
        }
    )


@pytest.mark.parametrize("method", ["mondrian", "full-domain"])
@pytest.mark.parametrize(("k", "more"), [(2, ""), (5, "l = 2\n"), (10, "l = 3\nt = 0.4\n"), (40, "t = 0.25\n")])
def test_what_it_claims_is_what_is_there(method, k, more):
    said = recipe(k, method=method, sensitive="illness", more=more + "suppression = 0.3\n")
    made = anonymise(people(800), said)
    counted = naive(made.table.to_pylist(), said.quasi_identifiers, "illness")
    assert made.figures["reached"] == counted
    assert made.figures["reached"]["k"] >= k
    assert made.figures["reached"]["l"] >= said.model.l
    assert made.figures["reached"]["t"] <= said.model.t + 1e-9
    assert made.table.num_rows + made.figures["suppressed"] == 800
    assert made.figures["suppressed"] <= 240
    assert made.figures["after"]["prosecutor_highest"] <= 1 / k
    assert made.table.column_names == ["age", "sex", "town", "illness"]


@settings(max_examples=40)
@given(st.integers(4, 40), st.integers(1, 6), st.sampled_from([0.0, 0.1, 0.5]), st.integers(0, 10_000), st.booleans())
def test_the_search_finds_what_trying_everything_finds(rows, k, limit, seed, diverse):
    table = people(rows, seed)
    columns = [encode("age", table["age"], AGES), encode("sex", table["sex"]), encode("town", table["town"])]
    sensitive = encode("illness", table["illness"]).codes if diverse else None
    model = Model(k, 2 if diverse else 1)
    costs = {}
    for node in product(*(range(c.height) for c in columns)):
        classes = classes_at(columns, node, model, sensitive)
        if (classes < 0).sum() <= int(limit * rows + 1e-9):
            kept = classes >= 0
            lost = (~kept).sum() * 3
            costs[node] = (lost + sum(c.losses[n][c.codes[kept]].sum() for c, n in zip(columns, node, strict=True))) / (
                rows * 3
            )
    if not costs:
        with pytest.raises(BadInput):
            search(columns, model, limit=limit, sensitive=sensitive)
        return
    found = search(columns, model, limit=limit, sensitive=sensitive)
    assert found.loss == pytest.approx(min(costs.values()), abs=1e-9)
    assert costs[found.node] == pytest.approx(found.loss, abs=1e-9)
    assert found.suppressed == (found.classes < 0).sum()


def link(table, victims, quasi):
    """Who knows a person's quasi-identifiers looks for the rows that fit: the chance of each victim to be told."""

    def fits(shown, value):
        if shown in ("*", None) or shown == str(value):
            return True
        low, _, high = str(shown).partition(" to ")
        return bool(high) and value is not None and float(low) <= float(value) <= float(high)

    rows = table.to_pylist()
    return [1 / max(sum(all(fits(r[q], v[q]) for q in quasi) for r in rows), 1) for v in victims]


def test_a_linkage_attack_tells_people_before_and_no_better_than_one_in_k_after():
    chance = np.random.default_rng(3)
    quasi = ("age", "income", "hours")
    table = pa.table({q: chance.integers(0, 60, 300) for q in quasi})
    victims = table.to_pylist()[:60]
    before = link(table, victims, quasi)
    after = link(anonymise(table, recipe(10, quasi=quasi)).table, victims, quasi)
    assert np.mean([p == 1 for p in before]) > 0.9
    assert max(after) <= 1 / 10


def test_real_clients_of_a_bank(tmp_path):
    write_credit_table(tmp_path / "clients.csv", rows=5000)
    table = csv.read_csv(tmp_path / "clients.csv").select(["AGE", "SEX", "EDUCATION", "MARRIAGE"])
    said = recipe(5, quasi=("AGE", "SEX", "EDUCATION", "MARRIAGE"))
    made = anonymise(table, said)
    assert naive(made.table.to_pylist(), said.quasi_identifiers) == made.figures["reached"]
    assert made.figures["before"]["unique"] > 0
    assert made.figures["after"]["unique"] == 0
    assert 0 < made.figures["loss"] < 0.5


def test_a_recount_that_does_not_agree_is_told():
    with pytest.raises(Tampered) as told:
        recount(pa.table({"age": ["1", "2"], "sex": ["f", "f"], "town": ["a", "a"]}), recipe(2))
    assert told.value.code == "TP-DATA-063"


@pytest.mark.parametrize("method", ["mondrian", "full-domain"])
@pytest.mark.parametrize(
    ("table", "k", "more"),
    [
        (people(3), 4, ""),
        (people(0), 1, ""),
        (people(50), 2, 'sensitive = "illness"\nl = 5\n'),
    ],
)
def test_what_cannot_be_reached_is_told(method, table, k, more):
    with pytest.raises(BadInput) as told:
        anonymise(table, recipe(k, method=method, more=more))
    assert told.value.code == "TP-DATA-062"
    assert "rows" in told.value.why


@pytest.mark.parametrize("method", ["mondrian", "full-domain"])
def test_the_smallest_tables(method):
    same = pa.table({"age": [30] * 4, "sex": ["f"] * 4, "town": [None] * 4})
    made = anonymise(same, recipe(4, method=method))
    assert made.table.to_pylist() == [{"age": "30", "sex": "f", "town": None}] * 4
    assert anonymise(people(1), recipe(1, method=method)).table.num_rows == 1
    assert made.figures["loss"] == 0


def test_hierarchies():
    column = encode("age", pa.array([18, 22, 31, None]), AGES)
    assert [column.labels[1][c] for c in column.levels[1][column.codes]] == ["[15, 20)", "[20, 25)", "[30, 35)", None]
    assert column.labels[-1] == ("*",)
    prefix = encode("zip", pa.array(["10115", "10117", "80331"]), {"lengths": [3, 1]})
    assert [prefix.labels[1][c] for c in prefix.levels[1][prefix.codes]] == ["101*", "101*", "803*"]
    groups = encode("x", pa.array(["a", "b", "c"]), {"groups": [{"ab": ["a", "b"], "c": ["c"]}, {"all": ["ab", "c"]}]})
    assert [groups.labels[1][c] for c in groups.levels[1][groups.codes]] == ["ab", "ab", "c"]
    assert groups.losses[0].tolist() == [0, 0, 0]
    assert groups.losses[-1].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("values", "spec"),
    [
        (["a"], {"widths": [5]}),
        ([1], {"widths": []}),
        ([1], {"widths": [5, 7]}),
        ([1], {"widths": [0]}),
        (["a"], {"lengths": [2, 3]}),
        (["a"], {"lengths": ["x"]}),
        (["a"], {"groups": [{"g": ["b"]}]}),
        (["a"], {"groups": "x"}),
        (["a"], {"width": [5]}),
        (["a"], {"lengths": [2], "groups": []}),
    ],
)
def test_what_is_no_hierarchy_is_refused(values, spec):
    with pytest.raises(BadInput) as told:
        encode("x", pa.array(values), spec)
    assert told.value.code == "TP-DATA-060"


@pytest.mark.parametrize(
    "text",
    [
        "k = ",
        "k = 5",
        "quasi_identifiers = []\nk = 5",
        'quasi_identifiers = "age"\nk = 5',
        'quasi_identifiers = ["age"]',
        'quasi_identifiers = ["age"]\nk = 0',
        'quasi_identifiers = ["age"]\nk = true',
        'quasi_identifiers = ["age"]\nk = 5\nl = 2',
        'quasi_identifiers = ["age"]\nk = 5\nsensitive = "age"',
        'quasi_identifiers = ["age"]\nk = 5\nkeep = ["age"]',
        'quasi_identifiers = ["age"]\nk = 5\nmethod = "magic"',
        'quasi_identifiers = ["age"]\nk = 5\nsuppression = 2',
        'quasi_identifiers = ["age"]\nk = 5\nsensitive = "x"\nt = 2',
        'quasi_identifiers = ["age"]\nk = 5\nkk = 5',
        'quasi_identifiers = ["age"]\nk = 5\n[hierarchies.sex]\nwidths = [5]',
    ],
)
def test_what_is_no_recipe_is_refused(text):
    with pytest.raises(BadInput) as told:
        read_recipe(text)
    assert told.value.code in {"TP-DATA-060", "TP-DATA-061"}


def test_risk():
    risk = risk_of(np.array([0, 0, 0, 1, -1]))
    assert (risk.rows, risk.classes, risk.prosecutor_highest, risk.unique) == (4, 2, 1.0, 0.25)
    assert risk.at_risk == 1.0
    assert risk.sizes == {
        "1": 1,
        "2 to 4": 3,
        "5 to 9": 0,
        "10 to 19": 0,
        "20 to 49": 0,
        "50 to 99": 0,
        "100 and more": 0,
    }
    assert risk_of(np.repeat(np.arange(3), (9, 10, 150))).sizes["100 and more"] == 150
    assert risk_of(np.array([-1, -1])).rows == 0
    assert not any(risk_of(np.array([-1, -1])).sizes.values())


@pytest.mark.parametrize("method", ["mondrian", "full-domain"])
@pytest.mark.parametrize(("k", "more"), [(2, ""), (5, "l = 2\n"), (10, "l = 3\nt = 0.4\n"), (40, "t = 0.25\n")])
def test_pycanon_counts_the_same(method, k, more):
    """pycanon (https://doi.org/10.1038/s41597-022-01894-2) is written by others and shares no line with this package."""
    from pycanon import anonymity

    said = recipe(k, method=method, sensitive="illness", more=more + "suppression = 0.3\n")
    made = anonymise(people(800), said)
    frame = made.table.to_pandas().fillna("nothing").astype(str)
    quasi = list(said.quasi_identifiers)
    reached = made.figures["reached"]
    assert anonymity.k_anonymity(frame, quasi) == reached["k"] >= k
    assert anonymity.l_diversity(frame, quasi, ["illness"]) == reached["l"] >= said.model.l
    assert anonymity.t_closeness(frame, quasi, ["illness"]) == pytest.approx(reached["t"], abs=1e-6)
