"""Tables come out as they were written, or an error says what is wrong, where, and never shows a value."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.inputs import csv_records
from trustplane.data.inputs.csv_input import read_csv
from trustplane.data.inputs.parquet_input import read_parquet
from trustplane.data.inputs.reader import LONGEST_NAME, MOST_COLUMNS, check_names
from trustplane.values.errors import BadInput

CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
SECRET = "4111111111111111x"


def table_of(data: bytes, types: dict[str, str] | None = None) -> pa.Table:
    reader = read_csv(io.BytesIO(data), types)
    return pa.Table.from_batches(reader.batches, reader.schema)


def refused(data: bytes, types: dict[str, str] | None = None) -> BadInput:
    with pytest.raises(BadInput) as caught:
        table_of(data, types)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "the cause would show values in a traceback"
    assert SECRET not in str(caught.value) + str(caught.value.problem())
    return caught.value


@settings(deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=15)
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_text_comes_back_as_the_csv_module_wrote_it(rows, line_end, mark):
    """Quotes, commas, line ends and all scripts; an empty field is a missing value."""
    file = io.StringIO(newline="")
    names = [f"column {index}" for index in range(len(rows[0]))]
    csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    data = file.getvalue().encode("utf-8-sig" if mark else "utf-8")
    table = table_of(data, dict.fromkeys(names, "string"))
    assert [list(row.values()) for row in table.to_pylist()] == [[cell or None for cell in row] for row in rows]


def test_numbers_dates_and_missing_values():
    table = table_of(b"id,score,day,note\n1,0.5,2020-02-29,x\n2,,,\n")
    assert [str(field.type) for field in table.schema] == ["int64", "double", "date32[day]", "string"]
    assert table.to_pylist()[1] == {"id": 2, "score": None, "day": None, "note": None}


def test_many_batches_have_one_schema(monkeypatch):
    monkeypatch.setattr(csv_records.chunks, "__kwdefaults__", {"piece": 64, "longest": 1 << 20})
    reader = read_csv(io.BytesIO(b"id,name\n" + b"".join(b"%d,name %d\n" % (each, each) for each in range(500))))
    batches = list(reader.batches)
    assert len(batches) > 10
    assert {batch.schema for batch in batches} == {reader.schema}
    assert pa.Table.from_batches(batches)["id"].to_pylist() == list(range(500))


def test_blank_lines_are_no_rows_but_a_missing_value_in_one_column():
    assert table_of(b"a,b\n\n1,2\n\n").num_rows == 1
    assert table_of(b"a\n1\n\n3\n")["a"].to_pylist() == [1, None, 3]


@pytest.mark.parametrize("data", [b"a,b\n", b"a,b", b"a,b\r\n\r\n\r\n"])
def test_a_header_without_rows_is_refused(data):
    error = refused(data)
    assert (error.code, error.what) == ("TP-DATA-002", "the file has a header with 2 columns and no rows")


def test_blank_chunks_before_the_first_row_are_skipped(monkeypatch):
    monkeypatch.setattr(csv_records.chunks, "__kwdefaults__", {"piece": 16, "longest": 1 << 20})
    assert table_of(b"a,b\n" + b"\n" * 100 + b"1,2\n").to_pylist() == [{"a": 1, "b": 2}]
    assert refused(b"a,b\n" + b"\n" * 100).code == "TP-DATA-002"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"a,b,a", "columns 1, 3 have the same name"),
        (b"a,,c", "column 2 has no name"),
        (b"a, ,c", "column 2 has no name"),
        (b'a,"b\nc",d', "the name of column 2 holds control characters"),
        (b"a," + b"n" * (LONGEST_NAME + 1) + b",c", f"the name of column 2 is longer than {LONGEST_NAME} characters"),
        (b"", "the first line is blank, the header must stand there"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(header, problem):
    error = refused(header + b"\n1,2,3\n")
    assert (error.code, error.what) == ("TP-DATA-004", problem)


def test_all_problems_of_a_header_are_told_at_once():
    error = refused(b"a,,a,\n1,2,3,4\n")
    assert error.what == "column 2 has no name; column 4 has no name; columns 1, 3 have the same name"


def test_too_many_columns_are_refused():
    names = ",".join(f"c{index}" for index in range(MOST_COLUMNS + 1))
    assert refused(f"{names}\n1\n".encode()).code == "TP-DATA-004"
    with pytest.raises(BadInput):
        check_names(names.split(","))


@pytest.mark.parametrize(("sign", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_separator_is_named(sign, word):
    error = refused(f"a{sign}b\n1{sign}2\n".encode())
    assert error.code == "TP-DATA-010"
    assert word in error.what


@pytest.mark.parametrize(("row", "found"), [(b"1,2,3", 3), (b"1", 1), (b'"1,2"', 1), (b'1,2,"x,\ny",4', 4)])
@pytest.mark.parametrize("before", [0, 1, 5000])
def test_a_ragged_row_is_refused_with_its_line(row, found, before):
    error = refused(b"a,b\n" + b"1,2\n" * before + row + b"\n" + b"1,2\n" * 10)
    assert (error.code, error.what) == ("TP-DATA-003", f"line {before + 2:,} has {found} fields, the header has 2")


def test_lines_are_counted_through_quoted_line_ends():
    error = refused(b'a,b\n"x\ny\nz",1\n' + b"1,2,3\n")
    assert error.facts == {"line": 5, "found": 3, "expected": 2}


def later(value: str, before: int = 20_000) -> bytes:
    """A file whose column ``amount`` is of integers in the first chunk, and ``value`` on the last line."""
    return (
        b"id,amount\n"
        + b"".join(b"%d,%d\n" % (each, each) for each in range(before))
        + f"x,{value}\n".encode().replace(b"x", b"7", 1)
    )


@pytest.mark.parametrize(
    ("value", "better"),
    [
        ("2.5", "float64"),
        (SECRET, "string"),
        ("007", "string"),
        ("0x1F", "string"),
        ("123456789012345678901234", "string"),
        ("1e3", "float64"),
    ],
)
def test_a_later_value_of_another_type_is_refused_with_column_line_and_fix(monkeypatch, value, better):
    monkeypatch.setattr(csv_records.chunks, "__kwdefaults__", {"piece": 4096, "longest": 1 << 20})
    error = refused(later(value))
    assert error.code == "TP-DATA-008"
    assert error.what == "column 'amount' is read as int64, and the value on line 20,002 does not fit"
    assert error.fix == f"give the column a type: --type amount={better}"
    assert table_of(later(value), {"amount": better}).num_rows == 20_001, "the fix must work"


def test_a_value_that_does_not_fit_a_given_type_is_refused():
    error = refused(f"a,b\n1,2\n{SECRET},3\n".encode(), {"a": "int64"})
    assert error.facts == {"column": "a", "line": 3}


def test_a_given_integer_type_may_drop_leading_zeros():
    assert table_of(b"a,b\n007,2\n", {"a": "int64"})["a"].to_pylist() == [7]


def test_rows_before_the_error_can_be_read():
    """Errors of later rows come while walking; what was walked is right."""
    reader = read_csv(io.BytesIO(b"a,b\n" + b"1,2\n" * (2 << 20) + b"1,2,3\n"))
    assert next(reader.batches).num_rows > 0
    with pytest.raises(BadInput):
        list(reader.batches)


def test_parquet_comes_out_as_plain_columns():
    source = pa.table(
        {"n": [1, None], "s": pa.array(["x", "y"]).dictionary_encode(), "l": pa.array(["a", None], pa.large_string())}
    )
    file = io.BytesIO()
    pq.write_table(source, file)
    reader = read_parquet(file)
    assert [str(field.type) for field in reader.schema] == ["int64", "string", "string"]
    assert reader.schema.metadata is None
    assert pa.Table.from_batches(reader.batches, reader.schema).to_pydict() == {
        "n": [1, None],
        "s": ["x", "y"],
        "l": ["a", None],
    }


def test_parquet_names_are_checked_like_those_of_csv():
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), file)
    with pytest.raises(BadInput) as caught:
        read_parquet(file)
    assert caught.value.code == "TP-DATA-004"


def test_parquet_without_rows_is_refused():
    file = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), file)
    with pytest.raises(BadInput) as caught:
        read_parquet(file)
    assert caught.value.code == "TP-DATA-002"
