"""Arrow from strangers: both forms, what they may hold, and damaged or greedy ones refused."""

import io

import pyarrow as pa
import pyarrow.ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.inputs.arrow_input import read_arrow
from trustplane.data.inputs.arrow_messages import LARGEST_MESSAGE, MessageError, decoded_sizes
from trustplane.values.errors import BadInput

TABLE = pa.table(
    {"näme": ["a", None, "ç"] * 400, "n": range(1200), "c": pa.array(["x", "y"] * 600).dictionary_encode()}
)


def written(table=TABLE, *, file=False, **options):
    sink = io.BytesIO()
    make = pa.ipc.new_file if file else pa.ipc.new_stream
    with make(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=500)
    return sink.getvalue()


def read(data):
    reader = read_arrow(io.BytesIO(data))
    return pa.Table.from_batches(reader.batches, reader.schema)


def refused(data):
    with pytest.raises(BadInput) as caught:
        read(data)
    return caught.value.code


@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_rows_come_out_as_they_were_written(file, compression):
    made = read(written(file=file, compression=compression))
    assert made.to_pydict() == TABLE.to_pydict()
    assert str(made.schema.field("c").type) == "string", "dictionaries are decoded"


def test_the_sizes_when_decoded_are_counted():
    plain, packed = written(), written(compression="zstd")
    assert len(packed) < len(plain)
    assert sum(decoded_sizes(io.BytesIO(packed))) >= TABLE["n"].nbytes
    assert sum(decoded_sizes(io.BytesIO(plain))) >= TABLE["n"].nbytes


def test_a_small_stream_that_would_fill_the_memory_is_refused():
    data = bytearray(written(pa.table({"n": pa.array([0] * 50_000)}), compression="zstd"))
    at = data.index((500 * 8).to_bytes(8, "little"))
    data[at : at + 8] = (LARGEST_MESSAGE * 40).to_bytes(8, "little")
    assert refused(bytes(data)) == "TP-DATA-015"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TP-DATA-001"),
        (b"a,b\n1,2\n", "TP-DATA-010"),
        (b"ARROW1\0\0", "TP-DATA-012"),
        (written(TABLE.slice(0, 0)), "TP-DATA-002"),
        (written()[:-600], "TP-DATA-012"),
        (written(pa.table({"l": [[1], [2]]})), "TP-DATA-014"),
        (written(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])), "TP-DATA-004"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\0" * 64, "TP-DATA-015"),
    ],
)
def test_what_cannot_be_read_is_refused(data, code):
    assert refused(data) == code


def test_text_that_is_no_utf8_is_refused():
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    assert refused(written(pa.table({"t": bad}))) == "TP-DATA-012"


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(written()) - 1), st.integers(0, 255), st.integers(0, 40))
def test_damage_never_does_more_than_refuse(at, byte, cut):
    data = bytearray(written())
    data[at] = byte
    contexts = []
    try:
        read(bytes(data[: len(data) - cut]))
    except BadInput as error:
        contexts.append(error.__context__)
    assert all(c is None or isinstance(c, MessageError) for c in contexts), "Arrow's error may quote the data"
