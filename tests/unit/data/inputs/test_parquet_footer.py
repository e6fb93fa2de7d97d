"""The footer of a Parquet file is read without Arrow, and agrees with Arrow on every file that Arrow may be asked about."""

import io
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.inputs.parquet_footer import DEEPEST, FooterError, claims


def footer_of(table: pa.Table, **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    data = file.getvalue()
    return data[-8 - struct.unpack("<I", data[-8:-4])[0] : -8]


@pytest.mark.parametrize(
    "options", [{}, {"compression": "none"}, {"row_group_size": 100}, {"version": "1.0"}, {"write_statistics": False}]
)
def test_claims_agree_with_arrow(options):
    table = pa.table({"n": range(1000), "s": [f"value {n % 7}" for n in range(1000)], "l": [[n] for n in range(1000)]})
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    arrows = pq.ParquetFile(file).metadata
    said = claims(footer_of(table, **options))
    assert said.rows == arrows.num_rows == 1000
    assert not said.encrypted
    assert len(said.groups) == arrows.num_row_groups
    for index, (rows, columns) in enumerate(said.groups):
        group = arrows.row_group(index)
        assert (rows, len(columns)) == (group.num_rows, group.num_columns)
        for at, column in enumerate(columns):
            expected = group.column(at)
            found = (column.values, column.decoded, column.encoded)
            assert found == (expected.num_values, expected.total_uncompressed_size, expected.total_compressed_size)
            assert column.described
            assert not column.encrypted
            assert not column.elsewhere


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(data):
    try:
        said = claims(data)
    except FooterError:
        return
    assert said.rows is not None


@settings(deadline=None)
@given(st.data())
def test_a_cut_footer_is_refused(data):
    footer = footer_of(pa.table({"a": [1, 2, 3]}))
    with pytest.raises(FooterError):
        claims(footer[: data.draw(st.integers(0, len(footer) - 1))])


def test_a_list_cannot_be_longer_than_the_footer():
    """Field 4 as a list of 2**31 structs in eight bytes: nothing is allocated for it."""
    with pytest.raises(FooterError, match="longer than the footer"):
        claims(bytes([0x49, 0xFC]) + b"\xff\xff\xff\xff\x07" + b"\0")


def test_nesting_is_bounded():
    with pytest.raises(FooterError, match="deeper"):
        claims(b"\x1c" * (DEEPEST + 2))


def test_an_integer_has_at_most_ten_bytes():
    with pytest.raises(FooterError, match="ten bytes"):
        claims(b"\x16" + b"\xff" * 20)
