"""The blind index: who is there is found, nobody else is, and nothing can be read off it."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.data.blind_index import Identifier, IndexBuilder, indexed_columns, look_up, normal
from trustplane.kernel.vault.keys import fresh

KEY = fresh("a")


def index_of(table, columns, key=KEY, size=7):
    builder = IndexBuilder(key, columns)
    for batch in table.to_batches(max_chunksize=size):
        builder.add(batch)
    return list(builder.chunks())


def find(chunks, *values, column=None, key=KEY):
    return look_up(key, chunks, [Identifier(v, column) for v in values])


TABLE = pa.table(
    {
        "id": [f"C-{n:03d}" for n in range(50)],
        "iban": [None if n % 7 == 0 else f"DE89 3704 {n % 10:04d}" for n in range(50)],
        "number": list(range(50)),
    }
)


def test_people_are_found_in_the_rows_where_they_stand():
    chunks = index_of(TABLE, ["id", "iban", "number"])
    assert find(chunks, "C-011") == {11: ("id",)}
    assert find(chunks, "c011") == {11: ("id",)}
    assert find(chunks, "DE89-3704-0003") == {n: ("iban",) for n in range(50) if n % 10 == 3 and n % 7}
    assert find(chunks, "17") == {17: ("number",)}
    assert find(chunks, "C-011", "C-012") == {11: ("id",), 12: ("id",)}
    assert find(chunks, "C-011", column="iban") == {}
    assert find(chunks, "C-999") == {}


def test_another_key_finds_nobody():
    assert find(index_of(TABLE, ["id"]), "C-011", key=fresh("b")) == {}


def test_no_value_stands_in_the_index_and_equal_values_of_two_versions_differ():
    one, two = b"".join(index_of(TABLE, ["id"])), b"".join(index_of(TABLE, ["id"], key=fresh("b")))
    assert b"C-011" not in one
    assert b"c011" not in one
    assert one != two


def test_an_empty_table_has_an_empty_index():
    assert find(index_of(TABLE.slice(0, 0), ["id"]), "C-011") == {}


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=60), st.integers(1, 20), st.data())
def test_it_finds_what_comparing_finds(values, size, data):
    chunks = index_of(pa.table({"v": pa.array(values, pa.string())}), ["v"], size=size)
    wanted = data.draw(st.one_of(st.text(max_size=20), st.sampled_from([v for v in values if v is not None] or [""])))
    expected = [n for n, v in enumerate(values) if v is not None and normal(v) == normal(wanted)]
    assert list(find(chunks, wanted)) == expected


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Straße", "STRASSE"),
        ("ＤＥ８９", "de89"),
        ("+49 (30) 123-456", "+4930123456"),
        ("Ann.Lee@Mail.example", "annlee@mailexample"),
        ("\u0041\u030a", "\u00c5"),
    ],
)
def test_spellings_of_the_same(one, same):
    assert normal(one) == normal(same)


def test_names_and_places_are_not_indexed():
    classes = {
        "id": "identifier",
        "name": "identifier",
        "city": "identifier",
        "age": "quasi-identifier",
        "x": "identifier",
    }
    proposals = {"id": {"entity": "SUBJECT_ID"}, "name": {"entity": "PERSON"}, "city": {"entity": "LOCATION"}}
    assert indexed_columns(classes, proposals) == ("id", "x")


def test_types_other_than_text():
    table = pa.table({"n": pa.array([1, 2, 3], pa.int64()), "d": pa.array([1, 2, 3], pa.int32()).cast(pa.date32())})
    assert find(index_of(table, ["n", "d"]), "1970-01-03") == {1: ("d",)}
