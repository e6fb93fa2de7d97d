"""Types are inferred without loss: reading as numbers never changes what was written."""

import io

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trustplane.data.inputs.csv_records import Chunk
from trustplane.data.inputs.csv_types import TYPES, changed_by_reading, given_types, infer, may_change, parse
from trustplane.values.errors import BadInput


def inferred(*values: str) -> str:
    data = "".join(f"{value},x\n" for value in values).encode()
    return str(infer(Chunk(data, 2, 0), ["a", "b"], {})["a"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", "0"], "int64"),
        (["1", "", "NA"], "int64"),
        (["1.5", "2", ".5", "1e-3"], "double"),
        (["true", "false"], "bool"),
        (["2020-01-31", ""], "date32[day]"),
        (["2020-01-31 10:00:00"], "timestamp[s]"),
        (["x", "1"], "string"),
        (["", ""], "string"),
        (["NA", "NULL"], "string"),
    ],
)
def test_plain_values_get_their_type(values, expected):
    assert inferred(*values) == expected


@pytest.mark.parametrize(
    "values",
    [
        ["007", "1"],
        ["+49301234567", "+1"],
        ["0x1F", "1"],
        ["12345678901234567890", "1"],
        ["-01", "2"],
        ["01.5", "2.5"],
        ["inf", "1.5"],
    ],
    ids=[
        "leading zero",
        "plus sign",
        "hexadecimal",
        "digits beyond a double",
        "negative leading zero",
        "decimal leading zero",
        "infinity",
    ],
)
def test_numbers_that_are_not_written_plainly_stay_text(values):
    assert inferred(*values) == "string"


@settings(deadline=None)
@given(st.lists(st.integers(-(10**17), 10**17), min_size=1, max_size=20))
def test_integers_come_back_as_they_were_written(numbers):
    data = "".join(f"{number},x\n" for number in numbers).encode()
    types = infer(Chunk(data, 2, 0), ["a", "b"], {})
    assert types["a"] == pa.int64()
    assert parse(data, ["a", "b"], types).column("a").to_pylist() == numbers


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[+-]?[0-9]{1,22}", fullmatch=True), min_size=1, max_size=8))
def test_digit_strings_are_never_changed_by_reading(texts):
    """Whatever type is chosen, the integer that was written can be written back."""
    data = "".join(f"{text},x\n" for text in texts).encode()
    types = infer(Chunk(data, 2, 0), ["a", "b"], {})
    back = parse(data, ["a", "b"], types).column("a").to_pylist()
    assert [str(value) if value != 0 else text for value, text in zip(back, texts, strict=True)] == texts


@settings(deadline=None)
@given(
    st.sampled_from([pa.int64(), pa.float64()]),
    st.from_regex(r"[ \t]{0,2}[+-]?[0-9xXeEinf.]{1,6}[ ]?", fullmatch=True),
    st.booleans(),
)
@example(pa.float64(), "+.0", False)
@example(pa.int64(), "0x1", True)
def test_the_quick_look_finds_every_number_that_reading_would_change(kind, field, quoted):
    data = (f'1,"{field}"\n' if quoted else f"1,{field}\n").encode()
    try:
        parse(data, ["a", "b"], {"b": kind})
    except pa.ArrowInvalid:
        return
    if changed_by_reading(data, ["a", "b"], {"b": kind}, inferring=False):
        assert may_change(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"01,a\n", True),
        (b"a,-01\n", True),
        (b'"07",a\n', True),
        (b"+1,a\n", True),
        (b"0x1,2\n", True),
        (b"0,0.5\n", False),
        (b"2020-01-05,10\n", False),
    ],
)
def test_the_quick_look(data, expected):
    assert may_change(data) is expected


def test_in_text_only_the_empty_field_is_missing():
    batch = parse(b"NULL,1\n,2\nNA,3\n", ["surname", "n"], {"surname": pa.string(), "n": pa.int64()})
    assert batch.column("surname").to_pylist() == ["NULL", None, "NA"]


def test_given_types_are_taken():
    assert given_types(["a", "b"], {"b": "float64"}) == {"b": TYPES["float64"]}


def test_an_unknown_column_is_refused_with_the_nearest_name():
    with pytest.raises(BadInput) as caught:
        given_types(["amount"], {"amuont": "int64"})
    assert caught.value.code == "TP-DATA-011"
    assert "'amount'" in caught.value.why


def test_an_unknown_type_is_refused_with_all_types():
    with pytest.raises(BadInput) as caught:
        given_types(["a"], {"a": "int46"})
    assert caught.value.code == "TP-DATA-011"
    assert "'int64'" in caught.value.why
    assert all(name in caught.value.fix for name in TYPES)


def test_types_are_read_as_given():
    batch = parse(
        io.BytesIO(b"2020-01-02 03:04:05,1,true\n").read(),
        ["t", "f", "b"],
        given_types(["t", "f", "b"], {"t": "timestamp", "f": "float64", "b": "bool"}),
    )
    assert [str(field.type) for field in batch.schema] == ["timestamp[us]", "double", "bool"]
