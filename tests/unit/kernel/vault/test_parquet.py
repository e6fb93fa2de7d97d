"""Encrypted tables: who lacks the key of a class reads the other columns and not those."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trustplane.kernel.vault.keys import fresh
from trustplane.kernel.vault.parquet import FOOTER, EncryptedWriter, TableKeys, read
from trustplane.values.errors import BadInput, Denied, Tampered

CLASSES = {"name": "identifier", "age": "quasi-identifier", "note": "confidential"}
TABLE = pa.table(
    {
        "name": [f"person {n}" for n in range(5000)],
        "age": list(range(5000)),
        "note": [f"secret {n}" for n in range(5000)],
    }
)


def keys(*wanted):
    return TableKeys({name: ALL[name] for name in (FOOTER, *wanted)})


ALL = {name: fresh(name) for name in (FOOTER, *CLASSES.values())}


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
    assert rows(file, list(CLASSES), keys(*CLASSES.values())).equals(TABLE)


@pytest.mark.parametrize("column", CLASSES)
def test_one_key_reads_one_class(file, column):
    held = keys(CLASSES[column])
    assert rows(file, [column], held).column(column).equals(TABLE.column(column))
    for other in CLASSES.keys() - {column}:
        with pytest.raises(Denied) as told:
            rows(file, [column, other], held)
        assert told.value.code == "TP-VAULT-016"


def test_a_wrong_key_for_a_class_reads_nothing_of_it(file):
    held = TableKeys({**keys("quasi-identifier").by_name, "identifier": fresh("identifier")})
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
            assert rows(changed, list(CLASSES), keys(*CLASSES.values())).equals(TABLE)
        except Tampered:
            found += 1
    assert found > 50


@pytest.mark.parametrize("length", [0, 3, 8, 100, -1, -9])
def test_a_cut_file_is_found(file, length):
    with pytest.raises(Tampered):
        rows(file[:length], list(CLASSES), keys(*CLASSES.values()))


def test_an_unknown_column_is_named(file):
    with pytest.raises(BadInput) as told:
        rows(file, ["salary"], keys())
    assert told.value.code == "TP-VAULT-015"
    assert "'salary'" in told.value.what


def test_a_column_without_a_class_is_never_written():
    with pytest.raises(ValueError, match="plaintext"):
        EncryptedWriter(io.BytesIO(), TABLE.schema, {"name": "identifier"}, TableKeys(ALL))


def test_keys_do_not_show():
    assert ALL["identifier"].material.hex() not in repr(TableKeys(ALL))
    assert repr(ALL["identifier"].material) not in repr(TableKeys(ALL))
