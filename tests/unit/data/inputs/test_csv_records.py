"""The stream is cut into whole records, and what is no RFC 4180 in UTF-8 is refused where it stands."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.inputs.csv_records import Chunk, chunks, fields_in, record_end, record_ends
from trustplane.values.errors import BadInput

FIELDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1, max_size=20)
)


class Trickle(io.RawIOBase):
    """A stream that cannot be sought and gives at most ``step`` bytes at once."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = io.BytesIO(data)
        self._step = step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._step) if size >= 0 else self._step)


class Endless(io.RawIOBase):
    """A stream that never ends, and counts what was taken from it."""

    def __init__(self, head: bytes, filler: bytes) -> None:
        self._head = head
        self._filler = filler
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        part, self._head = (self._head[:size], self._head[size:]) if self._head else (self._filler * size, b"")
        self.taken += len(part[:size])
        return part[:size]


def written(table: list[list[str]], line_end: str) -> bytes:
    """The table as the csv module writes it, which quotes carriage returns only when it quotes everything."""
    file = io.StringIO(newline="")
    returns = any("\r" in cell for row in table for cell in row)
    quoting = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    csv.writer(file, lineterminator=line_end, quoting=quoting).writerows(table)
    return file.getvalue().encode()


def refused(data: bytes, **sizes: int) -> BadInput:
    with pytest.raises(BadInput) as caught:
        list(chunks(io.BytesIO(data), **sizes))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "the cause would hold the data"
    return caught.value


@settings(deadline=None)
@given(TABLES, st.sampled_from(["\n", "\r\n"]), st.integers(16, 64), st.integers(1, 50))
def test_chunks_are_the_data_cut_after_records(table, line_end, piece, step):
    """Whatever the sizes of reads and pieces: nothing is lost, each chunk ends a record, lines and offsets are right."""
    data = written(table, line_end)
    if not data.strip(b"\r\n") or data.startswith((b"PK", b"BZh", b"PAR", b"%PDF", b"ARROW1", b"\xef\xbb\xbf")):
        return
    found = list(chunks(Trickle(data, step), piece=piece))
    assert b"".join(chunk.data for chunk in found) == data
    records = 0
    for chunk in found:
        assert chunk.offset == data.index(chunk.data, chunk.offset)
        assert chunk.line == 1 + data[: chunk.offset].count(b"\n")
        records += len(record_ends(chunk.data))
    assert records == len(table)


@settings(deadline=None)
@given(TABLES)
def test_fields_of_a_record_are_counted_as_the_csv_module_counts_them(table):
    data = written(table, "\n")
    starts = [0, *record_ends(data)[:-1]]
    for row, start, end in zip(
        csv.reader(io.StringIO(data.decode(), newline="")), starts, record_ends(data), strict=True
    ):
        assert fields_in(data[start:end]) == max(1, len(row))


def test_a_byte_order_mark_is_no_part_of_the_data():
    (chunk,) = chunks(io.BytesIO(b"\xef\xbb\xbfa,b\n1,2\n"))
    assert chunk == Chunk(b"a,b\n1,2\n", line=1, offset=3)


def test_line_ends_within_quotes_end_no_record():
    assert record_ends(b'a,"x\ny"\nb,c\n').tolist() == [8, 12]


def test_the_last_record_needs_no_line_end():
    assert record_ends(b"a\nb").tolist() == [2, 3]


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(data):
    assert refused(data).code == "TP-DATA-001"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"PK\x03\x04", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PAR1", "Parquet"),
        (b"\xfd7zXZ\0", "xz"),
        (b"SQLite format 3\0", "SQLite"),
    ],
)
def test_another_format_is_named(head, name):
    error = refused(head + b"rest")
    assert error.code == "TP-DATA-010"
    assert name in error.what


def test_a_nul_byte_is_refused_with_its_place():
    error = refused(b"a,b\n1,2\n3,\0\n" + b"x,y\n" * 50)
    assert error.code == "TP-DATA-005"
    assert error.what == "there is a NUL byte at byte offset 10 (line 3)"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_wide_encodings_are_named(encoding):
    error = refused("name,age\nJosé,41\n".encode(encoding))
    assert error.code == "TP-DATA-007"
    assert "UTF-" in error.what


def test_latin_1_is_refused_with_the_byte_offset_and_without_the_value():
    error = refused("name,age\nAnna,40\nJosé,41\n".encode("latin-1"))
    assert error.code == "TP-DATA-007"
    assert error.what == "the file is not in UTF-8: invalid from byte offset 20 (line 3) on"
    assert "Jos" not in str(error.problem())


def test_offsets_count_from_the_start_of_the_stream_in_later_chunks():
    head = b"a,b\n" + b"1,2\n" * 100
    error = refused(head + b"\xff,2\n", piece=16)
    assert f"byte offset {len(head)}" in error.what
    assert "line 102" in error.what


@pytest.mark.parametrize("filler", [b"x", b"\n"])
@pytest.mark.parametrize("head", [b"a,b\n", b'a,b\n1,"'])
def test_a_record_without_end_is_refused_in_bounded_memory(head, filler):
    """A stream that never ends stands for a line of 2 GB; blank lines alone are records, but not within a quote."""
    if filler == b"\n" and b'"' not in head:
        return
    stream = Endless(head, filler)
    with pytest.raises(BadInput) as caught:
        list(chunks(stream, piece=64, longest=1000))
    assert caught.value.code == "TP-DATA-006"
    assert "line 2" in caught.value.what
    assert stream.taken <= 1000 + 64 + len(head)
    assert ("a quoted field that starts on line 2" in caught.value.why) == (b'"' in head)


@pytest.mark.parametrize(("length", "passes"), [(999, True), (1000, True), (1001, False)])
def test_the_limit_of_a_record_is_exact(length, passes):
    data = b"a\n" * 40 + b"x" * (length - 1) + b"\n" + b"b\n" * 40
    if passes:
        assert b"".join(chunk.data for chunk in chunks(io.BytesIO(data), piece=64, longest=1000)) == data
    else:
        assert refused(data, piece=64, longest=1000).code == "TP-DATA-006"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b'a,b\n1,x"y\n', 2),
        (b'a,b\n1,"x"y\n', 2),
        (b'a,b\n1,2\n3, "x"\n', 3),
        (b'a,b\n"x\ny"z,1\n', 3),
    ],
)
def test_a_quote_within_a_field_is_refused_with_its_line(data, line):
    error = refused(data)
    assert (error.code, error.what) == ("TP-DATA-009", f"a double quote stands in the middle of a field on line {line}")


def test_a_quote_that_never_closes_is_refused_with_the_line_that_it_opens_on():
    error = refused(b'a,b\n1,2\n3,"x\ny,z\n')
    assert (error.code, error.what) == ("TP-DATA-009", "a quoted field that starts on line 3 never ends")


@pytest.mark.parametrize("data", [b"a,b\r1,2\r", b"a,b\n1,2\r3,4\n", b"a,b\n1,2\r"])
def test_a_carriage_return_alone_ends_no_line(data):
    assert refused(data).code == "TP-DATA-009"


def test_a_carriage_return_within_quotes_is_data():
    data = b'a,b\r\n1,"x\ry"\r\n'
    assert b"".join(chunk.data for chunk in chunks(io.BytesIO(data))) == data


def test_line_ends_are_recognised_across_reads():
    """A CRLF that two reads cut apart is one line end."""
    data = b"ab,cd\r\n" * 20
    assert b"".join(chunk.data for chunk in chunks(Trickle(data, 1), piece=16)) == data


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(16, 40))
def test_any_bytes_are_either_cut_or_refused(data, piece):
    try:
        found = list(chunks(io.BytesIO(data), piece=piece, longest=100))
    except BadInput:
        return
    joined = b"".join(chunk.data for chunk in found)
    assert data in (joined, b"\xef\xbb\xbf" + joined)


def test_a_chunk_that_holds_no_whole_record_has_no_end():
    assert record_end(Chunk(b"abc", 1, 0), final=False) == 0
    assert record_end(Chunk(b"abc", 1, 0), final=True) == 3
    assert record_ends(b"abc").dtype == np.int64
