"""Datasets and views by the SDK: files in, rows out, in every form."""

import builtins
import io
import json
import os

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv, parquet
from tests.unit.client.conftest import PURPOSE, ROWS, TABLE

from trustplane.client import data, sources
from trustplane.client.data import _Pull
from trustplane.client.sources import format_of, read_source
from trustplane.values.errors import BadInput, Conflict, Denied, NotFound, TrustplaneError, Unavailable

SAID = {"purposes": [PURPOSE], "lawful_basis": "eu-gdpr:A6-1-b", "source": "the tests"}


def test_a_file_becomes_a_dataset_with_versions(steward, scientist, tmp_path):
    (tmp_path / "clients.csv").write_text(TABLE)
    told = []
    one = steward.datasets.ingest("clients", tmp_path / "clients.csv", **SAID, progress=lambda *at: told.append(at))
    assert told[-1] == (len(TABLE), len(TABLE))
    parquet.write_table(csv.read_csv(tmp_path / "clients.csv"), tmp_path / "clients.pq")
    two = steward.datasets.ingest("clients", str(tmp_path / "clients.pq"), **SAID)
    assert (one.number, two.number) == (1, 2)
    found = scientist.datasets.get("clients", 1)
    assert (found.rows, found.version, found.newest) == (ROWS, 1, 2)
    assert [c["name"] for c in found.columns] == ["customer_id", "email", "age", "amount"]
    assert [d.name for d in scientist.datasets.list()] == ["clients"]


def test_discovery_looks_at_every_row_if_asked(steward, tmp_path):
    (tmp_path / "clients.csv").write_text(TABLE)
    steward.datasets.ingest("clients", tmp_path / "clients.csv", **SAID)
    steward.datasets.ingest("clients", tmp_path / "clients.csv", **SAID, exact=True)
    for number, exact in ((1, False), (2, True)):
        columns = {c["name"]: c for c in steward.datasets.get("clients", number).columns}
        assert {c["exact"] for c in columns.values()} == {exact}
        assert columns["email"]["presets"] == ["hipaa-safe-harbor:F"]
        assert (columns["email"]["sampled"], columns["email"]["unseen_share"]) == (ROWS, 0.0)


def test_types_and_classes_are_the_stewards_word(steward):
    made = steward.datasets.ingest(
        "typed", io.BytesIO(b"code,n\n007,1\n"), format="csv", types={"code": "string"}, **SAID
    )
    assert {c["name"]: c["type"] for c in steward.datasets.get("typed").columns}["code"] == "string"
    steward.datasets.confirm("typed", {"n": "confidential"}, made.number)
    found = steward.datasets.get("typed")
    assert {c["name"]: c["class"] for c in found.columns}["n"] == "confidential"
    assert found.confirmed


def test_a_view_gives_the_same_rows_in_every_form(scientist, people_view):
    views = scientist.views
    table = views.arrow("people")
    assert table.column_names == ["customer_id", "age", "amount"]
    assert table.num_rows == ROWS - 2
    assert all(value.startswith("ps_") for value in table["customer_id"].to_pylist())
    assert pa.Table.from_batches(views.batches("people")).equals(table)
    assert pl.from_arrow(table).equals(views.polars("people"))
    assert table.to_pandas().equals(views.pandas("people"))


def test_rows_are_saved_in_every_form(scientist, people_view, tmp_path):
    table = scientist.views.arrow("people")
    for name in ("rows.csv", "rows.PARQUET", "räume.arrow"):
        assert scientist.views.save("people", tmp_path / name) == table.num_rows
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert csv.read_csv(tmp_path / "rows.csv").equals(table)
    assert parquet.read_table(tmp_path / "rows.PARQUET").equals(table)
    assert pa.ipc.open_file(tmp_path / "räume.arrow").read_all().equals(table)


def test_a_view_that_may_not_be_opened_leaves_no_file(steward, ask, people_view, tmp_path):
    with pytest.raises(Denied):
        ask("auditor").project("credit").views.save("people", tmp_path / "rows.csv")
    steward.views.revoke("people")
    with pytest.raises(TrustplaneError):
        steward.views.save("people", tmp_path / "rows.csv")
    with pytest.raises(BadInput) as told:
        steward.views.save("people", tmp_path / "rows")
    assert told.value.code == "TP-CLIENT-008"
    assert list(tmp_path.glob("rows*")) == []


def test_revoking_a_strange_name_revokes_nothing_else(steward, scientist, people_view):
    for name in ("people?", "people#1", "people?purpose=x"):
        with pytest.raises(NotFound):
            steward.views.revoke(name)
    assert scientist.views.arrow("people").num_rows == ROWS - 2


def test_wrong_purposes_and_columns_are_told(ask, steward, scientist, clients):
    with pytest.raises(BadInput) as told:
        steward.views.create("v", "clients", ["agee"], purpose=PURPOSE)
    assert "'age'" in str(told.value)
    other = next(term for term in ask("scientist").terms().purposes if term != PURPOSE)
    with pytest.raises(TrustplaneError):
        steward.views.create("v", "clients", ["age"], purpose=other)
    steward.views.create("v", "clients", ["age"], purpose=PURPOSE)
    with pytest.raises(Conflict):
        steward.views.create("v", "clients", ["age"], purpose=PURPOSE)
    with pytest.raises(Denied):
        scientist.views.arrow("v", purpose=other)


def test_a_repeated_ingestion_makes_one_version(ask, steward, monkeypatch):
    monkeypatch.setattr("trustplane.client.wire.uuid.uuid4", lambda: "the-same-key")
    one = steward.datasets.ingest("clients", io.BytesIO(TABLE.encode()), format="csv", **SAID)
    two = steward.datasets.ingest("clients", io.BytesIO(TABLE.encode()), format="csv", **SAID)
    assert one == two
    assert len(steward.datasets.get("clients").versions) == 1
    with pytest.raises(Conflict) as told:
        steward.datasets.ingest("others", io.BytesIO(TABLE.encode()), format="csv", **SAID)
    assert told.value.code == "TP-IDENTITY-011"


def test_a_file_that_is_cut_short_leaves_no_version(steward, tmp_path):
    class Broken(io.RawIOBase):
        name = "clients.csv"
        given = False

        def read(self, _size=-1):
            if self.given:
                raise OSError("the disk is gone")
            self.given = True
            return TABLE.encode()

    with pytest.raises(OSError, match="the disk is gone"):
        steward.datasets.ingest("clients", Broken(), **SAID)
    assert steward.datasets.list() == []


@pytest.mark.parametrize("name", ["x", "x.CSV.gz", ".csv.txt", "csv", "x.ods"])
def test_a_file_whose_name_says_no_format(name):
    with pytest.raises(BadInput) as told:
        format_of(name)
    assert told.value.code == "TP-DATA-036"


def test_the_format_is_told_by_the_name_of_an_open_file(tmp_path):
    (tmp_path / "X.PQ").write_bytes(b"")
    with (tmp_path / "X.PQ").open("rb") as file:
        assert format_of(file) == "parquet"
    assert format_of("a.csv") == "csv"


def test_a_missing_file_is_told_before_anything_is_sent(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(BadInput) as told:
            read_source(path, "csv", None)
        assert told.value.code == "TP-CLIENT-005"


def test_a_large_file_is_read_a_piece_at_a_time(tmp_path):
    file = tmp_path / "large.csv"
    with file.open("wb") as out:
        os.truncate(out.fileno(), 64 << 20)
    told = []
    assert {len(chunk) for chunk in read_source(file, "csv", lambda *at: told.append(at))[1]} == {sources.CHUNK}
    assert told == [(n * sources.CHUNK, 64 << 20) for n in range(1, 65)]


@given(st.lists(st.binary(max_size=50), max_size=20), st.lists(st.integers(0, 60), max_size=20))
def test_what_is_pulled_is_what_came(chunks, sizes):
    pull = _Pull(iter(chunks))
    parts = [pull.read(size) for size in sizes]
    for part, size in zip(parts, sizes, strict=True):
        assert len(part) <= size
    assert b"".join([*parts, pull.read()]) == b"".join(chunks)
    assert pull.read(1) == b""


@pytest.mark.parametrize(
    ("method", "library", "extra"),
    [("pandas", "pandas", "ml"), ("polars", "polars", "frames"), ("arrow", "pyarrow", "plane"), ("torch", "torch", "torch")],
)  # fmt: skip
def test_a_library_that_is_not_installed_is_named_with_its_extra(monkeypatch, method, library, extra):
    whole = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == library:
            raise ImportError(name)
        return whole(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unavailable) as told:
        getattr(data.Views(None, "credit"), method)("people", *([["age"]] if method == "torch" else []))
    assert told.value.code == "TP-SETUP-001"
    assert f"trustplane[{extra}]" in told.value.fix


def test_a_datasheet_is_drafted_and_completed(steward, clients):
    sheet = steward.datasets.datasheet("clients")
    assert sheet.croissant["conformsTo"][0] == "http://mlcommons.org/croissant/1.0"
    assert "biases" in sheet.missing
    left = steward.datasets.describe("clients", biases="nobody under 18", limitations="made up")
    assert "biases" not in left.missing
    assert steward.datasets.datasheet("clients").croissant["rai:dataBiases"] == "nobody under 18"
    with pytest.raises(BadInput):
        steward.datasets.describe("clients", bias="x")


def test_views_are_asked_in_sql(scientist, people_view):
    table = scientist.views.query("SELECT count(*) AS n, min(age) AS youngest FROM people")
    assert table.to_pylist() == [{"n": ROWS - 2, "youngest": 20}]
    with pytest.raises(BadInput) as told:
        scientist.views.query("SELECT * FROM read_csv('/etc/passwd')")
    assert told.value.code == "TP-DATA-080"
    with pytest.raises(NotFound):
        scientist.views.query("SELECT * FROM clients")


def test_a_view_is_protected(steward, people_view):
    made = steward.views.protect("people", 'quasi_identifiers = ["age"]\nk = 5\nkeep = ["amount"]\n', "safer")
    assert made["figures"]["reached"]["k"] >= 5
    assert steward.datasets.get("safer").rows == ROWS - 2
    with pytest.raises(BadInput):
        steward.views.protect("people", 'quasi_identifiers = ["age"]\nk = 500\n', "safest")


def test_the_report_of_a_protection_is_a_page_or_figures(steward, people_view, tmp_path):
    steward.views.protect("people", 'quasi_identifiers = ["age"]\nk = 5\n', "safer")
    page = steward.datasets.report("safer", tmp_path / "report.html").read_text()
    assert "Protection report: safer, version 1" in page
    assert "tlog-proof" in page
    figures = json.loads(steward.datasets.report("safer", tmp_path / "report.json", 1).read_text())
    assert figures["figures"]["reached"]["k"] >= 5
    with pytest.raises(NotFound):
        steward.datasets.report("clients", tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()
