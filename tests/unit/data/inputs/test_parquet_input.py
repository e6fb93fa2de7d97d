"""A Parquet file of a stranger is read, or refused with a reason; Arrow is never asked what would end the process."""

import base64
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.inputs.parquet_footer import ColumnClaim, FooterClaims
from trustplane.data.inputs.parquet_input import LARGEST_COLUMN_CHUNK, LARGEST_FOOTER, ParquetInput, check_claims
from trustplane.values.errors import BadInput

TABLE = pa.table({"a": list(range(300)), "b": [f"secret value {n}" for n in range(300)]})


def written(table: pa.Table = TABLE, **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


GOOD = written(write_page_checksum=True)


def refused(data: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        list(ParquetInput(io.BytesIO(data)).batches())
    assert caught.value.__cause__ is None
    return caught.value


class LocalKeys(pe.KmsClient):
    def __init__(self, _config: object) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, _name: str) -> bytes:
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, _name: str) -> bytes:
        return base64.b64decode(wrapped_key)


def encrypted(*, plain_footer: bool) -> bytes:
    factory = pe.CryptoFactory(LocalKeys)
    config = pe.EncryptionConfiguration(
        footer_key="f", column_keys={"k": ["b"]}, plaintext_footer=plain_footer, data_key_length_bits=256
    )
    return written(encryption_properties=factory.file_encryption_properties(pe.KmsConnectionConfig(), config))


@pytest.mark.parametrize("plain_footer", [True, False])
def test_an_encrypted_file_is_refused(plain_footer):
    """With a plain footer, Arrow 26 aborts the process when it is asked for the encrypted column."""
    error = refused(encrypted(plain_footer=plain_footer))
    assert error.code == "TP-DATA-013"
    assert ("columns 2" in error.what) == plain_footer


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TP-DATA-001"),
        (b"a,b\n1,2\n" * 10, "TP-DATA-010"),
        (b"PAR1", "TP-DATA-012"),
        (GOOD[: len(GOOD) // 2], "TP-DATA-012"),
        (GOOD[:-1], "TP-DATA-012"),
        (GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", "TP-DATA-012"),
        (b"PAR1" + bytes(LARGEST_FOOTER + 1) + (LARGEST_FOOTER + 1).to_bytes(4, "little") + b"PAR1", "TP-DATA-015"),
    ],
    ids=["empty", "CSV", "magic only", "half", "cut by one byte", "footer beyond the file", "footer too large"],
)
def test_what_is_no_whole_parquet_file_is_refused(data, code):
    assert refused(data).code == code


def test_a_changed_page_is_found_by_its_checksum():
    data = written(compression="none", use_dictionary=False, write_page_checksum=True, write_statistics=False)
    changed = data.replace(b"secret value 17", b"secret value 71", 1)
    assert changed != data
    error = refused(changed)
    assert error.code == "TP-DATA-012"
    assert "secret" not in str(error.problem())


def test_nested_columns_are_refused_by_name_all_at_once():
    error = refused(written(pa.table({"ok": [1], "tags": [["x"]], "place": [{"city": "y"}]})))
    assert error.code == "TP-DATA-014"
    assert "'tags', 'place'" in error.what
    assert "ok" not in error.what.split(":")[1]


def test_text_that_is_not_utf_8_is_refused():
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe")]
    )
    assert refused(written(pa.table({"a": broken}))).code == "TP-DATA-012"


def test_a_pipe_is_refused():
    class Pipe(io.RawIOBase):
        def readable(self) -> bool:
            return True

    with pytest.raises(BadInput) as caught:
        ParquetInput(Pipe())
    assert caught.value.code == "TP-DATA-016"


def test_batches_are_bounded():
    source = ParquetInput(io.BytesIO(written(pa.table({"a": range(200_000)}))))
    sizes = [batch.num_rows for batch in source.batches()]
    assert sum(sizes) == source.rows == 200_000
    assert max(sizes) <= 65_536


FAIR = ColumnClaim(values=10, decoded=80, encoded=40, encrypted=False, elsewhere=False, described=True)


def claim(**changes: object) -> FooterClaims:
    column = ColumnClaim(**{**{name: getattr(FAIR, name) for name in FAIR.__slots__}, **changes})
    return FooterClaims(10, ((10, (FAIR, column)),), encrypted=False)


def test_fair_claims_pass():
    check_claims(claim())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (claim(encrypted=True), "TP-DATA-013"),
        (FooterClaims(10, ((10, (FAIR,)),), encrypted=True), "TP-DATA-013"),
        (claim(elsewhere=True), "TP-DATA-012"),
        (claim(described=False), "TP-DATA-012"),
        (claim(values=-1), "TP-DATA-012"),
        (claim(encoded=-1), "TP-DATA-012"),
        (claim(decoded=LARGEST_COLUMN_CHUNK + 1), "TP-DATA-015"),
        (FooterClaims(11, ((10, (FAIR,)),), encrypted=False), "TP-DATA-012"),
        (FooterClaims(0, ((-10, (FAIR,)), (10, (FAIR,))), encrypted=False), "TP-DATA-012"),
    ],
)
def test_claims_that_cannot_be_are_refused(said, code):
    with pytest.raises(BadInput) as caught:
        check_claims(said)
    assert caught.value.code == code


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_mutated_file_is_read_or_refused_and_nothing_else(changes):
    data = bytearray(GOOD)
    for at, byte in changes:
        data[at] = byte
    try:
        rows = sum(batch.num_rows for batch in ParquetInput(io.BytesIO(bytes(data))).batches())
    except BadInput as error:
        assert "secret" not in str(error.problem())  # noqa: PT017 - either outcome is right
    else:
        assert rows == 300
