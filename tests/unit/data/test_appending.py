"""Appending: the rows of the last version and then new ones, what must agree, and what happens meanwhile."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from trustplane.data import ingestion
from trustplane.data.classification import confirm
from trustplane.data.ingestion import ingest
from trustplane.data.tables import DatasetVersion
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.values.errors import BadInput, Conflict, NotFound

MORE = "age,customer_id,amount,email\n41,C90000,2.5,late@mail.example\n42,C90001,,later@mail.example\n"


def version_of(plane, made):
    with plane.database.read() as session:
        return session.get_one(DatasetVersion, made.version_id)


def rows_of(plane, cast, number):
    spec = ViewSpec(f"v{number}", "clients", ("customer_id", "age", "amount"), "dpv:CustomerSolvencyMonitoring", timedelta(days=1), number=number)  # fmt: skip
    create_view(plane, cast["data-steward"], "credit", spec)
    opened = open_view(plane, cast["scientist"], "credit", f"v{number}")
    return [row for batch in opened.batches for row in batch.to_pylist()]


def test_rows_are_put_after_those_of_the_last_version(plane, cast, clients, spec):
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])
    version = version_of(plane, made)
    assert (version.number, version.rows) == (2, 502)
    rows = rows_of(plane, cast, 2)
    assert rows[:500] == rows_of(plane, cast, 1), "the first version is as it was"
    assert rows[500:] == [
        {"customer_id": "C90000", "age": 41, "amount": 2.5},
        {"customer_id": "C90001", "age": 42, "amount": None},
    ]
    assert version.statistics["age"]["rows"] == 502
    (event,) = [e for e in plane.ledger.feed() if e.payload["facts"].get("appended_to")]
    assert event.payload["facts"]["appended_to"] == clients.version_id
    assert event.payload["facts"]["rows_before"] == 500


def test_json_lines_are_appended_to_what_was_csv(plane, cast, clients, spec):
    row = {"customer_id": "C90000", "email": "l@mail.example", "age": 41, "amount": 2}
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, append=True, format="jsonl"), [json.dumps(row).encode()])  # fmt: skip
    assert rows_of(plane, cast, made.number)[-1] == {"customer_id": "C90000", "age": 41, "amount": 2.0}


def test_confirmed_classes_stay(plane, cast, clients, spec):
    confirm(plane, cast["data-steward"], "credit", "clients", {"amount": "special"})
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])
    assert (made.number, version_of(plane, made).classes["amount"]) == (3, "special")


def test_an_appended_person_is_found_by_the_index(plane, cast, clients, spec):
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])
    assert "index" in version_of(plane, made).keys


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("customer_id,email,age\nC1,a@mail.example,3\n", "amount"),
        ("customer_id,email,age,amounts\nC1,a@mail.example,3,1\n", "amounts"),
        ("customer_id,email,age,amount,more\nC1,a@mail.example,3,1,2\n", "more"),
    ],
)
def test_other_columns_are_refused(plane, cast, clients, spec, text, says):
    with pytest.raises(BadInput) as caught:
        ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [text.encode()])
    assert caught.value.code == "TP-DATA-101"
    assert says in str(caught.value.problem())
    with plane.database.read() as session:
        assert len(session.scalars(select(DatasetVersion)).all()) == 1


def test_a_text_is_no_number_where_the_version_has_numbers(plane, cast, clients, spec):
    row = {"customer_id": "C90000", "email": "l@mail.example", "age": "041", "amount": 2}
    with pytest.raises(BadInput) as caught:
        ingest(plane, cast["data-steward"], "credit", replace(spec, append=True, format="jsonl"), [json.dumps(row).encode()])  # fmt: skip
    assert caught.value.code == "TP-DATA-008"


def test_a_value_of_another_type_is_refused(plane, cast, clients, spec):
    with pytest.raises(BadInput, match="age") as caught:
        ingest(
            plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.replace("41", "forty").encode()]
        )
    assert caught.value.code == "TP-DATA-008"
    assert "forty" not in str(caught.value.problem())


def test_nothing_is_appended_to_a_dataset_that_is_not_there(plane, cast, spec):
    with pytest.raises(NotFound):
        ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])


def test_a_version_that_came_meanwhile_is_not_overlooked(plane, cast, clients, spec, csv, monkeypatch):
    real = ingestion.store_table

    def slow(*args):
        stored = real(*args)
        monkeypatch.setattr(ingestion, "store_table", real)
        ingest(plane, cast["data-steward"], "credit", spec, [csv(10)])
        return stored

    monkeypatch.setattr(ingestion, "store_table", slow)
    with pytest.raises(Conflict) as caught:
        ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])
    assert caught.value.code == "TP-DATA-075"


def test_rows_erased_meanwhile_do_not_come_back(plane, cast, clients, spec, monkeypatch):
    real = ingestion.store_table

    def slow(*args):
        stored = real(*args)
        with plane.database.write() as session:
            session.get_one(DatasetVersion, clients.version_id).digest = "sha256:" + "0" * 64
        return stored

    monkeypatch.setattr(ingestion, "store_table", slow)
    with pytest.raises(Conflict):
        ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])


def test_no_key_of_the_base_reads_the_new_version(plane, cast, clients, spec):
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, append=True), [MORE.encode()])
    old, new = version_of(plane, clients), version_of(plane, made)
    assert not set(old.keys.values()) & set(new.keys.values())
