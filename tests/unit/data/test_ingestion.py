"""Ingesting: what is kept, what is refused, and that nothing is left behind or in plaintext."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from trustplane.data.ingestion import ingest
from trustplane.data.tables import Dataset, DatasetVersion
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.kernel.plane import Plane
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.values.errors import BadInput, NotFound, TrustplaneError


def version_of(plane, made):
    with plane.database.read() as session:
        return session.get_one(DatasetVersion, made.version_id)


def count(plane, kind):
    with plane.database.read() as session:
        return session.scalar(select(func.count()).select_from(kind))


def test_a_version_has_schema_statistics_classes_and_a_key_for_each_class(plane, clients):
    version = version_of(plane, clients)
    assert (version.number, version.rows) == (1, 500)
    assert list(version.columns["types"]) == ["customer_id", "email", "age", "amount"]
    assert version.classes == {
        "customer_id": "identifier",
        "email": "identifier",
        "age": "quasi-identifier",
        "amount": "confidential",
    }
    assert set(version.keys) == {"footer", "index", "identifier", "quasi-identifier", "confidential"}
    assert version.statistics["email"]["numeric"] is None
    assert version.statistics["age"]["numeric"]["minimum"] == 18
    assert version.confirmed_by is None


def test_the_event_tells_figures_and_no_value(plane, clients, cast):
    (event,) = [e for e in plane.ledger.feed() if e.leaf.action == "dataset.ingest"]
    assert event.leaf.actor == cast["data-steward"].id
    assert event.payload["facts"]["rows"] == 500
    assert event.payload["refers"]["table"] == version_of(plane, clients).digest
    assert "mail.example" not in str(event.payload)


def test_no_plaintext_lies_in_the_workspace(plane, workspace, clients):
    for path in workspace.folder.rglob("*"):
        if path.is_file():
            assert b"@mail.example" not in path.read_bytes(), path


def test_the_same_name_again_is_the_next_version_and_keeps_what_was_said(plane, cast, csv, clients, spec):
    bare = replace(spec, purposes=(), lawful_basis="", retention_days=None, source="")
    made = ingest(plane, cast["data-steward"], "credit", bare, [csv(600)])
    assert (made.number, made.dataset_id) == (2, clients.dataset_id)
    with plane.database.read() as session:
        row = session.get_one(Dataset, made.dataset_id)
        assert (row.purposes, row.retention_days) == (["dpv:CustomerSolvencyMonitoring"], 3650)


def test_parquet_is_ingested_too(plane, cast, spec):
    sink = io.BytesIO()
    pq.write_table(pa.table({"ünïcode ✓": ["a", "b"], "n": [1, 2]}), sink)
    data = sink.getvalue()
    chunks = [data[i : i + 100] for i in range(0, len(data), 100)]
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, format="parquet"), chunks)
    assert list(version_of(plane, made).classes) == ["ünïcode ✓", "n"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TP-DATA-001"),
        (b"a,b\n", "TP-DATA-002"),
        (b"a,b\n1\n", "TP-DATA-003"),
        (b"a,a\n1,2\n", "TP-DATA-004"),
        (b"a,b\n1,\x002\n", "TP-DATA-"),
        (b"a,b\n\xff\xfe,2\n", "TP-DATA-"),
        (b"a,b\n" + b"x" * (70 << 20) + b",1\n", "TP-DATA-"),
    ],
    ids=["empty", "no rows", "ragged", "same names", "NUL", "encoding", "endless line"],
)
def test_a_bad_file_leaves_an_event_and_nothing_else(plane, cast, spec, data, code):
    keys = count(plane, VaultKey)
    with pytest.raises(BadInput) as refused:
        ingest(plane, cast["data-steward"], "credit", spec, [data])
    assert refused.value.code.startswith(code)
    assert count(plane, DatasetVersion) == count(plane, Dataset) == count(plane, VaultBlob) == 0
    assert count(plane, VaultKey) == keys
    assert plane.ledger.feed(limit=1)[0].leaf.outcome == "refused"
    assert not [p for p in (plane.workspace.folder / "blobs").rglob("*") if p.is_file()]


def test_an_upload_that_breaks_off_leaves_nothing(plane, cast, spec, csv):
    def broken():
        yield csv()[:5000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        ingest(plane, cast["data-steward"], "credit", spec, broken())
    assert count(plane, DatasetVersion) == 0
    assert plane.ledger.feed(limit=1)[0].leaf.outcome == "failed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purposes": ("dpv:Fun",)}, "TP-DATA-030"),
        ({"lawful_basis": "because"}, "TP-DATA-031"),
        ({"purposes": ()}, "TP-DATA-038"),
        ({"format": "ods"}, "TP-DATA-036"),
        ({"retention_days": 0}, "TP-DATA-037"),
        ({"name": "../x"}, "TP-VALUE-"),
    ],
)
def test_bad_terms_are_refused(plane, cast, spec, csv, change, code):
    with pytest.raises(BadInput) as refused:
        ingest(plane, cast["data-steward"], "credit", replace(spec, **change), [csv(5)])
    assert refused.value.code.startswith(code)


@pytest.mark.parametrize("role", ["owner", "scientist", "reviewer", "operator", "auditor", "consumer"])
def test_only_a_steward_ingests(plane, cast, spec, csv, role):
    with pytest.raises(AccessDenied):
        ingest(plane, cast[role], "credit", spec, [csv(5)])
    assert count(plane, DatasetVersion) == 0


def test_an_unknown_project_is_named(plane, cast, spec, csv):
    with pytest.raises(NotFound, match="did you mean 'credit'"):
        ingest(plane, cast["data-steward"], "credti", spec, [csv(5)])


def test_a_repeated_request_is_known(plane, cast, spec, csv):
    key = Idempotency("k", "request")
    made = ingest(plane, cast["data-steward"], "credit", spec, [csv(5)], key)
    assert plane.replayed(cast["data-steward"], key) == made.version_id


def test_a_kill_in_the_middle_leaves_the_workspace_whole(plane, workspace, cast, tmp_path):
    script = tmp_path / "ingest.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from pathlib import Path
        from trustplane.data.ingestion import DatasetSpec, ingest
        from trustplane.kernel.plane import Plane

        def endless():
            yield b"id,value\\n"
            for n in range(10**9):
                yield b"".join(b"%d,%d\\n" % (n * 1000 + i, i) for i in range(1000))
                if n == 200:
                    print("going", flush=True)

        plane = Plane.open(Path(sys.argv[1]))
        spec = DatasetSpec("clients", "csv", ("dpv:ServiceProvision",), "eu-gdpr:A6-1-b")
        ingest(plane, plane.stand_in(sys.argv[2], ("*",)), "credit", spec, endless())
        """)
    )
    child = subprocess.Popen(
        [sys.executable, str(script), str(workspace.folder), cast["data-steward"].id],
        stdout=subprocess.PIPE,
        env={**os.environ, "TRUSTPLANE_DATABASE_URL": workspace.database_url},
    )
    assert child.stdout.readline() == b"going\n"
    time.sleep(0.2)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Plane(workspace) as reopened:
        assert count(reopened, DatasetVersion) == 0
        assert not [p for p in workspace.folder.iterdir() if p.name.startswith("tmp")]


def test_every_error_has_a_code(plane, cast, spec):
    for data in (b"\x00" * 100, b"PAR1" + b"\x00" * 50 + b"PAR1", b'"' * 1000):
        for kind in ("csv", "parquet"):
            with pytest.raises(TrustplaneError):
                ingest(plane, cast["data-steward"], "credit", replace(spec, format=kind), [data])
