"""A person is erased from three versions, two views, a model's training data and ten thousand decisions, and nothing of them is found again:
not in the workspace, not in its database, and not in a backup that is opened with every key that remains."""

import json
import shutil
import sqlite3
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

import trustplane
from trustplane.kernel.identity.authentication import load_actor
from trustplane.kernel.identity.tables import Principal
from trustplane.kernel.plane import Plane
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.keys import place, unwrap
from trustplane.kernel.vault.tables import VaultKey
from trustplane.serving.inference import infer, metadata
from trustplane.serving.loading import Shelf
from trustplane.serving.tables import Decision
from trustplane.values.errors import TrustplaneError

pytestmark = pytest.mark.slow
WHO = "C0000042"
SERVED = "default-risk-staging"
LIMIT = 271_828.25  # what the person's row and their decisions hold, and nobody else's
DECISIONS = 10_000
PERSONAL = 5
"""So many of the decisions are about the person."""
THREADS = 8


@pytest.fixture(scope="module")
def proof(demo, tmp_path_factory):
    """A copy of the demo's workspace with three versions, two views and the decisions; a backup of it; and then the person is erased."""
    return _Proof(demo.folder, tmp_path_factory.mktemp("proof"))


class _Proof:
    def __init__(self, demo: Path, folder: Path) -> None:
        self.workspace, self.backup = folder / "workspace", folder / "backup"
        shutil.copytree(demo, self.workspace)
        client = trustplane.connect(self.workspace, user="data-steward")
        steward = client.project("credit")
        view = steward.views.create("all-columns", "clients", _columns(steward), purpose=_purpose(steward))
        table = steward.views.arrow("all-columns")
        steward.views.revoke(view.name)
        self.values = self._ingest_more(steward, table, folder)
        for number, name in ((2, "ages"), (3, "limits")):
            columns = ["customer_id", "AGE" if number == 2 else "LIMIT_BAL"]
            steward.views.create(name, "clients", columns, purpose=_purpose(steward), version=number)
        self.needles = [v.encode(code) for v in self.values for code in ("utf-8", "utf-16-le")] + [
            struct.pack("<d", LIMIT), struct.pack(">d", LIMIT), struct.pack("<f", LIMIT), b"271828.25",
        ]  # fmt: skip
        self._decide()
        shutil.copytree(self.workspace, self.backup)
        request = steward.requests.open("erasure", [WHO])
        steward.requests.verify(request.id, "passport shown at the counter")
        self.found = list(steward.requests.find(request.id))
        steward.requests.erase(request.id).wait()
        self.done = steward.requests.get(request.id)
        self.left = list(steward.requests.find(request.id))
        for each in self.done.reached:
            steward.requests.decide(request.id, each["id"], "retired", reason="it was trained on the person's row")
        steward.requests.answer(request.id, "We have erased what we held of you.")
        with closing(trustplane.connect(self.workspace, user="owner")) as owner:
            self.receipts = {e["event"]: owner.ledger.prove(e["event"]) for e in self.done.erased}
        self.rows = {name: steward.views.arrow(name).num_rows for name in ("ages", "limits")}
        client.close()

    def _ingest_more(self, steward, table, folder):
        """Two further versions, in which the person's limit is like nobody else's; what the person's row holds as text."""
        at = table["customer_id"].to_pylist().index(WHO)
        limits = table["LIMIT_BAL"].cast(pa.float64()).to_pylist()
        limits[at] = LIMIT
        place = table.column_names.index("LIMIT_BAL")
        changed = table.set_column(place, "LIMIT_BAL", pa.array(limits, pa.float64()))
        for rows in (20_000, 30_000):
            file = folder / f"{rows}.parquet"
            pq.write_table(changed.slice(0, rows), file)
            steward.datasets.ingest("clients", file)
            file.unlink()
        row = changed.slice(at, 1).to_pylist()[0]
        return [row[c] for c in ("customer_id", "name", "email", "phone", "national_id", "iban", "address")]

    def _decide(self):
        with Plane.open(self.workspace) as plane:
            with plane.database.read() as session:
                row = session.scalar(select(Principal).where(Principal.name == "scientist"))
                asking = load_actor(session, row, None)
            shelf = Shelf(plane)
            width = len(metadata(plane, shelf, asking, SERVED)["parameters"]["features"])

            def ask(number):
                about = WHO if number % (DECISIONS // PERSONAL) == 0 else None
                row = [LIMIT if about else 20_000.0 + number, *[0.0] * (width - 1)]
                tensor = {"name": "features", "shape": [1, width], "datatype": "FP32", "data": row}
                said = {"inputs": [tensor]} | ({"parameters": {"subject": about}} if about else {})
                infer(plane, shelf, asking, SERVED, json.dumps(said).encode())

            ask(0)
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(ask, range(1, DECISIONS)))
            plane.ledger.sequencer.integrate()


def _purpose(project):
    return project.datasets.get("clients").purposes[0]


def _columns(project):
    return [c["name"] for c in project.datasets.get("clients").columns]


_LIVE = select(VaultKey).where(VaultKey.wrapped.is_not(None))


def test_the_person_was_there(proof):
    rows = [(f.version, f.rows) for f in proof.found if f.kind == "rows"]
    assert rows == [(1, 1), (2, 1), (3, 1)]
    assert [(f.dataset, f.rows) for f in proof.found if f.kind == "decisions"] == [(SERVED, PERSONAL)]


def test_the_person_is_gone_and_each_part_has_its_receipt(proof):
    assert proof.left == []
    assert proof.done.state == "verified"
    assert {e["kind"]: e["rows"] for e in proof.done.erased} == {"rows": 1, "decisions": PERSONAL}
    assert len(proof.receipts) == 2
    assert all(receipt.startswith("c2sp.org/tlog-proof@v1") for receipt in proof.receipts.values())
    assert proof.rows == {"ages": 19_999, "limits": 29_999}
    assert "model" in {each["kind"] for each in proof.done.reached}


def test_every_other_decision_is_still_there(proof):
    with Plane.open(proof.workspace) as plane, plane.database.read() as session:
        sealed = session.scalars(select(Decision.sealed)).all()
    assert sum(1 for each in sealed if each == b"") == PERSONAL
    assert len(sealed) >= DECISIONS


@pytest.mark.parametrize("which", ["workspace", "backup"])
def test_no_byte_of_the_person_is_in_a_file(proof, which):
    """The database is searched as a file, so that pages which are free by now are searched too."""
    folder = getattr(proof, which)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "state.sqlite" for path in files)
    for path in files:
        data = path.read_bytes()
        for needle in proof.needles:
            assert needle not in data, (path, needle)


def test_no_text_of_the_person_is_in_a_cell_of_the_database(proof):
    with closing(sqlite3.connect(proof.workspace / "state.sqlite")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{name}"'):
                said = " ".join(str(cell) for cell in row)
                assert not any(value in said for value in proof.values), name


def test_a_backup_opens_with_the_keys_of_its_time_alone(proof, tmp_path):
    """Restored beside the key file that remains it does not open, and no key that is live now opens what the erasure destroyed."""
    own, now = tmp_path / "own", tmp_path / "now"
    shutil.copytree(proof.backup, own)
    shutil.copytree(proof.backup, now)
    shutil.rmtree(now / "keys")
    shutil.copytree(proof.workspace / "keys", now / "keys")
    with Plane.open(own) as plane, plane.database.read() as session:
        old = [k for k in session.scalars(_LIVE) if k.purpose in {"table", "index", "decisions"}]
        assert all(unwrap_chain(session, plane.keystore, key.id) for key in old)
    with pytest.raises(TrustplaneError) as told:
        Plane.open(now)
    assert told.value.code == "TP-VAULT-003"
    with Plane.open(proof.workspace) as plane, plane.database.read() as session:
        live = [unwrap_chain(session, plane.keystore, key.id) for key in session.scalars(_LIVE)]
        gone = [key for key in old if session.get_one(VaultKey, key.id).wrapped is None]
    assert {key.purpose for key in gone} == {"table", "index", "decisions"}
    assert len(gone) == len(old)
    for key in gone:
        for above in live:
            with pytest.raises(TrustplaneError):
                unwrap(above, key.wrapped, place(key.id, key.parent_id, key.purpose))
