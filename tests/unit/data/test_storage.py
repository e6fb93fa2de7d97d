"""Tables at rest: what one decision released reads what it was asked for, and nothing beside it."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from trustplane.data import storage
from trustplane.data.ingestion import ingest
from trustplane.data.storage import read_columns, release_columns, subject_of
from trustplane.data.tables import DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.vault.keyring import KeySpec, mint
from trustplane.kernel.vault.parquet import FOOTER, TableKeys, _factory, key_name
from trustplane.values.errors import Denied, Tampered

PURPOSE = "dpv:CustomerSolvencyMonitoring"


@pytest.fixture
def opened(plane, cast, clients, monkeypatch):
    """The keys that opening a view of ``email`` alone released, with the version."""
    told = []
    plain = storage.release_columns

    def kept(*asked):
        told.append(plain(*asked))
        return told[-1]

    monkeypatch.setattr("trustplane.data.views.release_columns", kept)
    spec = ViewSpec("mails", "clients", ("email",), PURPOSE, timedelta(days=1))
    create_view(plane, cast["data-steward"], "credit", spec)
    assert sum(b.num_rows for b in open_view(plane, cast["data-steward"], "credit", "mails").batches) == 500
    with plane.database.read() as session:
        return told[0], session.get_one(DatasetVersion, clients.version_id)


def test_what_was_released_decrypts_the_asked_column_and_no_other(plane, opened):
    keys, version = opened
    assert version.classes["customer_id"] == version.classes["email"] == "identifier"
    assert set(keys.by_name) == {FOOTER, key_name("email")}
    assert next(read_columns(plane.blobs, version, ["email"], keys)).num_rows
    for other in set(version.classes) - {"email"}:
        with pytest.raises(Denied):
            list(read_columns(plane.blobs, version, [other], keys))
        for held in keys.by_name.values():
            forced = TableKeys({**keys.by_name, key_name(other): held, version.classes[other]: held})
            with pytest.raises(Tampered):
                list(read_columns(plane.blobs, version, [other], forced))


class Door:
    """An operation that may open content, as far as the vault looks."""

    live = releases_keys = True

    def __init__(self, plane):
        self.plane, self.released = plane, []

    def note_release(self, key_ids):
        self.released += key_ids


def test_a_version_of_the_first_form_gives_the_keys_of_classes(plane):
    """As versions were written when classes had keys and columns had none."""
    classes, now = {"name": "identifier", "age": "open"}, datetime(2026, 1, 2, tzinfo=UTC)
    minted = {
        n: mint(plane.keystore, KeySpec("table", subject_of("v1"), "p", n), now) for n in (FOOTER, *classes.values())
    }
    with plane.database.write() as session:
        session.add_all(row for row, _ in minted.values())
    table = pa.table({"name": ["a", "b"], "age": [1, 2]})
    factory, connection = _factory(TableKeys({name: key for name, (_, key) in minted.items()}))
    config = pe.EncryptionConfiguration(
        footer_key=FOOTER,
        column_keys={"identifier": ["name"], "open": ["age"]},
        data_key_length_bits=256,
        plaintext_footer=False,
    )
    with plane.blobs.writer() as sink:
        properties = factory.file_encryption_properties(connection, config)
        with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), table.schema, encryption_properties=properties) as writer:
            writer.write_table(table)
        digest = sink.commit()
    version = DatasetVersion(
        id="v1", digest=str(digest), classes=classes, keys={n: key.id for n, (_, key) in minted.items()}
    )
    door = Door(plane)
    with plane.database.read() as session:
        keys = release_columns(door, session, version, ["age"])
    assert door.released == [version.keys[FOOTER], version.keys["open"]]
    assert next(read_columns(plane.blobs, version, ["age"], keys)).column(0).to_pylist() == [1, 2]
    with pytest.raises(Denied):
        list(read_columns(plane.blobs, version, ["name"], keys))


def test_names_with_separators_go_in_and_come_back(plane, cast, spec):
    made = ingest(plane, cast["data-steward"], "credit", spec, [b'"Amount, EUR",a:b;c\n1,2\n3,4\n'])
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, made.version_id)
        keys = release_columns(Door(plane), session, version, version.classes)
        batch = next(read_columns(plane.blobs, version, ["a:b;c", "Amount, EUR"], keys))
    assert batch.to_pydict() == {"Amount, EUR": [1, 3], "a:b;c": [2, 4]}
