"""JSON Lines: rows come out as they were written, or an error says which line, and never shows a value."""

import io
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.inputs import jsonl_input
from trustplane.data.inputs.jsonl_input import read_jsonl
from trustplane.values.errors import BadInput

SECRET = "4111111111111111x"
CELLS = st.none() | st.text(max_size=12)


def table_of(data, types=None):
    reader = read_jsonl(io.BytesIO(data), types)
    return pa.Table.from_batches(reader.batches, reader.schema)


def refused(data, types=None):
    with pytest.raises(BadInput) as caught:
        table_of(data, types)
    assert caught.value.__context__ is None, "the cause would hold the data"
    assert SECRET not in str(caught.value) + str(caught.value.problem())
    return caught.value


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": st.none() | st.integers(-(2**63), 2**63 - 1)}), min_size=1))
def test_rows_come_out_as_they_were_written(rows):
    rows = [{"a": "x", "b": 1}, *rows]
    data = "\n".join(json.dumps(row) for row in rows).encode()
    assert table_of(data).to_pylist() == rows


def test_types_are_inferred_without_loss():
    line = {"i": 1, "f": 1, "t": "x", "b": True, "none": None}
    data = (json.dumps(line) + "\r\n\n" + json.dumps({**line, "f": 2.5}) + "\n").encode()
    types = {f.name: str(f.type) for f in table_of(b"\xef\xbb\xbf" + data).schema}
    assert types == {"i": "int64", "f": "double", "t": "string", "b": "bool", "none": "string"}


def test_given_types_are_followed():
    data = b'{"d": "2026-02-03", "n": 7, "x": "12"}\n{"d": null, "n": "a", "x": "13"}'
    made = table_of(data, {"d": "date", "n": "string", "x": "int64"})
    assert [str(f.type) for f in made.schema] == ["date32[day]", "string", "int64"]
    assert made["n"].to_pylist() == ["7", "a"]


def test_a_text_is_a_number_only_where_a_user_said_so():
    assert table_of(b'{"x": 1}\n{"x": "12"}', {"x": "int64"})["x"].to_pylist() == [1, 12]
    assert refused(b'{"x": 1}\n{"x": "012"}').code == "TP-DATA-008"


def test_a_field_that_is_missing_is_null():
    assert table_of(b'{"a": 1}\n{"b": "x"}').to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", "TP-DATA-001", "empty"),
        (b"\n \n", "TP-DATA-001", "empty"),
        (b"{}\n{}", "TP-DATA-002", "field"),
        (b'{"a": 1}\n[1]', "TP-DATA-100", "line 2"),
        (b'{"a": 1}\n{"a": "%s' % SECRET.encode(), "TP-DATA-100", "line 2"),
        (b'{"a": {"b": "%s"}}' % SECRET.encode(), "TP-DATA-014", "line 1"),
        (b'{"a": ["%s"]}' % SECRET.encode(), "TP-DATA-014", "line 1"),
        (b'{"a": 1e999}', "TP-DATA-100", "range"),
        (b'{"a": "\xff%s"}' % SECRET.encode(), "TP-DATA-007", "line 1"),
        (b'{"a": 1}\n{"a": "%s"}' % SECRET.encode(), "TP-DATA-008", "several types"),
        (b'{"a": 9223372036854775808}', "TP-DATA-008", "line 1"),
        (b'{"a": 1.5}\n{"a": 9007199254740993}', "TP-DATA-008", "line 2"),
        (b'{" ": 1}', "TP-DATA-004", "name"),
        (b"[" * 100_000, "TP-DATA-100", "line 1"),
    ],
)
def test_what_cannot_be_read_is_refused(data, code, says):
    error = refused(data)
    assert error.code == code
    assert says in str(error.problem())


def test_a_text_that_does_not_become_its_type_is_named_by_its_line():
    error = refused(b'{"d": "2026-02-03"}\n\n{"d": "%s"}' % SECRET.encode(), {"d": "date"})
    assert (error.code, "line 3" in str(error)) == ("TP-DATA-008", True)


def test_later_pieces_are_read_like_the_first(monkeypatch):
    monkeypatch.setattr(jsonl_input, "PIECE", 64)
    lines = [json.dumps({"a": n, "t": "é" * (n % 40)}).encode() for n in range(200)]
    assert table_of(b"\n".join(lines))["a"].to_pylist() == list(range(200))
    assert refused(b"\n".join([*lines, b'{"a": "%s"}' % SECRET.encode()])).code == "TP-DATA-008"
    assert refused(b"\n".join([*lines, b'{"c": 1}'])).code == "TP-DATA-003"


def test_a_line_without_end_is_refused_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(jsonl_input, "PIECE", 64)
    monkeypatch.setattr(jsonl_input, "LONGEST_LINE", 200)
    assert refused(b'{"a": 1}\n{"a": "' + b"x" * 500).code == "TP-DATA-006"
