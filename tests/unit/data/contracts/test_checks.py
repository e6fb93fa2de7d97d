"""What a watch finds in rows that pass by."""

import pyarrow as pa
import pytest

from trustplane.data.contracts.checks import Watch, try_out
from trustplane.data.contracts.contract import draft, read_contract
from trustplane.values.errors import BadInput

TABLE = pa.table(
    {
        "id": ["a", "b", "b", None],
        "age": [5, 200, None, 30],
        "mail": ["x", "yy", "zzz", "x@y"],
        "paid": [1, 2, 3, None],
        "owed": [2, 1, 3, 4],
    }
)
SECRET = "zzz"


def found(text, table=TABLE, size=None):
    watch = Watch(read_contract(text), table.schema)
    assert sum(b.num_rows for b in watch.over(table.to_batches(max_chunksize=size))) == table.num_rows
    return {(b.column, b.rule): (b.rows, b.first) for b in watch.breaches()}


@pytest.mark.parametrize("size", [None, 1, 3])
@pytest.mark.parametrize(
    ("text", "breach", "rows"),
    [
        ("[columns.id]\nunique = true", ("id", "unique"), (1, [3])),
        ("[columns.id]\nnullable = false", ("id", "nullable false"), (1, [4])),
        ("[columns.age]\nat_least = 18", ("age", "at_least 18"), (1, [1])),
        ("[columns.age]\nat_most = 120", ("age", "at_most 120"), (1, [2])),
        ("[columns.age]\nnulls_at_most = 0.1", ("age", "nulls_at_most 0.1"), (0, [])),
        ('[columns.mail]\nmatches = "[a-z]@[a-z]"', ("mail", "matches"), (3, [1, 2, 3])),
        ("[columns.mail]\nlongest = 2", ("mail", "length"), (2, [3, 4])),
        ('[columns.mail]\none_of = ["x", "yy"]', ("mail", "one_of"), (2, [3, 4])),
        ('[columns.gone]\ntype = "string"', ("gone", "required"), (0, [])),
        ('[columns.age]\ntype = "double"', ("age", "type double"), (0, [])),
        ("[rows]\nat_least = 10", ("", "rows at_least 10"), (0, [])),
        ("[rows]\nat_most = 3", ("", "rows at_most 3"), (0, [])),
        ('[[rules]]\nname = "no debt"\nwhere = "paid <= owed"', ("", "no debt"), (1, [2])),
        ('[[rules]]\nname = "odd"\nwhere = "gone > 1"', ("", "odd"), (0, [])),
    ],
)
def test_each_term_names_its_rows_however_they_come(text, breach, rows, size):
    assert found(text, size=size) == {breach: rows}


def test_a_table_that_keeps_to_it_breaks_nothing():
    text = """
other_columns = false
[rows]
at_least = 4
at_most = 4
[columns.id]
type = "string"
[columns.age]
at_least = 5
at_most = 200
nulls_at_most = 0.25
[columns.mail]
matches = ".*"
longest = 3
unique = true
[columns.paid]
[columns.owed]
nullable = false
[columns.later]
required = false
"""
    assert found(text) == {}
    assert found("") == {}


def test_other_columns_may_be_refused():
    assert set(found("other_columns = false\n[columns.id]\n")) == {
        (c, "other_columns") for c in ("age", "mail", "paid", "owed")
    }


def test_only_so_many_rows_are_named():
    table = pa.table({"n": list(range(1000))})
    assert found("[columns.n]\nat_least = 500", table, 64) == {("n", "at_least 500"): (500, list(range(1, 21)))}


def test_a_breach_holds_no_value():
    watch = Watch(read_contract('[columns.mail]\none_of = ["x"]\nmatches = "x"'), TABLE.schema)
    list(watch.over(TABLE.to_batches()))
    assert SECRET not in str([b.facts() for b in watch.breaches()])


@pytest.mark.parametrize(
    "text",
    [
        "[columns.age]\nat_leest = 1", "columns = 3", "[columns.age]\nat_least = 9\nat_most = 1", "[columns.age]\none_of = []",
        "[columns.age]\nnulls_at_most = 2", '[[rules]]\nname = "a"\nwhere = "x"\n[[rules]]\nname = "a"\nwhere = "x"', "[", "x" * 1_000_001,
        '[[rules]]\nname = ""\nwhere = "x > 1"',
    ],
)  # fmt: skip
def test_what_is_no_contract(text):
    with pytest.raises(BadInput) as caught:
        read_contract(text)
    assert caught.value.code == "TP-DATA-120"


@pytest.mark.parametrize("text", ['[columns.age]\nmatches = "a"', '[columns.mail]\nmatches = "("', "[columns.mail]\nat_least = 3", "[columns.age]\nlongest = 3"])  # fmt: skip
def test_a_term_that_cannot_be_asked_of_its_column_is_told_when_it_is_written(text):
    with pytest.raises(BadInput) as caught:
        try_out(read_contract(text), TABLE.schema)
    assert caught.value.code == "TP-DATA-120"


def test_a_pattern_that_would_hang_other_engines_takes_no_time():
    table = pa.table({"mail": ["a" * 5_000 + "!"] * 50})
    assert found('[columns.mail]\nmatches = "(a+)+"', table) == {("mail", "matches"): (50, list(range(1, 21)))}


def test_a_draft_is_kept_by_what_it_was_drawn_from():
    statistics = {
        "id": {"nulls": 1, "distinct": 2, "distinct_exact": True},
        "age": {"nulls": 1, "numeric": {"minimum": 5.0, "maximum": 200.0}},
        'odd "name"': {"nulls": 0, "distinct": 4, "distinct_exact": True},
    }
    table = TABLE.select(["id", "age"]).append_column('odd "name"', pa.array([1.5, 2.5, 3.5, 4.5]))
    text = draft({f.name: str(f.type) for f in table.schema}, statistics, 4)
    assert "unique = true" in text
    assert "at_most = 200" in text
    assert found(text, table) == {}
