"""Encrypted tables: who lacks the key of a column reads the other columns and not that one."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from trustplane.kernel.vault.keys import fresh
from trustplane.kernel.vault.parquet import FOOTER, EncryptedWriter, TableKeys, _factory, key_name, read
from trustplane.values.errors import BadInput, Denied, Tampered

CLASSES = {"name": "identifier", "age": "quasi-identifier", "note": "identifier"}
TABLE = pa.table(
    {
        "name": [f"person {n}" for n in range(5000)],
        "age": list(range(5000)),
        "note": [f"secret {n}" for n in range(5000)],
    }
)


def keys(*wanted):
    return TableKeys({name: ALL[name] for name in (FOOTER, *map(key_name, wanted))})


ALL = {name: fresh(name) for name in (FOOTER, *map(key_name, CLASSES))}


@pytest.fixture(scope="module")
def file():
    sink = io.BytesIO()
    sink.close = lambda: None
    with EncryptedWriter(sink, TABLE.schema, CLASSES, TableKeys(ALL)) as writer:
        for batch in TABLE.to_batches(max_chunksize=999):
            writer.write(batch)
    return sink.getvalue()


def rows(file, columns, held):
    return pa.Table.from_batches(list(read(io.BytesIO(file), columns, CLASSES, held, subject="the table")))


def test_all_keys_read_all(file):
    assert rows(file, list(CLASSES), keys(*CLASSES)).equals(TABLE)


@pytest.mark.parametrize("column", CLASSES)
def test_one_key_reads_one_column(file, column):
    held = keys(column)
    assert rows(file, [column], held).column(column).equals(TABLE.column(column))
    for other in CLASSES.keys() - {column}:
        with pytest.raises(Denied) as told:
            rows(file, [column, other], held)
        assert told.value.code == "TP-VAULT-016"


def test_a_wrong_key_for_a_column_reads_nothing_of_it(file):
    held = TableKeys({**keys("age", "note").by_name, key_name("name"): ALL[key_name("note")]})
    assert rows(file, ["age"], held).num_rows == 5000
    with pytest.raises(Tampered) as told:
        rows(file, ["name"], held)
    assert told.value.code == "TP-VAULT-001"
    assert "person" not in str(told.value)


def test_a_wrong_footer_key_reads_nothing(file):
    with pytest.raises(Tampered):
        rows(file, ["age"], TableKeys({**ALL, FOOTER: fresh(FOOTER)}))


def test_without_keys_not_even_the_schema_shows(file):
    assert file.startswith(b"PARE")
    with pytest.raises(OSError, match="encrypted"):
        pq.ParquetFile(io.BytesIO(file))
    for plain in (b"person", b"secret", b"name", b"note"):
        assert plain not in file


def test_a_changed_byte_never_gives_other_rows(file):
    """Of the crypto metadata some words decide nothing; a change there gives the same rows, and the object's digest finds it."""
    found = 0
    dice = random.Random(11)
    for _ in range(60):
        at = dice.randrange(4, len(file) - 8)
        changed = file[:at] + bytes([file[at] ^ 0x20]) + file[at + 1 :]
        try:
            assert rows(changed, list(CLASSES), keys(*CLASSES)).equals(TABLE)
        except Tampered:
            found += 1
    assert found > 50


@pytest.mark.parametrize("length", [0, 3, 8, 100, -1, -9])
def test_a_cut_file_is_found(file, length):
    with pytest.raises(Tampered):
        rows(file[:length], list(CLASSES), keys(*CLASSES))


def test_an_unknown_column_is_named(file):
    with pytest.raises(BadInput) as told:
        rows(file, ["salary"], keys())
    assert told.value.code == "TP-VAULT-015"
    assert "'salary'" in told.value.what


def test_a_column_without_a_class_is_never_written():
    with pytest.raises(ValueError, match="plaintext"):
        EncryptedWriter(io.BytesIO(), TABLE.schema, {"name": "identifier"}, TableKeys(ALL))


def test_keys_do_not_show():
    name = key_name("name")
    assert ALL[name].material.hex() not in repr(TableKeys(ALL))
    assert repr(ALL[name].material) not in repr(TableKeys(ALL))


@pytest.mark.parametrize("name", ["a,b", "a:b;c", "a b", " a ", "a.b", "ключ", "", "footer", "x" * 300])
def test_any_text_names_a_column(name):
    table, made = pa.table({name: [1, 2], "other": [3, 4]}), {name: "special", "other": "special"}
    sink = io.BytesIO()
    sink.close = lambda: None
    held = TableKeys({FOOTER: fresh(FOOTER), **{key_name(c): fresh(c) for c in made}})
    with EncryptedWriter(sink, table.schema, made, held) as writer:
        writer.write(table.to_batches()[0])
    less = TableKeys({k: v for k, v in held.by_name.items() if k != key_name("other")})
    assert next(read(io.BytesIO(sink.getvalue()), [name], made, less, subject="it")).column(0).to_pylist() == [1, 2]


def test_a_table_of_the_first_form_reads_by_the_keys_of_its_classes():
    """As tables were written when classes had keys and columns had none."""
    held = {name: fresh(name) for name in (FOOTER, "identifier", "quasi-identifier")}
    factory, connection = _factory(TableKeys(held))
    config = pe.EncryptionConfiguration(
        footer_key=FOOTER,
        column_keys={"identifier": ["name", "note"], "quasi-identifier": ["age"]},
        data_key_length_bits=256,
        plaintext_footer=False,
        encryption_algorithm="AES_GCM_V1",
    )
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, encryption_properties=factory.file_encryption_properties(connection, config))
    assert rows(sink.getvalue(), list(CLASSES), TableKeys(held)).equals(TABLE)
    with pytest.raises(Denied):
        rows(sink.getvalue(), ["name"], TableKeys({n: held[n] for n in (FOOTER, "quasi-identifier")}))


def test_texts_that_repeat_come_packed_where_that_is_asked_for():
    table, made = (
        pa.table({"kind": ["a", None, "b", "a"] * 50, "other": ["c"] * 200}),
        {"kind": "open", "other": "open"},
    )
    held = TableKeys({FOOTER: fresh(FOOTER), **{key_name(c): fresh(c) for c in made}})
    sink = io.BytesIO()
    sink.close = lambda: None
    with EncryptedWriter(sink, table.schema, made, held) as writer:
        writer.write(table.to_batches()[0])
    batch = next(read(io.BytesIO(sink.getvalue()), list(made), made, held, subject="it", packed=["kind"]))
    assert [str(f.type) for f in batch.schema] == ["dictionary<values=string, indices=int32, ordered=0>", "string"]
    assert batch.column("kind").to_pylist() == table["kind"].to_pylist()
